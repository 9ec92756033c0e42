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
    authorization: Authorization,
    ownership: Names,
    denial: Denial,
    verify: Verify,
    effects: Effects,
    globals: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    names: Vec<String>,
    credentials: Vec<String>,
    kept: Vec<String>,
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
struct Authorization {
    names: Vec<String>,
    every: Vec<String>,
    every_parts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    callables: Vec<String>,
    unverified: Vec<String>,
    off: Vec<String>,
    options: Vec<String>,
    text_methods: Vec<String>,
    loggers: Vec<String>,
    log_macros: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Denial {
    callables: Vec<String>,
    statuses: Vec<u16>,
    constants: Vec<String>,
    redirects: Vec<String>,
    answers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Effects {
    loads: Vec<String>,
    writes: Vec<String>,
    changes: Vec<String>,
    harmless: Vec<String>,
}

/// The words that tell a check from other code.
pub(crate) struct Words {
    identity: FxHashSet<String>,
    credentials: FxHashSet<String>,
    kept: Vec<String>,
    identity_callables: Vec<String>,
    authorization: FxHashSet<String>,
    every: FxHashSet<String>,
    every_parts: Vec<String>,
    ownership: FxHashSet<String>,
    denial_callables: FxHashSet<String>,
    denial_constants: FxHashSet<String>,
    statuses: Vec<u16>,
    redirects: Vec<String>,
    answers: Vec<String>,
    changes: FxHashSet<String>,
    verify: FxHashSet<String>,
    unverified: FxHashSet<String>,
    verification_off: FxHashSet<String>,
    verification_options: FxHashSet<String>,
    text_methods: FxHashSet<String>,
    loggers: FxHashSet<String>,
    log_macros: FxHashSet<String>,
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
                        kept: vec![],
                        callables: vec![],
                        plain_headers: vec![],
                    },
                    parameters: Parameters {
                        headers: vec![],
                        cookies: vec![],
                    },
                    authorization: Authorization {
                        names: vec![],
                        every: vec![],
                        every_parts: vec![],
                    },
                    ownership: Names { names: vec![] },
                    denial: Denial {
                        callables: vec![],
                        statuses: vec![],
                        constants: vec![],
                        redirects: vec![],
                        answers: vec![],
                    },
                    verify: Verify {
                        callables: vec![],
                        unverified: vec![],
                        off: vec![],
                        options: vec![],
                        text_methods: vec![],
                        loggers: vec![],
                        log_macros: vec![],
                    },
                    effects: Effects {
                        loads: vec![],
                        writes: vec![],
                        changes: vec![],
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
            kept: file.identity.kept,
            identity_callables: file.identity.callables,
            authorization: set(file.authorization.names),
            every: set(file.authorization.every),
            every_parts: file.authorization.every_parts,
            ownership: set(file.ownership.names),
            denial_callables: set(file.denial.callables),
            denial_constants: set(file.denial.constants),
            statuses: file.denial.statuses,
            redirects: file.denial.redirects,
            answers: file.denial.answers,
            changes: file.effects.changes.into_iter().collect(),
            verify: set(file.verify.callables),
            unverified: set(file.verify.unverified),
            verification_off: set(file.verify.off),
            verification_options: set(file.verify.options),
            text_methods: set(file.verify.text_methods),
            loggers: set(file.verify.loggers),
            log_macros: set(file.verify.log_macros),
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

    /// Whether what a session or a cookie keeps under this name says who calls.
    pub(crate) fn keeps_identity(&self, name: Ustr) -> bool {
        if self.is_identity(name) || self.is_credential(name) {
            return true;
        }
        let name = plain_of(name);
        !name.contains("csrf")
            && !name.contains("state")
            && (matches!(name.as_str(), "id" | "sid")
                || self.kept.iter().any(|part| name.contains(part.as_str())))
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

    /// Whether a callable's name says that it gives somebody back, or nobody: `find_user_by_name`.
    pub(crate) fn looks_up_identity(&self, name: Ustr) -> bool {
        let looks_up = ["get", "find", "load", "fetch", "lookup"];
        let plain = plain_of(name);
        looks_up.iter().any(|verb| plain.starts_with(verb)) && self.is_identity_callable(name)
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

    /// Whether a name in a test says that all of what is demanded has to be there.
    pub(crate) fn demands_every(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.every.contains(&name) || self.every_parts.iter().any(|part| name.contains(part))
    }

    pub(crate) fn is_ownership(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        self.ownership.contains(&name) || name.ends_with("ownerid") || name.ends_with("tenantid")
    }

    /// Whether an error of a library is an answer as well when it is returned.
    pub(crate) fn is_answer(&self, name: &str) -> bool {
        self.answers.iter().any(|of| {
            name.strip_prefix(of.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
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

    /// Whether a library's callable reads a token without verifying it.
    pub(crate) fn reads_unverified(&self, name: &str) -> bool {
        self.unverified.contains(name)
    }

    /// Whether calling this tells a library not to verify.
    pub(crate) fn turns_verification_off(&self, name: Ustr) -> bool {
        self.verification_off.contains(&plain_of(name))
    }

    /// Whether an option of this name, when false, tells a library not to verify.
    pub(crate) fn is_verification_option(&self, name: Ustr) -> bool {
        self.verification_options.contains(&plain_of(name))
    }

    /// Whether a method only looks at a text or takes it apart.
    pub(crate) fn is_text_method(&self, name: Ustr) -> bool {
        self.text_methods.contains(&plain_of(name))
    }

    pub(crate) fn is_logger(&self, name: Ustr) -> bool {
        self.loggers.contains(&plain_of(name))
    }

    /// Whether a macro only writes what it is given.
    pub(crate) fn is_log_macro(&self, name: Ustr) -> bool {
        name.ends_with('!') && self.log_macros.contains(&plain_of(name))
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

    /// Whether a method takes something out of a container.
    pub(crate) fn is_change(&self, name: Ustr) -> bool {
        self.changes.contains(name.as_str())
    }

    /// Whether a method makes something new, which asks nothing of what is there.
    pub(crate) fn makes_new(&self, name: Ustr) -> bool {
        let name = plain_of(name);
        [
            "create", "insert", "add", "save", "store", "push", "append", "send", "publish",
            "enqueue", "bulk", "upsert",
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
