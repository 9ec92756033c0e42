//! What expressions have to do with who is calling, and what calls do.

use gatewatch_syntax::facts::{ArgKind, BlockId, Expr, ExprId, Operator, ParamKind, Run, Stmt};
use ustr::{Ustr, ustr};

use super::classify::{names, texts};
use super::kind::Kind;
use super::walk::Walker;
use super::{Check, Use, effects_of};
use crate::control::{Effect, Strength};
use crate::names::{Target, module_name};

impl Walker<'_> {
    /// The kind of an expression; on the way its calls take effect.
    pub(super) fn value(&mut self, id: ExprId) -> Kind {
        self.depth += 1;
        let kind = if self.depth > 120 {
            Kind::NONE
        } else {
            self.value_of(id)
        };
        if kind.asks() && !self.effects.ambient {
            self.effects.ambient = self.is_ambient(id);
        }
        self.depth -= 1;
        kind
    }

    /// Whether a value begins at a proxy of the framework's, which nobody hands over: `session["user"]`, `current_user`.
    fn is_ambient(&self, id: ExprId) -> bool {
        let mut at = id;
        for _ in 0..12 {
            at = match self.code.expr(at) {
                Expr::Attr { base, .. } | Expr::Index { base, .. } => base,
                Expr::Call { callee, .. } => match self.code.expr(callee) {
                    Expr::Attr { base, .. } => base,
                    _ => return false,
                },
                Expr::Binary {
                    op: Operator::In | Operator::NotIn,
                    right,
                    ..
                } => right,
                Expr::Name(name) => {
                    return !self.env.contains_key(&name)
                        && (matches!(name.as_str(), "request" | "g" | "session")
                            || self.words.is_identity(name));
                }
                _ => return false,
            };
        }
        false
    }

    fn value_of(&mut self, id: ExprId) -> Kind {
        match self.code.expr(id) {
            Expr::Name(name) => self.name_kind(name),
            Expr::Attr { base, name } => {
                // `g.agent = …`, and then `if g.agent is None`
                if let Some(path) = self.path_of(id)
                    && let Some(kind) = self.env.get(&path)
                {
                    return *kind;
                }
                let kind = self.value(base);
                self.member_kind(base, kind, name)
            }
            Expr::Index { base, index } => {
                let kind = self.value(base);
                match self.code.str_of(index).map(ustr) {
                    Some(name) => self.member_kind(base, kind, name),
                    None => {
                        let by = self.value(index);
                        // `user_db[token]`, `RANK[user.role]`
                        if by.credential {
                            kind | by | Kind::IDENTITY
                        } else if by.identity || by.header {
                            kind | by
                        } else {
                            kind
                        }
                    }
                }
            }
            Expr::Call { callee, args } => self.call(id, callee, args),
            Expr::New { callee, args } => {
                let mut kind = self.args_kind(args);
                if let Expr::Name(name) | Expr::Attr { name, .. } = self.code.expr(callee)
                    && self.words.is_denial_constant(name)
                {
                    kind.denial = true;
                }
                kind
            }
            Expr::Not(inner) | Expr::Unary(inner) | Expr::Spread(inner) | Expr::Yield(inner) => {
                self.value(inner)
            }
            Expr::Await(inner) => self.value(inner),
            Expr::Try(inner) => {
                let kind = self.value(inner);
                self.tried(inner, kind);
                kind
            }
            Expr::Binary { left, right, op } => {
                let left_kind = self.value(left);
                let right_kind = self.value(right);
                // `"user" in session`
                if matches!(op, Operator::In | Operator::NotIn)
                    && right_kind.request
                    && let Some(name) = self.code.str_of(left).map(ustr)
                    && matches!(self.carrier(right), Some("session" | "cookies" | "headers"))
                {
                    return left_kind | self.member_kind(right, right_kind, name);
                }
                left_kind | right_kind
            }
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                let kind = self.value(test);
                let either = self.value(then) | self.value(otherwise);
                Kind {
                    denial: either.denial,
                    ..kind | either
                }
            }
            Expr::List(args) | Expr::Tuple(args) | Expr::Dict(args) => self.args_kind(args),
            Expr::Template(parts) => {
                let parts: Vec<ExprId> = self.code.parts(parts).collect();
                parts
                    .into_iter()
                    .fold(Kind::NONE, |kind, part| kind | self.value(part))
            }
            Expr::Assign { target, value } => {
                let kind = self.value(value);
                self.assign(target, kind);
                kind
            }
            Expr::Bind { pattern, value } => {
                let kind = self.value(value);
                self.bind_pattern(pattern, kind);
                kind
            }
            Expr::Block(block) => self.block_value(block),
            Expr::Comprehension(block) => self.block_value(block),
            _ => Kind::NONE,
        }
    }

    pub(super) fn block_value(&mut self, block: BlockId) -> Kind {
        let code = std::sync::Arc::clone(&self.code);
        let mut kind = Kind::NONE;
        let mut stack = vec![block];
        // The values of its tails, wherever they stand.
        let mut seen = 0;
        while let Some(block) = stack.pop() {
            seen += 1;
            if seen > 64 {
                break;
            }
            for id in code.block(block) {
                match code.stmt(id) {
                    Some(Stmt::Match { subject, arms }) => {
                        let subject = self.value(subject);
                        for arm in code.arms(arms) {
                            self.bind_pattern(arm.pattern, subject);
                            stack.push(arm.body);
                        }
                        kind = kind
                            | Kind {
                                denial: false,
                                ..subject
                            };
                    }
                    Some(Stmt::If {
                        then, otherwise, ..
                    }) => {
                        stack.push(then);
                        stack.extend(otherwise);
                    }
                    Some(Stmt::Tail(value)) => {
                        if !matches!(code.expr(value), Expr::Block(_)) {
                            kind = kind
                                | Kind {
                                    denial: false,
                                    ..self.value(value)
                                };
                        } else if let Expr::Block(inner) = code.expr(value) {
                            stack.push(inner);
                        }
                    }
                    Some(Stmt::Loop {
                        target: Some(target),
                        subject: Some(subject),
                        body,
                    }) => {
                        let subject = self.value(subject);
                        self.assign(target, subject);
                        stack.push(body);
                    }
                    _ => {}
                }
            }
        }
        // Walk it as well: a `return Err(…)` in an arm is a denial.
        self.block(block, true);
        kind
    }

    fn args_kind(&mut self, args: Run) -> Kind {
        let code = std::sync::Arc::clone(&self.code);
        code.args(args).iter().fold(Kind::NONE, |kind, arg| {
            if let ArgKind::Keyed(key) = arg.kind {
                self.value(key);
            }
            kind | self.value(arg.value)
        })
    }

    fn name_kind(&self, name: Ustr) -> Kind {
        if let Some(kind) = self.env.get(&name) {
            return *kind;
        }
        match name.as_str() {
            "request" | "g" | "session" | "_request_ctx_stack" => return Kind::REQUEST,
            "self" | "this" | "cls" | "super" => return Kind::NONE,
            _ => {}
        }
        if self.words.is_denial_constant(name) {
            return Kind {
                denial: true,
                ..Kind::NONE
            };
        }
        // A proxy that a library or a module of the workspace provides: `current_user`.
        if self.words.is_identity(name) {
            return match self.lookup(name) {
                Target::External(_) | Target::Call { .. } | Target::Member(..) => Kind::IDENTITY,
                // A name of the function around this one.
                Target::Unknown if self.owner.contains('.') => Kind::IDENTITY,
                _ => Kind::NONE,
            };
        }
        Kind::NONE
    }

    fn member_kind(&mut self, base: ExprId, kind: Kind, name: Ustr) -> Kind {
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
                    Use::Guard
                        if matches!(
                            spelled.as_str(),
                            "args" | "query" | "query_params" | "searchparams" | "values"
                        ) =>
                    {
                        Kind::REQUEST
                    }
                    Use::Guard => Kind::DATA,
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
                self.effects.reads_identity = true;
                return Kind::CREDENTIAL;
            }
            if carrier == Some("headers")
                && self.used == Use::Guard
                && words.can_carry_credential(name)
                && !matches!(spelled.as_str(), "get" | "getlist" | "has" | "iter")
            {
                return self.header_kind(name);
            }
            if words.is_identity(name) && !matches!(spelled.as_str(), "session") {
                self.effects.reads_identity = true;
                return Kind::IDENTITY;
            }
            if words.is_credential(name)
                && !matches!(spelled.as_str(), "cookies" | "cookie" | "key")
            {
                self.effects.reads_identity = true;
                return Kind::CREDENTIAL;
            }
            return Kind::REQUEST;
        }
        if kind.data {
            return Kind::DATA;
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

    /// The value of a header by its name.
    fn header_kind(&mut self, name: Ustr) -> Kind {
        // A token against forged requests says nothing of who is calling.
        let plain = crate::words::plain(&name);
        if plain.contains("csrf") || plain.contains("xsrf") {
            return Kind::NONE;
        }
        if self.words.is_credential(name) || self.words.is_identity(name) {
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
                &crate::names::Seen::of_module(self.db, self.file, value),
            );
        }
        module_name(self.db, self.tree, self.file, name)
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

    /// The dotted spelling of a member, as its assignment is remembered.
    fn path_of(&self, expr: ExprId) -> Option<Ustr> {
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

    fn call(&mut self, id: ExprId, callee: ExprId, args: Run) -> Kind {
        let code = std::sync::Arc::clone(&self.code);
        let (base, name) = match code.expr(callee) {
            Expr::Attr { base, name } => (Some(base), name),
            Expr::Name(name) => (None, name),
            // `(await import("x")).f()`, immediately called functions
            Expr::Function(index) => {
                self.closure(index, Kind::NONE);
                return self.args_kind(args);
            }
            Expr::Call {
                callee: inner,
                args: inner_args,
            } => {
                // `passport.authenticate("jwt")(req, res, next)`, `require(x)(y)`
                let kind = self.call(callee, inner, inner_args);
                let given = self.args_kind(args);
                // `Checker(expected)(request)`: an instance is called.
                if let Target::Class(file, class) = self.callee_target(inner)
                    && let Some((file, method)) =
                        crate::names::method(self.db, self.tree, file, class, ustr("__call__"))
                {
                    let called = self.workspace_call(
                        id,
                        file,
                        method,
                        given | kind,
                        Kind::NONE,
                        ustr("__call__"),
                    );
                    return called | given;
                }
                // `login_required(view)(…)`, `passport.authenticate("jwt")(req, res, next)`
                let callback = self
                    .code
                    .args(inner_args)
                    .iter()
                    .any(|arg| matches!(self.code.expr(arg.value), Expr::Function(_)));
                if !callback
                    && let Some(name) = self.callee_target(inner).external_name()
                    && let Some(control) = gatewatch_frameworks::packs().control(name)
                    && control.strength.as_str() == "enforcing"
                    && !self.conditional()
                {
                    for effect in &control.effects {
                        let effect = match effect.as_str() {
                            "authentication" => Effect::Authentication,
                            "authorization" => Effect::Authorization,
                            _ => continue,
                        };
                        let (site, order) = (self.site(id), self.order());
                        self.add(Check {
                            effect,
                            strength: Strength::Enforcing,
                            site,
                            by: None,
                            demands: Vec::new(),
                            order,
                            methods: self.methods(),
                        });
                    }
                }
                return kind | given;
            }
            _ => {
                let kind = self.value(callee);
                return kind | self.args_kind(args);
            }
        };
        let base_kind = base.map(|base| self.value(base)).unwrap_or_default();
        // Arguments first: they run first. Closures are looked into with what the call knows.
        let mut arg_kind = Kind::NONE;
        let mut closures = Vec::new();
        let mut named_credential = false;
        for arg in code.args(args) {
            match code.expr(arg.value) {
                Expr::Function(index) => closures.push(index),
                _ => {
                    let kind = self.value(arg.value);
                    arg_kind = arg_kind | kind;
                }
            }
            if let Some(text) = code.str_of(arg.value) {
                named_credential |=
                    self.words.is_credential(ustr(text)) || self.words.is_identity(ustr(text));
            } else if let Expr::Attr { name, .. } | Expr::Name(name) = code.expr(arg.value) {
                // `headers.get(AUTHORIZATION)`
                named_credential |= name
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
                    && self.words.is_credential(name);
            }
        }
        // `jwt.verify(token, key, (err, claims) => …)`: the callback is told, nothing is thrown.
        let calls_back = !closures.is_empty();
        for index in closures {
            let gives = self.closure(
                index,
                Kind {
                    denial: false,
                    ..arg_kind | base_kind
                },
            );
            // `tenants.find((tenant) => tenant.token === req.get("x-token"))`
            arg_kind = arg_kind
                | Kind {
                    request: false,
                    denial: false,
                    verified: false,
                    ..gives
                };
        }
        let target = self.callee_target(callee);
        let whole = target.external_name();
        let lower = name.to_lowercase();

        // `getattr(request.state, "user", None)`
        if base.is_none()
            && name == "getattr"
            && let Some((of, text)) = code.args(args).first().zip(code.args(args).get(1))
            && let Some(text) = code.str_of(text.value).map(ustr)
        {
            let kind = self.value(of.value);
            return self.member_kind(of.value, kind, text);
        }
        // Taken out of the request by name.
        if base_kind.request && named_credential {
            self.effects.reads_identity = true;
            return Kind::CREDENTIAL;
        }
        if base_kind.request
            && matches!(
                lower.as_str(),
                "get"
                    | "header"
                    | "cookie"
                    | "get_cookie"
                    | "get_header"
                    | "get_signed"
                    | "getheader"
                    | "pop"
                    | "get_all"
            )
        {
            let carrier = base.and_then(|base| self.carrier(base));
            let by_text = code
                .args(args)
                .first()
                .and_then(|arg| match code.expr(arg.value) {
                    Expr::Str(text) => Some(ustr(code.string(text))),
                    Expr::Name(name) | Expr::Attr { name, .. } => Some(name),
                    _ => None,
                });
            let taken = match (carrier, by_text) {
                (Some("cookies" | "session"), Some(_)) => true,
                (Some("headers"), Some(name)) => {
                    self.used == Use::Guard && self.words.can_carry_credential(name)
                }
                // `req.get("x-key")`, `req.header("x-key")`, `c.req.header("x-key")`
                (None, Some(name)) => {
                    self.used == Use::Guard
                        && matches!(
                            lower.as_str(),
                            "get" | "header" | "getheader" | "get_cookie" | "cookie"
                        )
                        && matches!(base.map(|base| code.expr(base)), Some(Expr::Name(of) | Expr::Attr { name: of, .. }) if matches!(of.as_str(), "req" | "request"))
                        && self.words.can_carry_credential(name)
                }
                _ => false,
            };
            if taken {
                return match (carrier, by_text) {
                    (Some("cookies" | "session"), _) | (_, None) => {
                        self.effects.reads_identity = true;
                        Kind::CREDENTIAL
                    }
                    (_, Some(name)) => self.header_kind(name),
                };
            }
        }
        if base_kind.request && !matches!(lower.as_str(), "get" | "pop" | "getlist") {
            let member = self.member_kind(base.unwrap_or(callee), base_kind, name);
            if member.asks() {
                return member
                    | Kind {
                        request: false,
                        ..arg_kind
                    };
            }
        }
        // Errors and answers that refuse.
        if self.refusal_call(name, base_kind, args).is_some() {
            return Kind {
                denial: true,
                ..Kind {
                    request: false,
                    ..base_kind | arg_kind
                }
            };
        }
        // A library that verifies: it throws for a bad credential.
        if whole.is_some_and(|whole| self.words.verifies(&whole)) {
            self.effects.reads_identity = true;
            if self.throws_out() && !self.conditional() && !calls_back {
                let site = self.site(id);
                let order = self.order();
                // In a handler the token may be data that it was sent (a reset link); only a credential counts.
                if self.used == Use::Guard || arg_kind.credential || code.args(args).is_empty() {
                    self.add(Check {
                        effect: Effect::Authentication,
                        strength: Strength::Enforcing,
                        site,
                        by: None,
                        demands: Vec::new(),
                        order,
                        methods: self.methods(),
                    });
                }
            }
            return Kind {
                verified: true,
                ..Kind::IDENTITY
            };
        }
        if let Some(whole) = whole
            && let Some(control) = gatewatch_frameworks::packs().control(whole)
            && control.strength.as_str() == "enforcing"
            && !control.effects.is_empty()
            && matches!(lower.as_str(), "verify_jwt_in_request" | "jwt_required")
        {
            return Kind {
                verified: true,
                ..Kind::IDENTITY
            };
        }
        match target {
            Target::Function(file, function) => {
                let kind = self.workspace_call(id, file, function, arg_kind, base_kind, name);
                if kind != Kind::NONE {
                    return kind;
                }
            }
            Target::Class(..) => {
                return Kind {
                    denial: false,
                    ..arg_kind
                };
            }
            // An instance is called.
            Target::Call { callee, .. } => {
                if let Target::Class(file, class) = *callee
                    && let Some((file, method)) =
                        crate::names::method(self.db, self.tree, file, class, ustr("__call__"))
                {
                    let kind = self.workspace_call(id, file, method, arg_kind, base_kind, name);
                    if kind != Kind::NONE {
                        return kind;
                    }
                }
            }
            _ => {}
        }
        self.unknown_call(base, base_kind, arg_kind, name, code.args(args).is_empty())
    }

    /// An instance of a class of the workspace.
    fn instance(&self, file: gatewatch_source::SourceFile, class: Ustr) -> Target {
        Target::Call {
            callee: Box::new(Target::Class(file, class)),
            args: std::sync::Arc::from([]),
            scope: crate::names::Seen::of_module(
                self.db,
                self.file,
                gatewatch_frameworks::Value::Unknown,
            ),
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

    fn callee_target(&mut self, callee: ExprId) -> Target {
        match self.code.expr(callee) {
            Expr::Name(name) => {
                if let Some(&(file, class)) = self.instances.get(&name) {
                    return self.instance(file, class);
                }
                if self.env.contains_key(&name) {
                    return Target::Unknown;
                }
                // A function beside this one, or around it.
                if let Some(function) = self
                    .code
                    .functions
                    .iter()
                    .find(|function| function.name == name)
                {
                    return Target::Function(self.file, function.id);
                }
                self.lookup(name)
            }
            Expr::Attr { base, name } => match self.code.expr(base) {
                Expr::Name(of) if matches!(of.as_str(), "self" | "this" | "cls" | "Self") => self
                    .own_method(name)
                    .map_or(Target::Unknown, |(file, id)| Target::Function(file, id)),
                Expr::Name(of)
                    if self.env.contains_key(&of) && !self.instances.contains_key(&of) =>
                {
                    Target::Unknown
                }
                _ => {
                    let base = self.callee_target(base);
                    match base {
                        Target::Unknown => Target::Unknown,
                        base => crate::names::member_of(self.db, self.tree, base, name),
                    }
                }
            },
            Expr::Index { base, .. } => self.callee_target(base),
            Expr::Call { callee, .. } | Expr::New { callee, .. } => {
                match self.callee_target(callee) {
                    Target::Unknown => Target::Unknown,
                    callee => Target::Call {
                        callee: Box::new(callee),
                        args: std::sync::Arc::from([]),
                        scope: crate::names::Seen::of_module(
                            self.db,
                            self.file,
                            gatewatch_frameworks::Value::Unknown,
                        ),
                    },
                }
            }
            _ => Target::Unknown,
        }
    }

    /// A method of the class that the function stands in.
    fn own_method(&self, name: Ustr) -> Option<(gatewatch_source::SourceFile, Ustr)> {
        let (class, _) = self.owner.rsplit_once('.')?;
        crate::names::method(self.db, self.tree, self.file, ustr(class), name)
    }

    /// A function of the workspace is called: its checks are made here.
    fn workspace_call(
        &mut self,
        id: ExprId,
        file: gatewatch_source::SourceFile,
        function: Ustr,
        args: Kind,
        base: Kind,
        name: Ustr,
    ) -> Kind {
        let inner = effects_of(self.db, self.tree, file, function, Use::Guard);
        let site = self.site(id);
        if self.effects.calls.len() < 64
            && !self
                .effects
                .calls
                .iter()
                .any(|call| call.0 == file && call.1 == function)
        {
            self.effects.calls.push((file, function, site));
        }
        // A function that is only given data of the request checks that data: a login is no guard.
        let informed = args.asks()
            || args.request
            || base.asks()
            || inner.reads_identity && !args.data
            || inner.ambient;
        if informed && !inner.checks.is_empty() && !self.conditional() && self.denies_out() {
            for check in &inner.checks {
                let ownership = check.effect == Effect::Ownership;
                if !ownership
                    && self.used == Use::Handler
                    && args.data
                    && !args.asks()
                    && !args.request
                    && !inner.ambient
                {
                    continue;
                }
                let site = self.site(id);
                let order = self.order();
                self.add(Check {
                    effect: check.effect,
                    strength: check.strength,
                    site,
                    by: Some(check.by.unwrap_or((file, function))),
                    demands: check.demands.clone(),
                    order,
                    methods: self.methods(),
                });
            }
        }
        self.effects.reads_identity |= inner.reads_identity && !args.data || inner.ambient;
        self.effects.ambient |= inner.ambient;
        if inner.always_denies {
            return Kind {
                denial: true,
                ..Kind::NONE
            };
        }
        let enforcing = inner
            .checks
            .iter()
            .any(|check| check.effect == Effect::Authentication);
        if inner.loads || inner.writes {
            self.loaded |= inner.loads && !enforcing && !self.words.is_identity_callable(name);
            self.wrote |= inner.writes && !self.words.is_identity_callable(name) && !enforcing;
        }
        if informed && (inner.returns_identity || enforcing) {
            return Kind {
                verified: enforcing,
                ..Kind::IDENTITY
            };
        }
        Kind::NONE
    }

    /// A call of something that can't be looked into: its name and arguments tell.
    fn unknown_call(
        &mut self,
        base: Option<ExprId>,
        base_kind: Kind,
        args: Kind,
        name: Ustr,
        no_args: bool,
    ) -> Kind {
        let words = self.words;
        // A member of the identity or credential stays one: `token.split(" ")`, `user.has_perm("x")`.
        if base_kind.asks() {
            return Kind {
                request: false,
                denial: false,
                data: false,
                ..base_kind
            };
        }
        let getter = words.is_identity_callable(name) || words.is_identity(name);
        if getter
            && (no_args || args.request || args.credential || args.identity)
            && !base_kind.data
            && !args.data
        {
            let unresolved_local =
                base.is_none() && self.env.get(&name).is_some_and(|kind| kind.data);
            if !unresolved_local {
                self.effects.reads_identity = true;
                return Kind {
                    verified: true,
                    ..Kind::IDENTITY
                };
            }
        }
        if args.credential && !args.data {
            return Kind::IDENTITY;
        }
        if args.only_header() && !args.data {
            return Kind::HEADER;
        }
        // `STAFF.get(request.headers.get("x-staff"))`
        if args.header && self.used == Use::Guard && !args.data {
            return Kind::HEADER;
        }
        let harmless = base.is_none_or(|base| {
            names(self, base)
                .into_iter()
                .any(|name| words.is_harmless(name))
                || base_kind.request
                || base_kind.data
        });
        if !harmless {
            if words.is_write(name) {
                self.wrote = true;
                let scoped = args.identity;
                return Kind {
                    scoped,
                    loaded: true,
                    ..Kind::NONE
                };
            }
            if words.is_load(name) {
                self.loaded = true;
                return Kind {
                    scoped: args.identity,
                    loaded: true,
                    ..Kind::NONE
                };
            }
        }
        if args.identity {
            // A query that is built up: `select(Item).where(Item.owner_id == user.id)`.
            return Kind {
                scoped: !harmless || base_kind.loaded,
                identity: false,
                loaded: base_kind.loaded,
                ..Kind {
                    credential: false,
                    verified: false,
                    request: false,
                    denial: false,
                    ..args
                }
            };
        }
        Kind {
            request: base_kind.request,
            denial: false,
            loaded: base_kind.loaded,
            scoped: base_kind.scoped,
            data: args.data || base_kind.data,
            ..Kind::NONE
        }
    }

    /// A closure runs where it is handed over: its parameters carry what the call knows.
    /// Returns what an expression that is its whole body has to do with who is calling.
    fn closure(&mut self, index: u32, kind: Kind) -> Kind {
        let code = std::sync::Arc::clone(&self.code);
        let Some(function) = code.functions.get(index as usize) else {
            return Kind::NONE;
        };
        let Some(facts) = gatewatch_syntax::function(self.db, self.file, function.id) else {
            return Kind::NONE;
        };
        if self.depth > 40 {
            return Kind::NONE;
        }
        let outer_env = self.env.clone();
        for param in &function.params {
            if let Expr::Name(name) = code.expr(param.pattern)
                && param.kind == ParamKind::Plain
            {
                let kind = match name.as_str() {
                    "req" | "request" | "ctx" | "c" => Kind::REQUEST,
                    "err" | "error" | "e" if kind.asks() => kind,
                    _ if kind.asks() => Kind {
                        request: false,
                        ..kind
                    },
                    _ => Kind::NONE,
                };
                self.env.insert(name, kind);
            }
        }
        let outer_code = std::mem::replace(&mut self.code, std::sync::Arc::clone(&facts.body));
        let outer_owner = std::mem::replace(&mut self.owner, function.id);
        self.block(facts.body.root, false);
        let mut statements = facts.body.block(facts.body.root);
        let gives = match (
            statements.next().and_then(|id| facts.body.stmt(id)),
            statements.next(),
        ) {
            (Some(Stmt::Tail(value) | Stmt::Return(Some(value))), None) if !kind.asks() => {
                self.value(value)
            }
            _ => Kind::NONE,
        };
        self.code = outer_code;
        self.owner = outer_owner;
        self.env = outer_env;
        gives
    }

    /// Whether an `Option` of a result is turned inside out: nothing passes.
    fn lets_nothing_pass(&self, expr: ExprId) -> bool {
        let mut at = expr;
        for _ in 0..16 {
            match self.code.expr(at) {
                Expr::Call { callee, .. } => at = callee,
                Expr::Attr { base, name } => {
                    if matches!(
                        name.as_str(),
                        "transpose" | "unwrap_or_default" | "unwrap_or" | "ok"
                    ) {
                        return true;
                    }
                    at = base;
                }
                Expr::Await(inner) => at = inner,
                _ => return false,
            }
        }
        false
    }

    /// Rust's `?`: it leaves with an error, so what is tried is checked.
    fn tried(&mut self, inner: ExprId, kind: Kind) {
        if !kind.asks() || self.conditional() {
            return;
        }
        if kind.scoped && !self.says_refusal(inner, 0) {
            return;
        }
        // An identity that is already known can fail for other reasons (a query with its id).
        if kind.identity && !kind.credential && !kind.verified && !self.says_refusal(inner, 0) {
            return;
        }
        if self.lets_nothing_pass(inner) {
            self.optional();
            return;
        }
        self.condition_check(inner, kind, Some(inner));
    }

    /// Whether an expression names a refusal: `ok_or(Error::Unauthorized)`.
    fn says_refusal(&self, expr: ExprId, depth: u32) -> bool {
        if depth > 16 {
            return false;
        }
        match self.code.expr(expr) {
            Expr::Call { callee, args } => {
                self.says_refusal(callee, depth + 1)
                    || self.code.args(args).iter().any(|arg| match self.code.expr(arg.value) {
                        Expr::Function(index) => self
                            .code
                            .functions
                            .get(index as usize)
                            .and_then(|function| gatewatch_syntax::function(self.db, self.file, function.id))
                            .is_some_and(|facts| {
                                facts.body.exprs.iter().any(|expr| {
                                    matches!(expr, Expr::Name(name) | Expr::Attr { name, .. } if self.words.is_denial_constant(*name))
                                })
                            }),
                        _ => self.says_refusal(arg.value, depth + 1),
                    })
            }
            Expr::Attr { base, name } => self.words.is_denial_constant(name) || self.says_refusal(base, depth + 1),
            Expr::Name(name) => self.words.is_denial_constant(name),
            Expr::Await(inner) | Expr::Try(inner) => self.says_refusal(inner, depth + 1),
            Expr::Tuple(args) => self.code.args(args).iter().any(|arg| self.says_refusal(arg.value, depth + 1)),
            _ => false,
        }
    }

    // ---- refusals -----------------------------------------------------------------------------

    /// Whether an expression refuses the request, and if so, whether the function ends there.
    pub(super) fn refuses(&mut self, value: ExprId) -> Option<bool> {
        match self.code.expr(value) {
            Expr::Await(inner) | Expr::Unary(inner) | Expr::Try(inner) => self.refuses(inner),
            // A helper of the workspace that does nothing but refuse.
            Expr::Call { callee, .. } if matches!(self.callee_target(callee), Target::Function(file, id) if (file, id) != (self.file, self.owner) && effects_of(self.db, self.tree, file, id, Use::Guard).always_denies) => {
                Some(!self.is_script())
            }
            Expr::Call { callee, args } => {
                let (name, base) = match self.code.expr(callee) {
                    Expr::Attr { name, base } => (name, Some(base)),
                    Expr::Name(name) => (name, None),
                    _ => return None,
                };
                // Rust: an error under a condition on the identity is a refusal whatever it is called.
                if base.is_none() && name.as_str() == "Err" {
                    return Some(true);
                }
                let base_kind = base.and_then(|base| match self.code.expr(base) {
                    Expr::Name(name) => self.env.get(&name).copied(),
                    _ => None,
                });
                if let Some(ends) = self.refusal_call(name, base_kind.unwrap_or_default(), args) {
                    return Some(ends);
                }
                if self.redirects_to_login(callee, args) {
                    return Some(true);
                }
                // `res.status(401).json(…)`, `(StatusCode::UNAUTHORIZED, "…").into_response()`
                let mut at = base;
                let mut hops = 0;
                while let Some(expr) = at {
                    hops += 1;
                    if hops > 8 {
                        break;
                    }
                    match self.code.expr(expr) {
                        Expr::Call { callee, args } => {
                            let (name, next) = match self.code.expr(callee) {
                                Expr::Attr { name, base } => (name, Some(base)),
                                Expr::Name(name) => (name, None),
                                _ => break,
                            };
                            if self.redirects_to_login(callee, args) {
                                return Some(true);
                            }
                            if self.refusal_call(name, Kind::NONE, args).is_some()
                                || matches!(
                                    name.as_str(),
                                    "status" | "code" | "writeHead" | "sendStatus"
                                ) && self.status_arg(args)
                            {
                                return Some(false);
                            }
                            at = next;
                        }
                        Expr::Attr { name, base } => {
                            if self.words.is_denial_constant(name) {
                                return Some(true);
                            }
                            at = Some(base);
                        }
                        Expr::Tuple(args) => {
                            let denies = self
                                .code
                                .args(args)
                                .iter()
                                .any(|arg| self.denial_value(arg.value));
                            return denies.then_some(true);
                        }
                        _ => break,
                    }
                }
                None
            }
            Expr::New { callee, args } => match self.code.expr(callee) {
                Expr::Name(name) | Expr::Attr { name, .. } => (self.words.is_denial_constant(name)
                    || self.refusal_call(name, Kind::NONE, args).is_some())
                .then_some(true),
                _ => None,
            },
            // `return "no", 401`
            Expr::Tuple(args) => self
                .code
                .args(args)
                .iter()
                .any(|arg| self.denial_value(arg.value))
                .then_some(true),
            Expr::Attr { name, .. } | Expr::Name(name) => {
                self.words.is_denial_constant(name).then_some(true)
            }
            _ => None,
        }
    }

    /// `Redirect::to("/login")`
    fn redirects_to_login(&self, callee: ExprId, args: Run) -> bool {
        matches!(self.code.expr(callee), Expr::Attr { base, .. } if matches!(self.code.expr(base), Expr::Name(name) | Expr::Attr { name, .. } if name.as_str() == "Redirect"))
            && self
                .code
                .args(args)
                .iter()
                .any(|arg| self.names_login(arg.value, 0))
    }

    fn denial_value(&self, value: ExprId) -> bool {
        match self.code.expr(value) {
            Expr::Number(text) => self
                .code
                .string(text)
                .parse()
                .is_ok_and(|status| self.words.is_denial_status(status)),
            Expr::Attr { name, .. } | Expr::Name(name) => self.words.is_denial_constant(name),
            _ => false,
        }
    }

    fn status_arg(&self, args: Run) -> bool {
        self.code
            .args(args)
            .iter()
            .any(|arg| self.denial_value(arg.value))
    }

    /// Whether a call refuses by its name and arguments; `true` when the function ends there.
    fn refusal_call(&self, name: Ustr, base: Kind, args: Run) -> Option<bool> {
        let arguments = self.code.args(args);
        let by_status = arguments.iter().any(|arg| self.denial_value(arg.value));
        let lower = name.to_lowercase();
        match lower.as_str() {
            // It raises.
            "abort" => {
                return (by_status
                    || arguments.first().is_some_and(|arg| {
                        matches!(self.code.expr(arg.value), Expr::Name(_) | Expr::Attr { .. })
                    }))
                .then_some(true);
            }
            "httpexception" | "websocketexception" | "response" | "jsonresponse"
            | "htmlresponse" | "plaintextresponse" | "make_response" | "jsonify" => {
                return by_status.then_some(true);
            }
            "sendstatus" | "status" | "send_error" | "senderror" | "writehead" => {
                return by_status.then_some(false);
            }
            "redirect" | "redirectresponse" => {
                let login = arguments.iter().any(|arg| self.names_login(arg.value, 0));
                return login.then_some(
                    lower == "redirectresponse" || base == Kind::NONE && !self.is_script(),
                );
            }
            // `next(err)`, `next(new Error())`, `next(createError(401))`
            "next" if self.is_script() => {
                return arguments
                    .iter()
                    .any(|arg| !matches!(self.code.expr(arg.value), Expr::Null | Expr::Str(_)))
                    .then_some(false);
            }
            // A WebSocket that is closed before it was accepted.
            "close" => {
                return arguments
                    .iter()
                    .any(|arg| match self.code.expr(arg.value) {
                        Expr::Number(text) => matches!(
                            self.code.string(text),
                            "1008" | "4401" | "4403" | "4001" | "4003"
                        ),
                        Expr::Attr { name, .. } | Expr::Name(name) => {
                            self.words.is_denial_constant(name)
                        }
                        _ => false,
                    })
                    .then_some(false);
            }
            _ => {}
        }
        if self.words.is_denial_callable(name) || self.words.is_denial_constant(name) {
            return Some(!self.is_script());
        }
        None
    }

    fn is_script(&self) -> bool {
        matches!(
            gatewatch_syntax::language(self.db, self.file),
            Some(
                gatewatch_syntax::facts::Language::TypeScript
                    | gatewatch_syntax::facts::Language::Tsx
            )
        )
    }

    fn names_login(&self, expr: ExprId, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        match self.code.expr(expr) {
            Expr::Str(text) => self.words.is_login_path(self.code.string(text)),
            Expr::Call { args, .. } => self
                .code
                .args(args)
                .iter()
                .any(|arg| self.names_login(arg.value, depth + 1)),
            Expr::Template(parts) => self
                .code
                .parts(parts)
                .any(|part| self.names_login(part, depth + 1)),
            Expr::Binary { left, right, .. } => {
                self.names_login(left, depth + 1) || self.names_login(right, depth + 1)
            }
            Expr::Attr { name, .. } | Expr::Name(name) => self.words.is_login_path(&name),
            _ => false,
        }
    }

    /// Whether an expression lets the request go on: `next()`, `self.app(scope, …)`.
    pub(super) fn is_next(&self, value: ExprId) -> bool {
        match self.code.expr(value) {
            Expr::Await(inner) => self.is_next(inner),
            Expr::Call { callee, args } => {
                matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "next")
                    && self
                        .code
                        .args(args)
                        .iter()
                        .all(|arg| matches!(self.code.expr(arg.value), Expr::Null | Expr::Str(_)))
            }
            _ => false,
        }
    }

    /// The status that a denial names.
    pub(super) fn status_of(&self, denial: ExprId) -> Option<u16> {
        let mut stack = vec![denial];
        let mut steps = 0;
        while let Some(expr) = stack.pop() {
            steps += 1;
            if steps > 64 {
                break;
            }
            match self.code.expr(expr) {
                Expr::Number(text) => {
                    if let Ok(status) = self.code.string(text).parse::<u16>()
                        && self.words.is_denial_status(status)
                    {
                        return Some(status);
                    }
                }
                Expr::Call { callee, args } | Expr::New { callee, args } => {
                    stack.push(callee);
                    stack.extend(self.code.args(args).iter().map(|arg| arg.value));
                }
                Expr::Attr { base, .. } => stack.push(base),
                Expr::Tuple(args) => stack.extend(self.code.args(args).iter().map(|arg| arg.value)),
                Expr::Await(inner) => stack.push(inner),
                _ => {}
            }
        }
        None
    }

    /// Whether a refusal is one for too many or too large requests.
    pub(super) fn refuses_for_load(&self, denial: ExprId) -> bool {
        let number = |id: ExprId| match self.code.expr(id) {
            Expr::Number(text) => matches!(
                self.code.string(text),
                "402" | "413" | "426" | "429" | "500" | "501" | "502" | "503"
            ),
            _ => false,
        };
        let named = names(self, denial).into_iter().any(|name| {
            let name = crate::words::plain(&name);
            name.contains("toomanyrequests")
                || name.contains("ratelimit")
                || name.contains("429")
                || name.contains("toolarge")
        });
        let stated = match self.code.expr(denial) {
            Expr::Call { args, .. } | Expr::New { args, .. } | Expr::Tuple(args) => {
                self.code.args(args).iter().any(|arg| number(arg.value))
            }
            _ => false,
        };
        named || stated
    }

    /// Whether a refusal is the one for callers that aren't known: `UNAUTHORIZED`, a way to the login.
    pub(super) fn says_unauthenticated(&self, denial: ExprId) -> bool {
        self.names_login(denial, 0)
            || names(self, denial).into_iter().any(|name| {
                let name = crate::words::plain(&name);
                name.contains("unauth") || name.contains("401") || name.contains("login")
            })
            || self.status_of(denial) == Some(401)
    }

    // ---- conditions ---------------------------------------------------------------------------

    /// Whether a test holds when there is an identity (`Some(true)`), when there is none (`Some(false)`), or neither.
    pub(super) fn polarity(&self, test: ExprId) -> Option<bool> {
        match self.code.expr(test) {
            Expr::Not(inner) => self.polarity(inner).map(|present| !present),
            Expr::Await(inner) | Expr::Try(inner) | Expr::Unary(inner) => self.polarity(inner),
            // The error of a callback says that there is no identity.
            Expr::Name(name)
                if matches!(
                    name.as_str(),
                    "err" | "error" | "e" | "exc" | "failure" | "failed"
                ) =>
            {
                Some(false)
            }
            Expr::Name(_) | Expr::Attr { .. } | Expr::Index { .. } | Expr::Assign { .. } => {
                Some(true)
            }
            Expr::Bind { pattern, .. } => Some(!self.is_absent_pattern(pattern)),
            Expr::Call { callee, .. } => match self.code.expr(callee) {
                Expr::Attr { name, .. } => match name.as_str() {
                    "is_none" | "is_err" | "is_empty" | "isAnonymous" | "is_anonymous" => {
                        Some(false)
                    }
                    "is_some" | "is_ok" => Some(true),
                    _ => Some(true),
                },
                _ => Some(true),
            },
            Expr::Binary { op, left, right } => {
                let null = matches!(self.code.expr(left), Expr::Null)
                    || matches!(self.code.expr(right), Expr::Null);
                match op {
                    Operator::Eq | Operator::Is if null => Some(false),
                    Operator::Ne | Operator::IsNot if null => Some(true),
                    // `"user" in session`
                    Operator::In => Some(true),
                    Operator::NotIn => Some(false),
                    Operator::And => match (self.polarity(left), self.polarity(right)) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (a, b) => a.or(b),
                    },
                    Operator::Or => match (self.polarity(left), self.polarity(right)) {
                        (Some(false), _) => Some(false),
                        (a, _) => a,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn is_absent_pattern(&self, pattern: ExprId) -> bool {
        match self.code.expr(pattern) {
            Expr::Null => true,
            Expr::Name(name) => name.as_str() == "None",
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "Err")
            }
            _ => false,
        }
    }

    /// Whether a test asks which path, endpoint or method is called.
    pub(super) fn names_path(&self, test: ExprId) -> bool {
        names(self, test).into_iter().any(|name| {
            matches!(
                name.to_lowercase().as_str(),
                "path"
                    | "endpoint"
                    | "url"
                    | "method"
                    | "originalurl"
                    | "baseurl"
                    | "uri"
                    | "route"
                    | "pathname"
                    | "view_function"
                    | "blueprint"
                    | "url_rule"
            )
        })
    }

    /// Whether a test asks for the method alone.
    pub(super) fn names_only_method(&self, test: ExprId) -> bool {
        let names = names(self, test);
        names.iter().any(|name| name.as_str() == "method")
            && !names.iter().any(|name| {
                matches!(
                    name.to_lowercase().as_str(),
                    "path" | "endpoint" | "url" | "originalurl" | "pathname"
                )
            })
    }

    /// Whether a test asks how the application is configured: such a guard counts as configured.
    pub(super) fn names_setting(&self, test: ExprId) -> bool {
        names(self, test).into_iter().any(|name| {
            let lower = name.to_lowercase();
            lower.contains("setting")
                || lower.contains("config")
                || lower.contains("enabled")
                || lower.contains("env")
                || lower.contains("option")
                || name.len() > 2
                    && name
                        .chars()
                        .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
        })
    }

    /// The texts that a test names, those of module constants included.
    pub(super) fn texts_of(&self, test: ExprId) -> Vec<Ustr> {
        let mut found = Vec::new();
        texts(self, test, &mut found, 0);
        for name in names(self, test) {
            if self.env.contains_key(&name) {
                continue;
            }
            if let Target::List(items) = self.lookup(name) {
                for item in items {
                    if let Target::Text(text) = crate::names::follow(self.db, self.tree, &item) {
                        found.push(text);
                    }
                }
            }
        }
        found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        found.dedup();
        found
    }
}
