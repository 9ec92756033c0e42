//! Which requests something is about, by what they are sent to: a guard that lets `/login` pass, a check for
//! one method alone.

use ustr::Ustr;

use crate::entry::{EntryPoint, Handler, Site};

/// A condition on what a request is sent to.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Reach {
    /// It holds for all, or for none.
    Always(bool),
    /// Whoever sends the request can make it hold, and the contrary as well.
    Free,
    /// It depends on how the application is configured.
    Setting,
    /// Can't be told.
    Unknown,
    /// A part of the request's target is one of these texts.
    Target {
        /// Which part.
        part: Part,
        /// How it is compared.
        how: How,
        /// With what.
        texts: Vec<Ustr>,
        /// Where the list of texts stands, if that is not in the condition itself.
        list: Option<Site>,
    },
    /// The contrary.
    Not(Box<Reach>),
    /// All of these hold.
    All(Vec<Reach>),
    /// One of these holds.
    Any(Vec<Reach>),
}

/// A part of what a request is sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Part {
    /// The path of its URL.
    Path,
    /// The name of its handler.
    Endpoint,
    /// The verb.
    Method,
    /// `http`, `websocket`.
    Transport,
    /// What is written on its handler.
    Mark,
}

/// How a part of the target is compared with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum How {
    /// It is the text.
    Is,
    /// It begins with it.
    StartsWith,
    /// It ends with it.
    EndsWith,
    /// It contains it.
    Contains,
}

impl Reach {
    /// The contrary.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Always(holds) => Self::Always(!holds),
            Self::Not(inner) => *inner,
            Self::All(parts) => Self::Any(parts.into_iter().map(Self::negated).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(Self::negated).collect()),
            // Who sends the request, or sets it up, decides either way.
            Self::Free | Self::Setting | Self::Unknown => self,
            Self::Target { .. } => Self::Not(Box::new(self)),
        }
    }

    /// That all of these hold; `None` without one.
    pub(super) fn of_all(mut parts: Vec<Self>) -> Option<Self> {
        match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Self::All(parts)),
        }
    }

    /// Whether it says anything of the target at all.
    pub(super) fn names_target(&self) -> bool {
        match self {
            Self::Target { .. } => true,
            Self::Not(inner) => inner.names_target(),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::names_target),
            _ => false,
        }
    }

    /// Whether it asks what is written on a handler.
    pub(crate) fn asks_marks(&self) -> bool {
        match self {
            Self::Target { part, .. } => *part == Part::Mark,
            Self::Not(inner) => inner.asks_marks(),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_marks),
            _ => false,
        }
    }

    /// Whether it holds for requests to an entry point (to any, without one); `None` when that can't be told.
    pub fn holds(&self, entry: Option<&EntryPoint>) -> Option<bool> {
        self.decided(entry, true)
    }

    /// Whether it holds for an entry point whatever the caller sends along.
    pub fn names(&self, entry: &EntryPoint) -> bool {
        self.decided(Some(entry), false) == Some(true)
    }

    fn decided(&self, entry: Option<&EntryPoint>, free: bool) -> Option<bool> {
        match self {
            Self::Always(holds) => Some(*holds),
            Self::Free => Some(free),
            Self::Setting => Some(false),
            Self::Unknown => None,
            Self::Target {
                part, how, texts, ..
            } => matching(*part, *how, texts, entry?).map(|found| !found.is_empty()),
            Self::Not(inner) => inner.decided(entry, free).map(|holds| !holds),
            Self::All(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match part.decided(entry, free) {
                        _ if *part == Self::Setting => all = None,
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => all = None,
                    }
                }
                all
            }
            Self::Any(parts) => {
                let mut any = Some(false);
                for part in parts {
                    match part.decided(entry, free) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
        }
    }

    /// The texts that an entry point is named by, and where their list stands.
    pub fn named(&self, entry: &EntryPoint) -> Option<(Vec<Ustr>, Option<Site>)> {
        match self {
            Self::Target {
                part,
                how,
                texts,
                list,
            } => {
                let found = matching(*part, *how, texts, entry)?;
                (!found.is_empty()).then_some((found, *list))
            }
            // What the request is let pass for stands last.
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().rev().find_map(|part| part.named(entry))
            }
            _ => None,
        }
    }
}

