//! Paths in one spelling: all prefixes applied, parameters as `{name}`.

use gatewatch_frameworks::PathStyle;

use super::value::Piece;

/// Puts a path together and normalises its parameters; symbols become `{name}`.
pub(crate) fn rendered(pieces: &[Piece], style: PathStyle) -> String {
    if let [prefix @ .., Piece::Pattern(pattern)] = pieces {
        // A regular expression stays as it is written.
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            rendered(prefix, style)
        };
        return format!("{}/{pattern}/", prefix.trim_end_matches('/'));
    }
    let mut text = String::new();
    let mut literal = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => {
                // Two parts meet with exactly one slash.
                if literal.ends_with('/') && part.starts_with('/') {
                    literal.push_str(part.trim_start_matches('/'));
                } else if !part.is_empty()
                    && !part.starts_with('/')
                    && literal.is_empty()
                    && text.is_empty()
                {
                    literal.push('/');
                    literal.push_str(part);
                } else {
                    literal.push_str(part);
                }
            }
            Piece::Symbol(name) | Piece::Pattern(name) => {
                text.push_str(&parameters(&literal, style));
                literal.clear();
                if text.is_empty() {
                    text.push('/');
                }
                text.push('{');
                text.push_str(name);
                text.push('}');
            }
        }
    }
    text.push_str(&parameters(&literal, style));
    let mut whole = String::with_capacity(text.len() + 1);
    if !text.starts_with('/') {
        whole.push('/');
    }
    for c in text.chars() {
        if c == '/' && whole.ends_with('/') {
            continue;
        }
        whole.push(c);
    }
    if whole.is_empty() {
        "/".to_owned()
    } else {
        whole
    }
}

/// Whether a parameter of the path takes more than one segment.
pub(crate) fn takes_rest(pieces: &[Piece], style: PathStyle) -> bool {
    pieces.iter().any(|piece| match (piece, style) {
        (Piece::Pattern(_), _) => true,
        (Piece::Symbol(_), _) => false,
        (Piece::Text(text), PathStyle::Angles) => text.contains("<path:"),
        (Piece::Text(text), PathStyle::Braces) => text.contains(":path}"),
        (Piece::Text(text), PathStyle::Colons | PathStyle::Mixed) => text.contains('*'),
    })
}

/// Rewrites the parameters of a path to `{name}`.
fn parameters(path: &str, style: PathStyle) -> String {
    let mut out = String::with_capacity(path.len());
    let mut chars = path.chars().peekable();
    let mut at_start = true;
    while let Some(c) = chars.next() {
        match (c, style) {
            ('<', PathStyle::Angles) => {
                let inner: String = take_until(&mut chars, '<', '>');
                let name = inner.rsplit(':').next().unwrap_or_default();
                out.push('{');
                out.push_str(name.trim());
                out.push('}');
            }
            ('{', PathStyle::Braces | PathStyle::Mixed) => {
                let inner = take_until(&mut chars, '{', '}');
                let name = inner.split(':').next().unwrap_or_default();
                out.push('{');
                out.push_str(name.trim_start_matches('*').trim());
                out.push('}');
            }
            // Express 5: `{/:op}` is optional, not a parameter; its inside counts.
            ('{' | '}', PathStyle::Colons) => {}
            (':', PathStyle::Colons | PathStyle::Mixed)
                if chars.peek().is_some_and(|c| c.is_alphabetic() || *c == '_') =>
            {
                out.push('{');
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    out.push(c);
                }
                out.push('}');
                if chars.peek() == Some(&'(') {
                    chars.next();
                    take_until(&mut chars, '(', ')');
                }
                chars.next_if(|c| matches!(c, '?' | '+' | '*'));
            }
            ('*', PathStyle::Colons | PathStyle::Mixed) if at_start || out.ends_with('/') => {
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                out.push('{');
                out.push_str(if name.is_empty() { "rest" } else { &name });
                out.push('}');
            }
            _ => out.push(c),
        }
        at_start = false;
    }
    out
}

fn take_until(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    open: char,
    close: char,
) -> String {
    let mut inner = String::new();
    let mut depth = 1;
    for c in chars.by_ref() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                break;
            }
        }
        inner.push(c);
    }
    inner
}

/// Whether a guard that is limited to `below` runs for `path`: by whole segments, without regard to
/// case, a parameter matching anything (measured with Express 5).
pub(crate) fn covers_path(below: &str, path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    for wanted in below.split('/').filter(|segment| !segment.is_empty()) {
        if wanted == "{rest}" || wanted.starts_with("{*") {
            return true;
        }
        let Some(segment) = segments.next() else {
            return false;
        };
        if !(wanted.starts_with('{') || wanted.eq_ignore_ascii_case(segment)) {
            return false;
        }
    }
    true
}
