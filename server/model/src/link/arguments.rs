//! What calls are given: arguments by the places that packs name, paths, verbs.

use gatewatch_frameworks::{At, Locator};
use ustr::{Ustr, ustr};

use super::shapes::Args;
use super::value::{Given, Piece, V};

/// The values of an argument; several for a rest.
pub(crate) fn located(locator: &Locator, args: &Args) -> Vec<V> {
    for at in &locator.alternatives {
        let found = located_at(at, args);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn located_at(at: &At, args: &Args) -> Vec<V> {
    let positional: Vec<&V> = args
        .iter()
        .filter(|(given, _)| !matches!(given, Given::Name(_)))
        .map(|(_, value)| value)
        .collect();
    match at {
        At::Position(index) => positional
            .get(*index)
            .map(|value| (*value).clone())
            .into_iter()
            .collect(),
        At::FromEnd(back) => positional
            .len()
            .checked_sub(*back)
            .and_then(|index| positional.get(index))
            .map(|value| (*value).clone())
            .into_iter()
            .collect(),
        At::Rest { start, leave } => {
            let end = positional.len().saturating_sub(*leave);
            positional
                .get(*start..end)
                .unwrap_or_default()
                .iter()
                .map(|value| (*value).clone())
                .collect()
        }
        At::Named(name) => args
            .iter()
            .find(|(given, _)| *given == Given::Name(*name))
            .map(|(_, value)| value.clone())
            .into_iter()
            .collect(),
        At::Entry(of, name) => located_at(of, args)
            .iter()
            .filter_map(|value| match value.settled() {
                V::Dict(entries) => entries
                    .iter()
                    .find(|(key, _)| key.as_text().as_deref() == Some(name.as_str()))
                    .map(|(_, value)| value.clone()),
                _ => None,
            })
            .collect(),
    }
}

/// Lists inside lists as one.
pub(crate) fn flattened(values: Vec<V>) -> Vec<V> {
    let mut flat = Vec::with_capacity(values.len());
    for value in values {
        match value.settled() {
            V::List(items) => flat.extend(flattened(items.to_vec())),
            // What is given depends on something; each of the lists may be.
            V::Either(values)
                if values
                    .iter()
                    .any(|value| matches!(value.settled(), V::List(_))) =>
            {
                flat.extend(flattened(values.to_vec()));
            }
            _ => flat.push(value),
        }
    }
    flat
}

pub(crate) fn paths_of(values: Vec<V>) -> Vec<Vec<Piece>> {
    flattened(values).iter().map(V::pieces).collect()
}

/// The verb that a method is named for: `get`, `get_with`, `get_service`.
pub(crate) fn verb_of(name: &str) -> Ustr {
    let plain = name.trim_end_matches("_with").trim_end_matches("_service");
    ustr(&plain.to_uppercase())
}

/// The verbs that a value names: `"GET"`, `MethodFilter::GET`, `"GET, POST"`.
pub(crate) fn verb_names(value: &V) -> Vec<Ustr> {
    const VERBS: &[&str] = &[
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "ANY",
    ];
    let constant = |name: &str| {
        let name = name.rsplit('.').next().unwrap_or_default().to_uppercase();
        VERBS.contains(&name.as_str()).then(|| ustr(&name))
    };
    let text = match value.settled() {
        V::Text(_) => value.settled().as_text().unwrap_or_default(),
        V::External(name) => return constant(name).into_iter().collect(),
        V::Member(member) => return constant(&member.1).into_iter().collect(),
        V::Either(values) => return values.iter().flat_map(verb_names).collect(),
        V::Called(called) => {
            // `MethodFilter::GET.or(MethodFilter::POST)`
            let mut verbs = match &called.callee {
                V::Member(member) => verb_names(&member.0),
                V::External(name) => name
                    .rsplit('.')
                    .nth(1)
                    .map(|verb| vec![ustr(&verb.to_uppercase())])
                    .unwrap_or_default(),
                _ => Vec::new(),
            };
            verbs.extend(called.args.iter().flat_map(|(_, arg)| verb_names(arg)));
            return verbs;
        }
        _ => return Vec::new(),
    };
    text.split([',', ' '])
        .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(|part| ustr(&part.to_uppercase()))
        .collect()
}
