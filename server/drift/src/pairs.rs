//! Which entry point of the baseline is which of the current tree.
//!
//! Identity is verb and path, with parameters nameless: it survives moves and renames of handlers, files and
//! guards. What has no partner by path may have one by its handler: then its path changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_model::{Coverage, Handler, Model};
use gatewatch_source::Db;

/// A current entry point with its past.
pub(crate) struct Pair {
    pub(crate) now: Arc<Coverage>,
    pub(crate) was: Option<Arc<Coverage>>,
}

/// Verb and path of an entry point, parameters nameless.
pub(crate) fn key(coverage: &Coverage) -> (String, String) {
    let entry = &coverage.entry_point;
    (entry.method.to_string(), nameless(&entry.path))
}

/// A path with `{}` for every parameter and no slash at its end.
pub(crate) fn nameless(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut depth = 0;
    for c in path.chars() {
        match c {
            '{' => {
                if depth == 0 {
                    out.push_str("{}");
                }
                depth += 1;
            }
            '}' => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    let trimmed = out.trim_end_matches('/');
    if trimmed.is_empty() {
        "/".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// A handler by file path and name, to compare across trees. One without a name goes by what it is registered for.
pub(crate) fn handler_key(db: &dyn Db, coverage: &Coverage) -> Option<(String, String)> {
    match &coverage.entry_point.handler {
        Handler::Function(file, id)
            if id.rsplit('.').next().is_some_and(|n| n.starts_with('<')) =>
        {
            let entry = &coverage.entry_point;
            Some((
                file.path(db).as_str().to_owned(),
                format!("{} {}", entry.method, nameless(&entry.own_path)),
            ))
        }
        Handler::Function(file, id) | Handler::Class(file, id) => {
            Some((file.path(db).as_str().to_owned(), id.to_string()))
        }
        Handler::Unknown(_) => None,
    }
}

/// Pairs every current entry point with its past.
pub(crate) fn pairs(db: &dyn Db, now: &Model, was: &Model) -> Vec<Pair> {
    let mut past: BTreeMap<(String, String), Vec<Arc<Coverage>>> = BTreeMap::new();
    for coverage in &was.entry_points {
        past.entry(key(coverage))
            .or_default()
            .push(Arc::clone(coverage));
    }
    let mut present: BTreeMap<(String, String), usize> = BTreeMap::new();
    for coverage in &now.entry_points {
        *present.entry(key(coverage)).or_default() += 1;
    }
    let mut taken: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut pairs = Vec::with_capacity(now.entry_points.len());
    for coverage in &now.entry_points {
        let key = key(coverage);
        let found = past.get(&key).and_then(|candidates| {
            // The same verb and path twice (a fallback behind a guard): in order of appearance.
            let index = taken.entry(key.clone()).or_default();
            let found = candidates.get(*index).or_else(|| candidates.last());
            *index += 1;
            found.cloned()
        });
        let found = found.or_else(|| {
            // A verb that was part of `ANY`, or the reverse.
            let (method, path) = &key;
            let other = if method == "ANY" {
                None
            } else {
                past.get(&("ANY".to_owned(), path.clone()))
            };
            other.and_then(|candidates| candidates.first().cloned())
        });
        pairs.push(Pair {
            now: Arc::clone(coverage),
            was: found,
        });
    }
    // Moved paths: the same handler and verb, the old path gone.
    let gone: Vec<&Arc<Coverage>> = was
        .entry_points
        .iter()
        .filter(|coverage| !present.contains_key(&self::key(coverage)))
        .collect();
    for pair in &mut pairs {
        if pair.was.is_some() {
            continue;
        }
        let Some(handler) = handler_key(db, &pair.now) else {
            continue;
        };
        let moved = gone.iter().find(|old| {
            old.entry_point.method == pair.now.entry_point.method
                && handler_key(db, old).as_ref() == Some(&handler)
        });
        pair.was = moved.map(|old| Arc::clone(old));
    }
    pairs
}
