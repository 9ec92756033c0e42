//! Texts of a workspace, made safe for where they are shown. What a file contains may have been written
//! to deceive its reader: escapes that a terminal obeys, marks that turn the reading direction around,
//! mentions and links in a comment.

use std::fmt::Write as _;

/// For a terminal: control and direction characters become visible; one tab is four blanks.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// For Markdown: what stands in backticks stays code, all else is text without any markup.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('`') {
        out.push_str(&escaped(before));
        match behind.split_once('`') {
            Some((inside, after)) => {
                out.push_str(&code(inside));
                rest = after;
            }
            None => {
                out.push_str("\\`");
                rest = behind;
            }
        }
    }
    out.push_str(&escaped(rest));
    out
}

/// For Markdown: a text as code, on one line.
pub(crate) fn code(text: &str) -> String {
    let text = visible(&text.replace(['\n', '\r'], " "));
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    if longest > 0 || text.is_empty() {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// For Markdown: a text without any markup, on one line.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention, an issue or a link must not come into being.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '`' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c if hidden(c) => {
                let _ = write!(out, "\\\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.replace("://", ":&#47;/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_obeyed() {
        assert_eq!(
            visible("a\x1b[31m\u{202e}b\tc"),
            "a\\u{1b}[31m\\u{202e}b    c"
        );
        assert_eq!(
            prose("`GET /{a_b}` by @you <b>*x*"),
            "`GET /{a_b}` by &#64;you &lt;b&gt;\\*x\\*"
        );
        assert_eq!(prose("one ` alone"), "one \\` alone");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(prose("see https://x.y"), "see https:&#47;/x.y");
    }
}
