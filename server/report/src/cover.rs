//! What is said of an entry point everywhere: its name, its place, its title, how sure it is.

use gatewatch_drift::EntryName;
use gatewatch_model::{
    Auth, Control, Coverage, Effect, EntryPoint, Handler, Site, Strength, class_site, function_site,
};
use gatewatch_source::{Db, SourceFile};

/// How an entry point was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confidence {
    /// Everything was followed to its definition.
    Proved,
    /// The entry point is certain; the strength of something in front of it is not.
    Resolved,
    /// Something on the way could not be resolved.
    Guessed,
}

impl Confidence {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Resolved => "resolved",
            Self::Guessed => "guessed",
        }
    }
}

/// How sure an entry point and its controls are.
pub fn confidence(coverage: &Coverage) -> Confidence {
    let entry = &coverage.entry_point;
    if entry.uncertain || matches!(entry.handler, Handler::Unknown(_)) {
        return Confidence::Guessed;
    }
    let unsure = coverage.auth == Auth::Unknown
        || coverage.why_unknown.is_some()
        || coverage
            .controls
            .iter()
            .any(|control| control.strength == Strength::Unknown);
    if unsure {
        Confidence::Resolved
    } else {
        Confidence::Proved
    }
}

/// What people call an entry point.
pub fn entry_name(entry: &EntryPoint) -> EntryName {
    EntryName {
        kind: entry.kind.to_owned(),
        method: entry.method.to_string(),
        path: entry.path.to_string(),
    }
}

/// Where an entry point's handler is defined; where it is registered if that can't be told.
pub fn handler_site(db: &dyn Db, entry: &EntryPoint) -> Site {
    match &entry.handler {
        Handler::Function(file, id) => function_site(db, *file, *id),
        Handler::Class(file, id) => class_site(db, *file, *id),
        Handler::Unknown(_) => None,
    }
    .unwrap_or(entry.site)
}

/// The file in which the handler stands.
pub(crate) fn handler_file(entry: &EntryPoint) -> SourceFile {
    match entry.handler {
        Handler::Function(file, _) | Handler::Class(file, _) => file,
        Handler::Unknown(_) => entry.site.0,
    }
}

/// The handler's whole name: the module, as its language writes it, and the name in it.
pub(crate) fn handler_name(db: &dyn Db, entry: &EntryPoint) -> String {
    let (file, id) = match entry.handler {
        Handler::Function(file, id) | Handler::Class(file, id) => (file, id),
        Handler::Unknown(name) => return name.to_string(),
    };
    let path = file.path(db);
    let stem = path
        .as_str()
        .strip_suffix(path.extension())
        .map_or(path.as_str(), |stem| stem.trim_end_matches('.'));
    let joint = if path.extension() == "rs" { "::" } else { "." };
    let module = stem.strip_suffix("/__init__").unwrap_or(stem);
    format!("{}{joint}{id}", module.replace('/', joint))
}

/// A control with what it demands: `require_role(admin)`.
pub(crate) fn control_name(control: &Control) -> String {
    if control.demands.is_empty() {
        return control.name.to_string();
    }
    let demands: Vec<&str> = control.demands.iter().map(ustr::Ustr::as_str).collect();
    format!("{}({})", control.name, demands.join(", "))
}

/// The names of the controls of one effect, each once, in order.
pub(crate) fn names_of(coverage: &Coverage, effect: Effect) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for control in coverage.controls.iter().filter(|c| c.effect == effect) {
        let name = control_name(control);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// An entry point with its controls on one line: `GET /items/{id} · authenticated by current_user · writes`.
pub fn title(coverage: &Coverage) -> String {
    let mut parts = vec![entry_name(&coverage.entry_point).to_string()];
    let guards = names_of(coverage, Effect::Authentication);
    parts.push(match (coverage.auth, guards.is_empty()) {
        (Auth::Authenticated | Auth::Optional, false) => {
            format!("{} by {}", authenticated(coverage.auth), guards.join(", "))
        }
        (auth, _) => authenticated(auth).to_owned(),
    });
    let roles = names_of(coverage, Effect::Authorization);
    if !roles.is_empty() {
        parts.push(format!("authorised by {}", roles.join(", ")));
    }
    let owners = names_of(coverage, Effect::Ownership);
    if !owners.is_empty() {
        parts.push(format!("ownership by {}", owners.join(", ")));
    }
    if coverage.writes {
        parts.push("writes".to_owned());
    }
    parts.join(" · ")
}

/// Who can call it, in a word or two.
pub(crate) fn authenticated(auth: Auth) -> &'static str {
    match auth {
        Auth::Authenticated => "authenticated",
        Auth::Optional => "optionally authenticated",
        Auth::Public => "public",
        Auth::Unknown => "authentication unknown",
    }
}
