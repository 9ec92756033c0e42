//! Calls inside a function: to the workspace's own code, whose effects join the caller's, and to libraries, by what packs and words say.

use super::kind::Kind;
use super::path::Sure;
use super::walk::{Around, Walker};
use super::{Check, Exemption, Reach, Use};
use crate::control::{Effect, Strength};
use crate::names::Target;
use gatewatch_frameworks::At;
use gatewatch_syntax::facts::{ArgKind, Expr, ExprId, ParamKind, Run, Stmt};
use ustr::{Ustr, ustr};

impl Walker<'_> {
    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, args: Run) -> Kind {
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
                let callback = self.callback(callee, inner_args);
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
                            library: None,
                            demands: Vec::new(),
                            every: false,
                            order,
                            need: None,
                            when: None,
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
        // `.catch(() => next())`: what was refused goes on.
        let swallows = name == "catch" && self.goes_on_after(args);
        if swallows {
            self.around.push(Around {
                swallows_denials: true,
                swallows_errors: true,
            });
        }
        let base_kind = base.map(|base| self.value(base)).unwrap_or_default();
        if swallows {
            self.around.pop();
        }
        // Arguments first: they run first. Closures are looked into with what the call knows.
        let mut arg_kind = Kind::NONE;
        let mut closures = Vec::new();
        let mut named_credential = false;
        for arg in code.args(args) {
            match code.expr(arg.value) {
                Expr::Function(index) => closures.push(index),
                _ => {
                    let kind = self.value(arg.value);
                    arg_kind = arg_kind | self.entry_kind(arg, kind);
                }
            }
            if let Some(text) = code.str_of(arg.value) {
                // Who calls stands in no query; a token may.
                named_credential |= self.words.is_credential(ustr(text))
                    || self.words.is_identity(ustr(text))
                        && !base.is_some_and(|base| self.is_query(base));
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
            let mut told = Kind {
                denial: false,
                ..arg_kind | base_kind
            };
            if self.authenticates(callee) {
                told = Kind {
                    verified: true,
                    ..Kind::IDENTITY
                };
            }
            let asked = self.asked;
            // `verify(token).then((user) => next())`
            if name == "then" && told.identity && told.verified {
                self.asked.identity = Sure::Yes;
            }
            let gives = self.closure(index, told);
            if name == "then" {
                self.asked = asked;
            }
            // `tenants.find((tenant) => tenant.token === req.get("x-token"))`
            arg_kind = arg_kind
                | Kind {
                    request: false,
                    denial: false,
                    verified: false,
                    ..gives
                };
        }
        if self.goes_on_to(callee, args) {
            self.effects.goes_on |= base.is_none() && matches!(name.as_str(), "next" | "_next");
            self.lets_pass();
        }
        let target = self.callee_target(callee);
        let whole = target.external_name();
        // `token()`: whatever that is going to be.
        if base.is_none() && self.env.get(&name).is_some_and(|kind| kind.credential) {
            self.doubts.credential_used();
        }
        if arg_kind.credential || arg_kind.header {
            self.doubt_call(name, base, whole);
        }
        if self.words.turns_verification_off(name) || self.unverified_args(args) {
            self.doubts.unverified();
        }
        // `decode(token).map(…).unwrap_or(guest)`
        if self.is_rust()
            && base_kind.identity
            && matches!(
                name.as_str(),
                "unwrap_or" | "unwrap_or_else" | "unwrap_or_default"
            )
        {
            self.doubts.defaulted();
        }
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
            return Kind {
                verified: base.is_some_and(|base| self.is_servers(base)),
                ..Kind::CREDENTIAL
            };
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
                    | "contains_key"
            )
        {
            let carrier = base.and_then(|base| self.carrier(base));
            let by_text = code
                .args(args)
                .first()
                .and_then(|arg| match code.expr(arg.value) {
                    Expr::Str(text) => Some(ustr(code.string(text))),
                    // `const USER_KEY: &str = "user_id"`
                    Expr::Name(name) | Expr::Attr { name, .. } => match self.constant(arg.value) {
                        Target::Text(text) => Some(text),
                        _ => Some(name),
                    },
                    _ => None,
                });
            let taken = match (carrier, by_text) {
                (Some("cookies" | "session"), Some(_)) => true,
                (Some("headers"), Some(name)) => {
                    self.used != Use::Handler && self.words.can_carry_credential(name)
                }
                // `req.get("x-key")`, `req.header("x-key")`, `c.req.header("x-key")`
                (None, Some(name)) => {
                    self.used != Use::Handler
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
                    (_, None) => {
                        self.effects.reads_identity = true;
                        Kind {
                            verified: base.is_some_and(|base| self.is_servers(base)),
                            ..Kind::CREDENTIAL
                        }
                    }
                    (Some("cookies" | "session"), Some(name)) => Kind {
                        verified: base.is_some_and(|base| self.is_servers(base)),
                        ..self.kept_kind(name)
                    },
                    (_, Some(name)) => self.header_kind(name),
                };
            }
        }
        if base_kind.request && !matches!(lower.as_str(), "get" | "pop" | "getlist") {
            let member = self.member_kind(base.unwrap_or(callee), base_kind, name);
            // `request.get_json()`
            if member == Kind::DATA {
                return Kind::DATA;
            }
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
        if arg_kind.credential && self.reads_unverified(whole) {
            return Kind::CREDENTIAL;
        }
        // A library that verifies: it throws for a bad credential.
        if whole.is_some_and(|whole| self.words.verifies(&whole)) {
            self.effects.reads_identity = true;
            let optional = whole.is_some_and(|whole| self.turned_optional(whole, args));
            if optional {
                self.optional();
            }
            if self.throws_out() && !self.conditional() && !calls_back {
                let site = self.site(id);
                let order = self.order();
                // In a handler the token may be data that it was sent (a reset link); only a credential counts.
                let options = |arg: &gatewatch_syntax::facts::Arg| {
                    match code.expr(arg.value) {
                        Expr::Bool(_) | Expr::Null => matches!(arg.kind, ArgKind::Named(_)),
                        // A name that nothing defines: an option that is being written.
                        Expr::Name(name) => {
                            !self.env.contains_key(&name)
                                && self.words.is_undefined(&name)
                                && matches!(self.lookup(name), Target::Unknown)
                        }
                        _ => false,
                    }
                };
                if self.used != Use::Handler
                    || arg_kind.credential
                    || code.args(args).iter().all(options)
                {
                    self.add(Check {
                        effect: Effect::Authentication,
                        strength: if optional {
                            Strength::Optional
                        } else {
                            Strength::Enforcing
                        },
                        site,
                        by: None,
                        library: whole.map(super::Library::named),
                        demands: Vec::new(),
                        every: false,
                        order,
                        need: None,
                        when: None,
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
                // Nothing passes a call that can't be made: it is being written.
                if self.lacks_arguments(file, function, args) {
                    return Kind::UNMADE;
                }
            }
            Target::Class(..) => {
                return Kind {
                    denial: false,
                    owned: false,
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
        self.unknown_call(
            id,
            base,
            base_kind,
            arg_kind,
            name,
            code.args(args).is_empty(),
        )
    }

    /// Whether a callee is a library's authentication.
    fn authenticates(&mut self, callee: ExprId) -> bool {
        self.callee_target(callee)
            .external_name()
            .and_then(|name| gatewatch_frameworks::packs().control(name))
            .is_some_and(|control| control.effects.iter().any(|e| e == "authentication"))
    }

    /// Whether a callback lets the request go on whatever it is told.
    fn goes_on_after(&self, args: Run) -> bool {
        let Some(Expr::Function(index)) = self
            .code
            .args(args)
            .first()
            .map(|arg| self.code.expr(arg.value))
        else {
            return false;
        };
        let facts = self
            .code
            .functions
            .get(index as usize)
            .and_then(|function| gatewatch_syntax::function(self.db, self.file, function.id));
        facts.is_some_and(|facts| {
            let body = &facts.body;
            body.exprs.iter().any(|expr| {
                matches!(expr, Expr::Call { callee, args }
                    if body.args(*args).is_empty()
                        && matches!(body.expr(*callee), Expr::Name(name) if name.as_str() == "next"))
            })
        })
    }

    /// Whether what a library found out is given to a function of the workspace, which then decides: it is looked into.
    fn callback(&mut self, id: ExprId, args: Run) -> bool {
        let code = std::sync::Arc::clone(&self.code);
        let mut any = false;
        for arg in code.args(args) {
            match code.expr(arg.value) {
                Expr::Function(_) => any = true,
                // `verify(req, resolve, reject)` makes it.
                Expr::Call { callee, .. } => {
                    if let Target::Function(file, maker) = self.callee_target(callee)
                        && let Some(made) = super::made_by(self.db, file, maker)
                    {
                        any = true;
                        let told = Kind {
                            verified: true,
                            ..Kind::IDENTITY
                        };
                        self.workspace_call(id, file, made, told, Kind::NONE, made);
                    }
                }
                _ => {}
            }
        }
        any
    }

    /// Whether an argument tells a library that callers without a credential may pass: `verify_jwt_in_request(optional=True)`.
    fn turned_optional(&self, whole: Ustr, args: Run) -> bool {
        let Some(when) = gatewatch_frameworks::packs()
            .control(whole)
            .and_then(|control| control.optional_when.as_ref())
        else {
            return false;
        };
        let given = self.code.args(args);
        let said = |value: ExprId| match self.code.expr(value) {
            Expr::Bool(value) => when.is.as_str() == if value { "true" } else { "false" },
            _ => false,
        };
        when.at.alternatives.iter().any(|at| match at {
            At::Named(name) => given
                .iter()
                .any(|arg| arg.kind == ArgKind::Named(*name) && said(arg.value)),
            At::Position(index) => given
                .iter()
                .filter(|arg| arg.kind == ArgKind::Positional)
                .nth(*index)
                .is_some_and(|arg| said(arg.value)),
            _ => false,
        })
    }

    pub(super) fn callee_target(&mut self, callee: ExprId) -> Target {
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
                Expr::Name(of) if matches!(of.as_str(), "self" | "this" | "cls" | "Self") => {
                    match self.own_method(name) {
                        Some((file, id)) => Target::Function(file, id),
                        // `this.auth` of `this.auth = new Auth()`
                        None => self
                            .own_field(name)
                            .map_or(Target::Unknown, |(file, class)| self.instance(file, class)),
                    }
                }
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
                        scope: crate::names::Seen::alone(
                            self.file,
                            gatewatch_frameworks::Value::Unknown,
                        ),
                    },
                }
            }
            _ => Target::Unknown,
        }
    }

    /// A function of the workspace is called: its checks are made here.
    pub(super) fn workspace_call(
        &mut self,
        id: ExprId,
        file: gatewatch_source::SourceFile,
        function: Ustr,
        args: Kind,
        base: Kind,
        name: Ustr,
    ) -> Kind {
        let inner = super::called::called(self.db, self.tree, file, function);
        let site = self.site(id);
        let given = self.given(id, (file, function));
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
        let reads = inner.reads_identity && !args.data && !self.leaves_out(id, (file, function));
        let informed = args.asks() || args.request || base.asks() || reads || inner.ambient;
        if informed && !self.denies_out() {
            // They deny, and it goes no further than the handler of exceptions around.
            let order = self.order();
            let swallowed = inner.checks.iter().map(|check| Check {
                strength: Strength::Advisory,
                site,
                by: Some(check.by.unwrap_or((file, function))),
                order,
                when: None,
                ..check.clone()
            });
            self.effects.inert.extend(swallowed);
        }
        let made = self.made;
        if informed && !inner.checks.is_empty() && self.denies_out() {
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
                    library: check.library.clone(),
                    demands: match check.effect {
                        Effect::Authorization => super::called::joined(&check.demands, &given),
                        _ => check.demands.clone(),
                    },
                    every: check.every,
                    order,
                    need: check.need.clone(),
                    when: inner_when(check.when.clone(), &inner.exempt),
                });
            }
        }
        if inner.by_value {
            self.made_by_value += self.made - made;
        }
        self.effects.reads_identity |= reads || inner.ambient;
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
        self.effects.hands_over |=
            args.identity && (inner.loads || inner.writes || inner.hands_over);
        if inner.loads || inner.writes {
            self.loaded |= inner.loads && !enforcing && !self.words.is_identity_callable(name);
            self.wrote |= inner.writes && !self.words.is_identity_callable(name) && !enforcing;
        }
        // `own_trip(trip_id, current_user.id)`
        if inner.returns_scoped && args.identity && !enforcing {
            return Kind {
                scoped: true,
                loaded: true,
                ..Kind::NONE
            };
        }
        if informed && (inner.returns_identity || enforcing) {
            // What lets callers without an identity pass has verified nobody.
            let verified = inner.checks.iter().any(|check| {
                check.effect == Effect::Authentication && check.strength > Strength::Optional
            });
            return Kind {
                verified,
                ..Kind::IDENTITY
            };
        }
        // What is loaded with the caller's identity is the caller's.
        if inner.loads && args.identity {
            return Kind {
                scoped: true,
                loaded: true,
                ..Kind::NONE
            };
        }
        Kind::NONE
    }

    /// A closure runs where it is handed over: its parameters carry what the call knows.
    /// Returns what an expression that is its whole body has to do with who is calling.
    pub(super) fn closure(&mut self, index: u32, kind: Kind) -> Kind {
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
        let outer_values = std::mem::take(&mut self.values);
        let (asked, made) = (self.asked, self.made);
        self.closures += 1;
        self.block(facts.body.root, false);
        self.closures -= 1;
        self.values = outer_values;
        // A closure that checks is taken to run.
        if self.made == made {
            self.asked = asked;
        } else {
            self.asked = self.asked.and(asked);
        }
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
    pub(super) fn lets_nothing_pass(&self, expr: ExprId) -> bool {
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
    pub(super) fn tried(&mut self, inner: ExprId, kind: Kind) {
        if !kind.asks() || self.conditional() || self.never_fails(inner) {
            return;
        }
        if kind.scoped && !self.says_refusal(inner, 0) {
            return;
        }
        // An identity that is already known can fail for other reasons (a query with its id).
        if kind.identity
            && !kind.credential
            && !kind.verified
            && !self.rejects()
            && !self.says_refusal(inner, 0)
        {
            return;
        }
        if self.lets_nothing_pass(inner) {
            self.optional();
            return;
        }
        self.condition_check(inner, kind, Some(inner));
    }
}

/// When a called function makes a check.
fn inner_when(when: Option<Reach>, exempt: &[Exemption]) -> Option<Reach> {
    let mut parts = Vec::from_iter(when);
    parts.extend(
        exempt
            .iter()
            .map(|exemption| exemption.reach.clone().negated()),
    );
    Reach::of_all(parts)
}
