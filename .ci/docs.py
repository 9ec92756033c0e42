#!/usr/bin/env python3
"""Checks what the documentation says against the program.

    .ci/docs.py [PROGRAM]       PROGRAM: default target/debug/gatewatch

- Every finding code has a page in docs/findings with its severity and its catalogue numbers, and no page is left over.
- Each example of such a page (a path in backticks, then a ```diff fence) gives the finding, or, below a heading that
  begins with "Silent", gives none.
- Every crate of the workspace's manifest has a line in docs/dependencies.md.
- Links from one file of the repository to another lead somewhere.

The last line is "N passed, N failed"; any failure is exit 1.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"))
PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else TARGET / "debug" / "gatewatch").resolve()

passed = 0
failures = []


def check(ok, what):
    global passed
    if ok:
        passed += 1
    else:
        failures.append(what)
        print(f"FAIL {what}")


def codes():
    """Name, severity and catalogue numbers of every code, from where they are declared."""
    text = (TOP / "server/drift/src/code.rs").read_text()
    lists = r"&\[([^\]]*)\]"
    pattern = rf'= "([a-z-]+)", (\w+), cwe {lists}, stride {lists}, api {lists}, top {lists}'
    for name, severity, *catalogues in re.findall(pattern, text):
        cwe, stride, api, top = ([part.strip(' "') for part in one.split(",") if part.strip()] for one in catalogues)
        yield name, severity.lower(), [f"CWE-{number}" for number in cwe] + api + top, stride


def examples(text):
    """(silent, {path: (before, after)}) of every example: the diffs below one heading belong together."""
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        heading = section.split("\n", 1)[0]
        files = {}
        for path, body in re.findall(r"^`([^`\n]+)`\n\n```diff\n(.*?)^```$", section, flags=re.M | re.S):
            before, after = [], []
            for line in body.splitlines():
                if line[:1] in ("", " ", "-"):
                    before.append(line[1:])
                if line[:1] in ("", " ", "+"):
                    after.append(line[1:])
            files[path] = ("\n".join(before) + "\n", "\n".join(after) + "\n")
        if files:
            yield heading.startswith("Silent"), files


def findings(files):
    with tempfile.TemporaryDirectory() as scratch:
        for index, side in enumerate(("before", "after")):
            for path, texts in files.items():
                file = Path(scratch, side, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(texts[index])
        command = [PROGRAM, "check", f"{scratch}/after", "--base-dir", f"{scratch}/before", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode > 1:
            return [f"status {done.returncode}: {done.stderr.strip()}"]
        return [f"{one['severity']} {one['code']}" for one in json.loads(done.stdout)["findings"]]


def pages():
    known = set()
    for name, severity, catalogues, stride in codes():
        known.add(name)
        page = TOP / "docs/findings" / f"{name}.md"
        check(page.is_file(), f"{name} has no page")
        if not page.is_file():
            continue
        text = page.read_text()
        check(text.startswith(f"# `{name}`\n"), f"{page.name}: the title is not its code")
        check(f"**{severity}**" in text, f"{page.name}: the severity is {severity}")
        for number in catalogues:
            check(number in text, f"{page.name}: {number} is missing")
        if stride:
            check(f"| {', '.join(stride)} " in text, f"{page.name}: STRIDE is {', '.join(stride)}")
        shown = 0
        for silent, files in examples(text):
            said = findings(files)
            if silent:
                check(said == [], f"{page.name}: a silent example gives {said}")
            else:
                shown += 1
                alone = bool(said) and all(one.endswith(f" {name}") for one in said)
                check(alone, f"{page.name}: the example gives {said or 'nothing'}")
        check(shown > 0 or name == "configuration-invalid", f"{page.name} has no example")
    check(len(known) > 0, "no code was read")
    for page in (TOP / "docs/findings").glob("*.md"):
        check(page.stem in known or page.stem == "README", f"{page.name} is the page of no code")


def dependencies():
    manifest = tomllib.loads((TOP / "Cargo.toml").read_text())
    text = (TOP / "docs/dependencies.md").read_text()
    for name, spec in manifest["workspace"]["dependencies"].items():
        own = isinstance(spec, dict) and "path" in spec
        check(own or f"`{name}`" in text, f"docs/dependencies.md has no word on {name}")


def links():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=TOP, capture_output=True, text=True, check=True,
    )
    for name in listed.stdout.split():
        file = TOP / name
        # What stands in code is no link.
        text = re.sub(r"^(`{3,}).*?^\1$|`[^`\n]*`", "", file.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not target.startswith("mailto:"):
                check((file.parent / target).exists(), f"{name}: the link to {target} leads nowhere")


pages()
dependencies()
links()
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
