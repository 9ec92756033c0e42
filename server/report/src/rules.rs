//! What is published about the codes: a title and a sentence each, for tools that list rules.

use gatewatch_drift::Code;

/// A code as a title: `Authentication removed`.
pub fn title_of(code: Code) -> String {
    let words = code.name().replace('-', " ");
    let mut chars = words.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// When a code is said, as a sentence.
pub fn describe(code: Code) -> &'static str {
    match code {
        Code::PublicEntryPointAdded => {
            "A new entry point can be called by anybody: nothing in front of it authenticates."
        }
        Code::EntryPointWidened => {
            "An entry point accepts more than before: more methods, or a wider path."
        }
        Code::PublicMarkerAdded => {
            "A list of public paths, an exemption or a public marker grew, so that authentication is skipped in more cases."
        }
        Code::AuthenticationRemoved => {
            "An entry point no longer finds out who calls it, as it did at the branch point."
        }
        Code::AuthenticationWeakened => {
            "Authentication still stands in front of an entry point, but it lets callers pass that it denied before."
        }
        Code::AuthorizationRemoved => {
            "An entry point lost the check of a role, scope, permission or policy."
        }
        Code::AuthorizationWeakened => {
            "A check of a role, scope or permission now lets more callers pass."
        }
        Code::OwnershipCheckRemoved => {
            "An entry point no longer asks whether an object belongs to its caller, or to the caller's tenant."
        }
        Code::AuthorizationAfterFetch => "A check now stands behind the load of what it protects.",
        Code::AuthorizationAfterWrite => {
            "A check now stands behind a write or another effect: it denies when the harm is done."
        }
        Code::GuardInert => "A guard is written but cannot run, because of its place or its order.",
        Code::GuardGutted => {
            "A guard still stands where it stood, but it no longer denies anybody."
        }
        Code::ControlScattered => {
            "A control moved from one central place to each entry point: what is added next will not have it."
        }
        Code::SiblingUnguarded => {
            "A new or changed entry point lacks the guard that the entry points beside it have."
        }
        Code::GuardBypassed => {
            "A new path leads to a protected function without the guard that stands in front of it elsewhere."
        }
        Code::ConfigurationInvalid => {
            "The configuration or a part of it can't be read; defaults are used instead."
        }
        #[allow(unreachable_patterns, reason = "codes are added elsewhere")]
        _ => "A change moved a control.",
    }
}
