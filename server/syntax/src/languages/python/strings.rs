//! Strings: their escapes, and f-strings as templates.

use tree_sitter::Node;

use crate::facts::Expr;
use crate::lower::{Lowering, first_named, named};

/// A string, or several that stand beside each other: one text, or a template with the parts of all.
pub(super) fn strings(lower: &mut Lowering<'_>, nodes: &[Node<'_>]) -> Expr {
    let contents: Vec<_> = nodes.iter().flat_map(|node| named(*node)).collect();
    if !contents.iter().any(|part| part.kind() == "interpolation") {
        let text: String = contents
            .iter()
            .filter(|part| part.kind() == "string_content")
            .map(|part| unescaped(lower, *part))
            .collect();
        return Expr::Str(lower.string(&text));
    }
    let mut parts = Vec::new();
    for part in contents {
        match part.kind() {
            "interpolation" => {
                if let Some(value) = part
                    .child_by_field_name("expression")
                    .or_else(|| first_named(part))
                {
                    parts.push(lower.expr(value));
                }
            }
            "string_content" => {
                let text = unescaped(lower, part);
                let index = lower.string(&text);
                parts.push(lower.push(Expr::Str(index), part));
            }
            _ => {}
        }
    }
    Expr::Template(lower.push_parts(&parts))
}

/// The text of a string's content without its escapes, which the grammar finds where they count.
fn unescaped(lower: &Lowering<'_>, content: Node<'_>) -> String {
    let mut text = String::new();
    let mut at = content.start_byte();
    for escape in named(content) {
        text.push_str(lower.text.get(at..escape.start_byte()).unwrap_or_default());
        let written = lower.text(escape);
        match escape.kind() {
            "escape_interpolation" => text.extend(written.chars().next()),
            "escape_sequence" => text.push_str(&escaped(written)),
            _ => text.push_str(written),
        }
        at = escape.end_byte();
    }
    text.push_str(lower.text.get(at..content.end_byte()).unwrap_or_default());
    text
}

/// What an escape sequence stands for.
fn escaped(written: &str) -> String {
    let rest = written.strip_prefix('\\').unwrap_or(written);
    let code = |digits: &str, radix: u32| {
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
            .map(String::from)
    };
    let simple = |text: &str| Some(text.to_owned());
    match rest.chars().next() {
        Some('n') => simple("\n"),
        Some('r') => simple("\r"),
        Some('t') => simple("\t"),
        Some('a' | 'b' | 'f' | 'v') | None => simple(" "),
        Some('\n' | '\r') => simple(""),
        Some('x' | 'u' | 'U') => code(rest.get(1..).unwrap_or_default(), 16),
        Some('0'..='7') => code(rest, 8),
        // The name of a character.
        Some('N') => None,
        Some(_) => simple(rest),
    }
    .unwrap_or_else(|| written.to_owned())
}
