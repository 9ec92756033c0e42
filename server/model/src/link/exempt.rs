//! What a library's guard is told to leave open: `expressjwt({ … }).unless({ path: ["/login"] })`.

use ustr::{Ustr, ustr};

use super::arguments::{flattened, located, verb_names};
use super::machine::Machine;
use super::value::V;
use crate::effects::{Exemption, How, Part, Reach};
use crate::entry::Callable;

/// The requests that a guard lets pass by what it was told.
pub(super) fn exemptions(machine: &Machine<'_>, value: &V, callable: &Callable) -> Vec<Exemption> {
    let (V::Called(called), Callable::External(name, _)) = (value, callable) else {
        return Vec::new();
    };
    let except = machine
        .packs
        .control(*name)
        .and_then(|control| control.except.as_ref());
    let Some(except) = except else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    let mut open = Vec::new();
    for item in flattened(located(except, &called.args)) {
        match item.settled() {
            V::Text(_) if let Some(text) = item.settled().as_text() => texts.push(ustr(&text)),
            other => open.push(one(other)),
        }
    }
    if !texts.is_empty() {
        open.push(path(How::Is, texts));
    }
    open.into_iter()
        .map(|reach| Exemption {
            site: called.place,
            reach,
        })
        .collect()
}

fn one(item: &V) -> Reach {
    match item {
        V::Text(_) => match item.as_text() {
            Some(text) => path(How::Is, vec![ustr(&text)]),
            None => Reach::Unknown,
        },
        V::Pattern(pattern) => matching(pattern),
        // `{ url: "/news", methods: ["GET"] }`
        V::Dict(entries) => {
            let entry = |name: &str| {
                entries
                    .iter()
                    .find(|(key, _)| key.as_text().as_deref() == Some(name))
                    .map(|(_, value)| value.settled())
            };
            let url = entry("url").map_or(Reach::Unknown, one);
            match entry("methods") {
                Some(methods) => {
                    let verbs = flattened(vec![methods.clone()]);
                    let texts = verbs.iter().flat_map(verb_names).collect();
                    Reach::All(vec![url, target(Part::Method, How::Is, texts)])
                }
                None => url,
            }
        }
        _ => Reach::Unknown,
    }
}

/// What a regular expression says of a path, as far as it begins with plain text.
fn matching(pattern: &str) -> Reach {
    let Some(rest) = pattern.strip_prefix('^').filter(|rest| !rest.contains('|')) else {
        return Reach::Unknown;
    };
    let mut literal = String::new();
    let mut chars = rest.chars().peekable();
    let mut whole = true;
    while let Some(c) = chars.next() {
        let plain = match c {
            '\\' => chars.next_if(|c| !c.is_alphanumeric()),
            '$' if chars.peek().is_none() => return path(How::Is, vec![ustr(&literal)]),
            _ if c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '~' | '%' | ' ') => Some(c),
            _ => None,
        };
        // What is repeated needn't be there.
        match plain.filter(|_| !chars.peek().is_some_and(|c| matches!(c, '*' | '?' | '{'))) {
            Some(plain) => literal.push(plain),
            None => {
                // `.*` takes whatever follows.
                let after: String = chars.collect();
                whole = c == '.' && matches!(after.as_str(), "*" | "*$" | "*/");
                break;
            }
        }
    }
    let begins = path(How::StartsWith, vec![ustr(&literal)]);
    if whole {
        begins
    } else {
        Reach::All(vec![begins, Reach::Unknown])
    }
}

fn path(how: How, texts: Vec<Ustr>) -> Reach {
    target(Part::Path, how, texts)
}

fn target(part: Part, how: How, texts: Vec<Ustr>) -> Reach {
    Reach::Target {
        part,
        how,
        texts,
        list: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let begins = |text: &str| path(How::StartsWith, vec![ustr(text)]);
        assert_eq!(matching(r"^\/pay"), begins("/pay"));
        assert_eq!(matching(r"^\/pay\/.*"), begins("/pay/"));
        assert_eq!(matching(r"^\/pay$"), path(How::Is, vec![ustr("/pay")]));
        assert_eq!(
            matching(r"^\/users\/\d+"),
            Reach::All(vec![begins("/users/"), Reach::Unknown])
        );
        assert_eq!(
            matching("^/pays?/"),
            Reach::All(vec![begins("/pay"), Reach::Unknown])
        );
        assert_eq!(matching(r"\/pay"), Reach::Unknown);
        assert_eq!(matching("^/pay|/free"), Reach::Unknown);
    }
}
