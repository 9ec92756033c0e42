//! The words of `queries/controls.toml`.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;
use serde::Deserialize;
use ustr::{Ustr, UstrMap};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    identity: Identity,
    parameters: Parameters,
    authorization: Names,
    ownership: Names,
    denial: Denial,
    verify: Callables,
    effects: Effects,
    globals: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    names: Vec<String>,
    credentials: Vec<String>,
    callables: Vec<String>,
    plain_headers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    headers: Vec<String>,
    cookies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callables {
    callables: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Denial {
    callables: Vec<String>,
    statuses: Vec<u16>,
    constants: Vec<String>,
    redirects: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Effects {
    loads: Vec<String>,
    writes: Vec<String>,
    harmless: Vec<String>,
}

/// The words that tell a check from other code.
pub(crate) struct Words {
    identity: FxHashSet<String>,
    credentials: FxHashSet<String>,
    identity_callables: Vec<String>,
    authorization: FxHashSet<String>,
    ownership: FxHashSet<String>,
    denial_callables: FxHashSet<String>,
    denial_constants: FxHashSet<String>,
    statuses: Vec<u16>,
    redirects: Vec<String>,
    verify: FxHashSet<String>,
    loads: FxHashSet<String>,
    writes: FxHashSet<String>,
    harmless: FxHashSet<String>,
    globals: FxHashSet<String>,
    plain_headers: FxHashSet<String>,
    header_markers: FxHashSet<String>,
    cookie_markers: FxHashSet<String>,
}

/// The words that come with the tool.
pub(crate) fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        match toml::from_str::<File>(include_str!("../../../queries/controls.toml")) {
            Ok(file) => Words::new(file),
            Err(error) => {
                tracing::error!("queries/controls.toml: {error}");
                Words::new(File {
                    identity: Identity {
                        names: vec![],
                        credentials: vec![],
                        callables: vec![],
                        plain_headers: vec![],
                    },
                    parameters: Parameters {
                        headers: vec![],
                        cookies: vec![],
                    },
                    authorization: Names { names: vec![] },
                    ownership: Names { names: vec![] },
                    denial: Denial {
                        callables: vec![],
                        statuses: vec![],
                        constants: vec![],
                        redirects: vec![],
                    },
                    verify: Callables { callables: vec![] },
                    effects: Effects {
                        loads: vec![],
                        writes: vec![],
                        harmless: vec![],
                    },
                    globals: Names { names: vec![] },
                })
            }
        }
    })
}

/// A name as the words are written: lower case, without separators.
pub(crate) fn plain(name: &str) -> String {
    let name = name.trim_start_matches("x-").trim_start_matches("X-");
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// [`plain`] of an interned name, remembered.
fn plain_of(name: Ustr) -> String {
    thread_local! {
        static KNOWN: std::cell::RefCell<UstrMap<String>> = std::cell::RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if known.len() > 20_000 {
            known.clear();
        }
        known.entry(name).or_insert_with(|| plain(&name)).clone()
    })
}

impl Words {
    fn new(file: File) -> Self {
        let set = |words: Vec<String>| words.into_iter().collect::<FxHashSet<_>>();
        Self {
            identity: set(file.identity.names),
            credentials: set(file.identity.credentials),
            identity_callables: file.identity.callables,
            authorization: set(file.authorization.names),
            ownership: set(file.ownership.names),
            denial_callables: set(file.denial.callables),
            denial_constants: set(file.denial.constants),
            statuses: file.denial.statuses,
            redirects: file.denial.redirects,
            verify: set(file.verify.callables),
            loads: set(file.effects.loads),
            writes: set(file.effects.writes),
            harmless: set(file.effects.harmless),
            globals: set(file.globals.names),
            plain_headers: set(file.identity.plain_headers),
            header_markers: set(file.parameters.headers),
            cookie_markers: set(file.parameters.cookies),
        }
    }

