#!/usr/bin/env python3
"""Renders a terminal's output, colours included, as an SVG.

    DEMO_COLOUR=always cargo run --release -p gatewatch --example demo | docs/picture.py >docs/demo.svg

Only what the demonstration prints is understood: bold, dim and the foreground colours.
"""

import re
import sys
from html import escape

WIDTH, SIZE, LINE = 8.0, 13, 19
COLOURS = {"31": "#f47067", "32": "#8ddb8c", "33": "#e0af68", "36": "#7dcfff"}


def spans(line):
    """(style, text) of a line, one for each stretch between escapes."""
    style = ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            codes = part[2:-1].split(";")
            if "0" in codes:
                style = ""
            if "1" in codes:
                style += ' font-weight="bold"'
            if "2" in codes:
                style += ' fill="#7d8590"'
            style += "".join(f' fill="{COLOURS[code]}"' for code in codes if code in COLOURS)
        elif part:
            yield style, part


lines = sys.stdin.read().strip("\n").split("\n")
plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
width = max(map(len, plain)) * WIDTH + 40
height = len(lines) * LINE + 40
print(
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}" '
    f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}" fill="#d1d7e0">'
)
print("<title>A session with Gatewatch</title>")
print(f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#151b23"/>')
for index, line in enumerate(lines):
    column, y = 0, 30 + index * LINE
    for style, text in spans(line):
        # Each stretch has its own place and length, so that any monospaced font fits.
        lead = len(text) - len(text.lstrip(" "))
        shown = text.strip(" ")
        if shown:
            x, length = 20 + (column + lead) * WIDTH, len(shown) * WIDTH
            print(f'<text x="{x:g}" y="{y}" textLength="{length:g}" xml:space="preserve"{style}>{escape(shown)}</text>')
        column += len(text)
print("</svg>")