/// The texts among these that a part of the entry point's target matches; `None` when that can't be told.
fn matching(part: Part, how: How, texts: &[Ustr], entry: &EntryPoint) -> Option<Vec<Ustr>> {
    let matches = |text: &str| -> Option<bool> {
        Some(match (part, how) {
            (Part::Path, how) => path_matches(&entry.path, how, text),
            // What only asks what is there matters to no handler for all methods.
            (Part::Method, How::Is) if entry.method == "ANY" => {
                if ["OPTIONS", "HEAD"]
                    .iter()
                    .any(|method| text.eq_ignore_ascii_case(method))
                {
                    false
                } else {
                    return None;
                }
            }
            (Part::Method, How::Is) => text.eq_ignore_ascii_case(&entry.method),
            (Part::Transport, How::Is) => match text {
                "http" => entry.kind != "ws",
                "websocket" => entry.kind == "ws",
                _ => false,
            },
            (Part::Endpoint, How::Is) => {
                let Handler::Function(_, id) = &entry.handler else {
                    return None;
                };
                match text
                    .rsplit('.')
                    .next()
                    .and_then(|name| name.split_once(':'))
                {
                    // A method of a class: `blueprint.View:post`.
                    Some((class, method)) => id.rsplit('.').eq([method, class]),
                    None => is_endpoint(id, text),
                }
            }
            // The name of a blueprint, which is a part of it, is told by what it serves, if at all.
            (Part::Endpoint, how) => {
                let Handler::Function(_, id) = &entry.handler else {
                    return None;
                };
                let name = id.rsplit('.').next().unwrap_or_default();
                match how {
                    How::Contains if name.contains(text) => true,
                    How::EndsWith => name.ends_with(text),
                    _ if entry.path.contains(text.trim_end_matches('.')) => return None,
                    _ => false,
                }
            }
            (Part::Mark, How::Is) => {
                let Handler::Function(..) = &entry.handler else {
                    return None;
                };
                entry.marks.iter().any(|mark| mark == text)
            }
            (Part::Method | Part::Transport | Part::Mark, _) => return None,
        })
    };
    let mut found = Vec::new();
    for text in texts {
        if matches(text)? {
            found.push(*text);
        }
    }
    Some(found)
}

/// Whether a function answers for an endpoint. A class goes by its own name there.
fn is_endpoint(id: &str, endpoint: &str) -> bool {
    let endpoint = endpoint.rsplit('.').next().unwrap_or_default();
    let mut parts = id.rsplit('.');
    let name = parts.next().unwrap_or_default();
    match parts.next() {
        Some(class) if class.starts_with(char::is_uppercase) => {
            let plain = |name: &str| {
                let plain = crate::words::plain(name);
                let kind = ["view", "resource", "api"];
                let short = kind.iter().find_map(|kind| plain.strip_suffix(kind));
                short.map_or(plain.clone(), str::to_owned)
            };
            plain(class) == plain(endpoint)
        }
        _ => name == endpoint,
    }
}

fn path_matches(path: &str, how: How, text: &str) -> bool {
    let (how, text) = match text.strip_suffix(['*', '$']) {
        Some(start) if how == How::Is && text.ends_with('*') => (How::StartsWith, start),
        Some(start) => (how, start),
        None => (how, text),
    };
    match how {
        How::Is => path == text || path.trim_end_matches('/') == text.trim_end_matches('/'),
        How::StartsWith => path.starts_with(text),
        How::EndsWith => path.ends_with(text),
        How::Contains => !text.is_empty() && path.contains(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert!(path_matches("/a/b", How::StartsWith, "/a"));
        assert!(path_matches("/a/", How::Is, "/a"));
        assert!(!path_matches("/a/b", How::Is, "/a"));
        assert!(path_matches("/a/b", How::Is, "/a/*"));
        assert!(path_matches("/a/b", How::Contains, "/b"));
    }
}
