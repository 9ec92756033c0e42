//! What names, members and patterns stand for inside a function: parameters, locals, what they were assigned.

use super::Use;
use super::kind::Kind;
use super::walk::Walker;
use crate::names::{Target, module_name};
use gatewatch_syntax::facts::{ArgKind, Expr, ExprId, Run, Stmt};
use ustr::{Ustr, ustr};

impl Walker<'_> {
    pub(super) fn name_kind(&self, name: Ustr) -> Kind {
        if let Some(kind) = self.env.get(&name) {
            return *kind;
        }
        match name.as_str() {
            // A database has sessions as well: one that the workspace makes.
            "session" if matches!(self.lookup(name), Target::Call { .. }) => return Kind::NONE,
            "request" | "g" | "session" | "_request_ctx_stack" => return Kind::REQUEST,
            // The request of the function around this one.
            "req" if self.owner.contains('.') => return Kind::REQUEST,
            "self" | "this" | "cls" | "super" => return Kind::NONE,
            _ => {}
        }
        if self.words.is_denial_constant(name) {
            return Kind {
                denial: true,
                ..Kind::NONE
            };
        }
        // A proxy that a library or a module of the workspace provides: `current_user`. `User` is a class.
        if self.words.is_identity(name) && !name.starts_with(char::is_uppercase) {
            return match self.lookup(name) {
                Target::External(_) | Target::Call { .. } | Target::Member(..) => Kind::IDENTITY,
                // A name of the function around this one.
                Target::Unknown if self.is_bound_around(name) => Kind::IDENTITY,
                _ => Kind::NONE,
            };
        }
        if self.is_broken_off(name) {
            return Kind::UNMADE;
        }
        Kind::NONE
    }

    /// What a member of a library's module is that stands for the request or its caller: `flask.session`,
    /// `flask_login.current_user`.
    pub(super) fn proxy(&self, base: ExprId, name: Ustr) -> Option<Kind> {
        let Expr::Name(module) = self.code.expr(base) else {
            return None;
        };
        if !self.is_python()
            || self.env.contains_key(&module)
            || !matches!(self.lookup(module), Target::External(_))
        {
            return None;
        }
        match (module.as_str(), name.as_str()) {
            ("flask" | "quart", "request" | "g" | "session") => Some(Kind::REQUEST),
            _ if self.words.is_identity(name)
                && !matches!(name.as_str(), "session" | "auth" | "user" | "account")
                && !name.starts_with(char::is_uppercase) =>
            {
                Some(Kind::IDENTITY)
            }
            _ => None,
        }
    }

    /// Whether a function around this one binds a name.
    pub(super) fn is_bound_around(&self, name: Ustr) -> bool {
        let mut inner = self.owner;
        for _ in 0..8 {
            let Some(home) = gatewatch_syntax::function_home(self.db, self.file, inner) else {
                return false;
            };
            let Some(parent) = home.parent else {
                return false;
            };
            let takes = gatewatch_frameworks::signature(self.db, self.file, parent).is_some_and(
                |signature| {
                    signature
                        .params
                        .iter()
                        .any(|param| param.name == name || param.binds.contains(&name))
                },
            );
            if takes || gatewatch_syntax::binds(&home.home, name) {
                return true;
            }
            inner = parent;
        }
        false
    }

    /// Whether a name is nothing here because the line before its assignment ends with a dot: what was to be a name became
    /// a member.
    fn is_broken_off(&self, name: Ustr) -> bool {
        let target =
            |at: ExprId| matches!(self.code.expr(at), Expr::Attr { name: own, .. } if own == name);
        self.is_python()
            && (self
                .code
                .exprs
                .iter()
                .any(|expr| matches!(expr, Expr::Assign { target: at, .. } if target(*at)))
                || self
                    .code
                    .stmts
                    .iter()
                    .any(|stmt| matches!(stmt, Stmt::Let { target: at, .. } if target(*at))))
            && matches!(self.lookup(name), Target::Unknown)
    }

    /// Whether a function is called with fewer arguments than it needs.
    pub(super) fn lacks_arguments(
        &self,
        file: gatewatch_source::SourceFile,
        function: Ustr,
        args: Run,
    ) -> bool {
        use gatewatch_syntax::facts::ParamKind;
        let given = self.code.args(args);
        let spread = given
            .iter()
            .any(|arg| matches!(arg.kind, ArgKind::Spread | ArgKind::SpreadMap));
        let method = function.contains('.');
        if !self.is_python() || spread || method {
            return false;
        }
        gatewatch_frameworks::signature(self.db, file, function).is_some_and(|signature| {
            let needed = signature
                .params
                .iter()
                .filter(|param| param.default.is_none() && param.kind == ParamKind::Plain)
                .count();
            signature.decorators.is_empty() && given.len() < needed
        })
    }

    pub(super) fn member_kind(&mut self, base: ExprId, kind: Kind, name: Ustr) -> Kind {
        if kind.identity || kind.credential || kind.scoped {
            return Kind {
                request: false,
                data: false,
                ..kind
            };
        }
        if kind.header {
            return kind;
        }
        let words = self.words;
        let spelled = name.to_lowercase();
        if kind.request {
            // What the caller sends as content is no identity, whatever its name.
            if matches!(
                spelled.as_str(),
                "body"
                    | "params"
                    | "json"
                    | "form"
                    | "files"
                    | "path_params"
                    | "get_json"
                    | "get_data"
                    | "match_info"
                    | "view_args"
                    | "values"
                    | "args"
                    | "query"
                    | "query_params"
                    | "searchparams"
            ) {
                return match self.used {
                    Use::Handler => Kind::DATA,
                    // A guard may find its token in the query, never in the body.
                    Use::Guard | Use::Injected
                        if matches!(
                            spelled.as_str(),
                            "args" | "query" | "query_params" | "searchparams" | "values"
                        ) =>
                    {
                        Kind::REQUEST
                    }
                    Use::Guard | Use::Injected => Kind::DATA,
                };
            }
            let carrier = self.carrier(base);
            if matches!(carrier, Some("cookies" | "session"))
                && !matches!(
                    spelled.as_str(),
                    "get"
                        | "pop"
                        | "save"
                        | "destroy"
                        | "clear"
                        | "delete"
                        | "set"
                        | "id"
                        | "regenerate"
                        | "modified"
                        | "permanent"
                )
            {
                return Kind {
                    verified: self.is_servers(base),
                    ..self.kept_kind(name)
                };
            }
            if carrier == Some("headers")
                && self.used != Use::Handler
                && words.can_carry_credential(name)
                && !matches!(spelled.as_str(), "get" | "getlist" | "has" | "iter")
            {
                return self.header_kind(name);
            }
            // Anybody can write `?admin=1`.
            if words.is_identity(name)
                && !matches!(spelled.as_str(), "session")
                && !self.is_query(base)
            {
                self.effects.reads_identity = true;
                return Kind::IDENTITY;
            }
            if words.is_credential(name)
                && !matches!(spelled.as_str(), "cookies" | "cookie" | "key")
            {
                self.effects.reads_identity = true;
                return Kind::CREDENTIAL;
            }
            // Another hook found out who calls, and keeps it for this one.
            if matches!(self.code.expr(base), Expr::Name(of) if of.as_str() == "g")
                && super::context::kept(self.db, self.file).contains(&name)
            {
                self.effects.ambient = true;
                return Kind::HEADER;
            }
            return Kind::REQUEST;
        }
        if kind.data {
            return Kind::DATA;
        }
        // `self.role != role` in a method of the type that a handler's parameter is.
        if self.is_own_right(base, name) {
            return Kind::IDENTITY;
        }
        // `self.current_user`, `this.user`, `res.locals.user`, `g.user`
        if let Expr::Name(of) = self.code.expr(base)
            && matches!(of.as_str(), "self" | "this" | "g" | "locals" | "cls")
            && words.is_identity(name)
            && !matches!(
                spelled.as_str(),
                "session" | "user_id" | "admin" | "account" | "member"
            )
        {
            self.effects.reads_identity = true;
            return Kind::IDENTITY;
        }
        if let Expr::Attr { name: of, .. } = self.code.expr(base)
            && matches!(of.as_str(), "locals" | "var")
            && words.is_identity(name)
        {
            return Kind::IDENTITY;
        }
        if words.is_denial_constant(name) {
            return Kind {
                denial: true,
                ..kind
            };
        }
        kind
    }

    /// What a session or cookies keep under a name: who calls, or something else (a basket, a state of a login that is
    /// under way), which is a credential only where its lack is answered with a 401.
    pub(super) fn kept_kind(&mut self, name: Ustr) -> Kind {
        if self.words.keeps_identity(name) {
            self.effects.reads_identity = true;
            Kind::CREDENTIAL
        } else {
            self.header_kind(name)
        }
    }

    /// The value of a header by its name.
    pub(super) fn header_kind(&mut self, name: Ustr) -> Kind {
        // A token against forged requests says nothing of who is calling.
        let plain = crate::words::plain(&name);
        if plain.contains("csrf") || plain.contains("xsrf") {
            return Kind::NONE;
        }
        let named = self.words.is_credential(name) || self.words.is_identity(name);
        let secret = ["key", "secret", "signature"]
            .iter()
            .any(|part| plain.ends_with(part));
        if named || secret && self.words.can_carry_credential(name) {
            self.effects.reads_identity = true;
            Kind::CREDENTIAL
        } else {
            Kind::HEADER
        }
    }

    /// What a name means here: imports inside the function come first.
    pub(super) fn lookup(&self, name: Ustr) -> Target {
        use gatewatch_frameworks::{ImportRef, Value};
        let import = self.code.imports.iter().find(|import| import.local == name);
        if let Some(import) = import {
            let of = match import.what {
                gatewatch_syntax::facts::Imported::Name(name) => Some(name),
                _ => None,
            };
            let value = Value::Import(ImportRef {
                module: import.module,
                name: of,
            });
            return crate::names::follow(
                self.db,
                self.tree,
                &crate::names::Seen::alone(self.file, value),
            );
        }
        module_name(self.db, self.tree, self.file, name)
    }

    /// Whether an expression is the request's query.
    pub(super) fn is_query(&self, expr: ExprId) -> bool {
        match self.code.expr(expr) {
            Expr::Attr { name, .. } => matches!(
                name.to_lowercase().as_str(),
                "args" | "query" | "query_params" | "searchparams" | "values"
            ),
            _ => false,
        }
    }

    /// Which part of the request an expression is, by its last names: its headers, cookies or session.
    pub(super) fn carrier(&self, base: ExprId) -> Option<&'static str> {
        let mut at = base;
        for _ in 0..6 {
            let name = match self.code.expr(at) {
                Expr::Attr { name, .. } | Expr::Name(name) => name,
                Expr::Call { callee, .. } => {
                    at = callee;
                    continue;
                }
                _ => return None,
            };
            return match name.to_lowercase().as_str() {
                "headers" | "header_map" | "headermap" => Some("headers"),
                "cookies" | "signedcookies" | "jar" | "cookie_jar" => Some("cookies"),
                "session" => Some("session"),
                _ => None,
            };
        }
        None
    }

    /// Whether nobody but the server can have written what this holds: a session, signed cookies. Other cookies anybody
    /// writes.
    pub(super) fn is_servers(&self, base: ExprId) -> bool {
        self.carrier(base) == Some("session")
            || matches!(self.code.expr(base), Expr::Attr { name, .. } if matches!(name.as_str(), "signedCookies" | "signed_cookies"))
    }

    /// The dotted spelling of a member, as its assignment is remembered.
    pub(super) fn path_of(&self, expr: ExprId) -> Option<Ustr> {
        let mut parts = Vec::new();
        let mut at = expr;
        for _ in 0..6 {
            match self.code.expr(at) {
                Expr::Attr { base, name } => {
                    parts.push(name);
                    at = base;
                }
                Expr::Name(name) if !parts.is_empty() => {
                    let mut path = name.to_string();
                    for part in parts.iter().rev() {
                        path.push('.');
                        path.push_str(part);
                    }
                    return Some(ustr(&path));
                }
                _ => return None,
            }
        }
        None
    }

    // ---- assignments --------------------------------------------------------------------------

    pub(super) fn assign(&mut self, target: ExprId, kind: Kind) {
        match self.code.expr(target) {
            Expr::Name(name) => {
                let mut kind = kind;
                // Something loaded with a credential or by the identity and called user is the identity.
                if kind.scoped && self.words.is_identity(name) {
                    kind = Kind {
                        scoped: false,
                        identity: true,
                        ..kind
                    };
                }
                self.env.insert(name, kind);
            }
            Expr::Tuple(args) | Expr::List(args) | Expr::Dict(args) => {
                let code = std::sync::Arc::clone(&self.code);
                for arg in code.args(args) {
                    let mut kind = kind;
                    // `const { authorization } = req.headers`
                    if kind.request {
                        let name = match (arg.kind, code.expr(arg.value)) {
                            (ArgKind::Named(name), _) | (_, Expr::Name(name)) => Some(name),
                            _ => None,
                        };
                        if let Some(name) = name {
                            kind = self.member_kind(target, kind, name);
                        }
                    }
                    self.assign(arg.value, kind);
                }
            }
            Expr::Attr { .. } => {
                if let Some(path) = self.path_of(target)
                    && kind.asks()
                {
                    let root = path.split('.').next().map(ustr).unwrap_or(path);
                    self.effects.populates |= self.name_kind(root).request || root == "res";
                    self.env.insert(path, kind);
                }
            }
            Expr::Assign { target, .. } => self.assign(target, kind),
            Expr::Call { .. } => self.bind_pattern(target, kind),
            _ => {}
        }
    }

    pub(super) fn bind_pattern(&mut self, pattern: ExprId, kind: Kind) {
        match self.code.expr(pattern) {
            Expr::Name(name) if !name.chars().next().is_some_and(char::is_uppercase) => {
                self.assign(pattern, kind);
            }
            Expr::Call { args, .. }
            | Expr::New { args, .. }
            | Expr::Tuple(args)
            | Expr::List(args)
            | Expr::Dict(args) => {
                let code = std::sync::Arc::clone(&self.code);
                for arg in code.args(args) {
                    self.bind_pattern(arg.value, kind);
                }
            }
            Expr::Binary { left, right, .. } => {
                self.bind_pattern(left, kind);
                self.bind_pattern(right, kind);
            }
            Expr::Unary(inner) | Expr::Spread(inner) => self.bind_pattern(inner, kind),
            _ => {}
        }
    }

    // ---- calls --------------------------------------------------------------------------------

    /// An instance of a class of the workspace.
    pub(super) fn instance(&self, file: gatewatch_source::SourceFile, class: Ustr) -> Target {
        Target::Call {
            callee: Box::new(Target::Class(file, class)),
            args: std::sync::Arc::from([]),
            scope: crate::names::Seen::alone(self.file, gatewatch_frameworks::Value::Unknown),
        }
    }

    /// Remembers that a name holds an instance: `checker = Checker(key)`.
    pub(super) fn assign_instance(&mut self, target: ExprId, value: ExprId) {
        let Expr::Name(name) = self.code.expr(target) else {
            return;
        };
        let mut value = value;
        while let Expr::Await(inner) = self.code.expr(value) {
            value = inner;
        }
        self.instances.remove(&name);
        if let Expr::Call { callee, .. } | Expr::New { callee, .. } = self.code.expr(value)
            && let Target::Class(file, class) = self.callee_target(callee)
        {
            self.instances.insert(name, (file, class));
        }
    }
}