    pub(crate) fn is_identity(&self, name: Ustr) -> bool {
        self.identity.contains(&plain_of(name))
    }

    pub(crate) fn is_credential(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        if name.contains("csrf") || name.contains("xsrf") {
            return false;
        }
        self.credentials.contains(&name)
            || name.ends_with("token")
            || name.ends_with("apikey")
            || name.ends_with("authorization")
    }

    /// Whether a header of this name can carry a credential: all but those that describe the message or the client.
    pub(crate) fn can_carry_credential(&self, name: Ustr) -> bool {
        !self.plain_headers.contains(&plain_of(name))
    }

    /// Whether a callable's name says that it gets or verifies an identity.
    pub(crate) fn is_identity_callable(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.identity_callables
            .iter()
            .any(|part| name.contains(part.as_str()))
    }

    /// Whether a library's name marks a parameter that is taken out of a header.
    pub(crate) fn marks_header(&self, name: &str) -> bool {
        self.header_markers.contains(name)
    }

    /// Whether a library's name marks a parameter that is taken out of a cookie.
    pub(crate) fn marks_cookie(&self, name: &str) -> bool {
        self.cookie_markers.contains(name)
    }

    pub(crate) fn is_authorization(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.authorization.contains(&name)
            || ["permission", "isadmin", "hasrole", "issuper", "scopes"]
                .iter()
                .any(|part| name.contains(part))
    }

    pub(crate) fn is_ownership(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.ownership.contains(&name) || name.ends_with("ownerid") || name.ends_with("tenantid")
    }

    pub(crate) fn is_denial_callable(&self, name: Ustr) -> bool {
        self.denial_callables.contains(&plain_of(name))
    }

    /// Whether the name of a constant or error refuses.
    pub(crate) fn is_denial_constant(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.denial_constants.contains(&name)
            || [
                "unauthorized",
                "unauthenticated",
                "forbidden",
                "permissiondenied",
                "accessdenied",
            ]
            .iter()
            .any(|part| name.contains(part))
    }

    pub(crate) fn is_denial_status(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    pub(crate) fn is_login_path(&self, path: &str) -> bool {
        let path = plain(path);
        self.redirects
            .iter()
            .any(|part| path.contains(part.as_str()))
    }

    pub(crate) fn verifies(&self, name: &str) -> bool {
        self.verify.contains(name)
    }

    pub(crate) fn is_load(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.loads.contains(&name)
            || ["find", "fetch", "load", "getby", "select"]
                .iter()
                .any(|part| name.starts_with(part))
            || (name.starts_with("get") && name.len() > 3)
    }

    pub(crate) fn is_write(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.writes.contains(&name)
            || [
                "delete", "update", "create", "remove", "insert", "save", "send", "publish",
            ]
            .iter()
            .any(|part| name.starts_with(part))
    }

    pub(crate) fn is_harmless(&self, name: Ustr) -> bool {
        self.harmless.contains(&plain_of(name))
    }

    /// Whether a name of no module is nothing that the languages define by themselves either.
    pub(crate) fn is_undefined(&self, name: &str) -> bool {
        !name.contains(['.', '!', '/', '@', '-']) && !self.globals.contains(name)
    }

    /// Whether an unknown guard's name says that it has to do with who calls.
    pub(crate) fn sounds_like_guard(&self, name: &str) -> bool {
        let name = plain(name);
        if ["attach", "populate", "optional", "maybe", "load", "init"]
            .iter()
            .any(|part| name.starts_with(part))
        {
            return false;
        }
        [
            "auth",
            "login",
            "jwt",
            "token",
            "permission",
            "role",
            "protect",
            "guard",
            "session",
            "require",
            "admin",
            "access",
            "acl",
            "policy",
            "verify",
            "user",
            "identity",
            "apikey",
            "secur",
            "credential",
            "signedin",
        ]
        .iter()
        .any(|part| name.contains(part))
    }
}
