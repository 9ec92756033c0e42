//! Walks a function's statements and finds its checks.

use gatewatch_frameworks::{Place, PlaceNode, Signature};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::FunctionFacts;
use gatewatch_syntax::facts::{BlockId, Code, Expr, ExprId, ParamKind, Stmt, StmtId};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::classify::{Classified, classify};
use super::kind::Kind;
use super::{Check, Effects, Use};
use crate::control::{Effect, Order, Strength};
use crate::entry::Site;
use crate::words::{Words, words};

/// How a block ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// Control goes on behind it.
    Continues,
    /// The request is refused, and nothing more happens.
    Denied,
    /// A refusal was sent, but control goes on.
    DeniedOpen,
    /// The function ends, and the request goes on (or was answered).
    Passed,
    /// `next()` was called, and control goes on.
    PassedOpen,
}

/// A condition that control is under.
#[derive(Clone, Debug)]
struct Condition {
    /// The code that the test is in, and whose: a closure runs under the conditions of the function around it.
    code: std::sync::Arc<Code>,
    owner: Ustr,
    test: ExprId,
    kind: Kind,
    /// Whether control is on the side where the test holds.
    holds: bool,
    /// Whether control is inside of a branch; else behind one that has left.
    inside: bool,
}

/// A handler around: what it does with an exception.
#[derive(Clone, Copy, Debug)]
struct Around {
    swallows_denials: bool,
    swallows_errors: bool,
}

pub(super) struct Walker<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) tree: FileSet,
    pub(super) file: SourceFile,
    pub(super) words: &'static Words,
    pub(super) used: Use,
    /// The function whose body is being walked, and its code.
    pub(super) owner: Ustr,
    pub(super) code: std::sync::Arc<Code>,
    pub(super) env: FxHashMap<Ustr, Kind>,
    /// Names that hold an instance of a class of the workspace.
    pub(super) instances: FxHashMap<Ustr, (SourceFile, Ustr)>,
    pub(super) effects: Effects,
    pub(super) loaded: bool,
    pub(super) wrote: bool,
    conditions: Vec<Condition>,
    around: Vec<Around>,
    /// The identity may be absent where the function passes.
    optional: bool,
    /// It passes on some path.
    passes: bool,
    pub(super) depth: u32,
}

pub(super) fn walk(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
    used: Use,
    facts: &FunctionFacts,
    signature: &Signature,
) -> Effects {
    let mut walker = Walker {
        db,
        tree,
        file,
        words: words(),
        used,
        owner: id,
        code: std::sync::Arc::clone(&facts.body),
        env: FxHashMap::default(),
        instances: FxHashMap::default(),
        effects: Effects::default(),
        loaded: false,
        wrote: false,
        conditions: Vec::new(),
        around: Vec::new(),
        optional: false,
        passes: false,
        depth: 0,
    };
    walker.bind_params(signature);
    let root = facts.body.root;
    let flow = walker.block(root, false);
    walker.effects.always_denies =
        matches!(flow, Flow::Denied | Flow::DeniedOpen) && !walker.passes;
    if walker.optional {
        for check in &mut walker.effects.checks {
            if check.effect == Effect::Authentication && check.by.is_none() {
                check.strength = Strength::Optional;
            }
        }
    }
    walker.effects.loads = walker.loaded;
    walker.effects.writes = walker.wrote;
    walker.effects
}

impl Walker<'_> {
    /// The kinds of the parameters: by what is injected, by type, and for guards by name.
    fn bind_params(&mut self, signature: &Signature) {
        for param in &signature.params {
            use super::ParamKindOf;
            let injected =
                crate::injected::param_kind(self.db, self.tree, self.file, param, signature);
            let mut kind = match injected {
                Some(ParamKindOf::Identity) => Kind {
                    verified: true,
                    ..Kind::IDENTITY
                },
                Some(ParamKindOf::Credential) => Kind::CREDENTIAL,
                _ => Kind::NONE,
            };
            if injected.is_none()
                && let Some(carrier) =
                    crate::injected::carried(self.db, self.tree, self.file, param, signature)
            {
                kind = match carrier {
                    "cookies" => Kind::CREDENTIAL,
                    _ if self.words.is_credential(param.name)
                        || self.words.is_identity(param.name) =>
                    {
                        Kind::CREDENTIAL
                    }
                    _ if self.words.can_carry_credential(param.name) => Kind::HEADER,
                    _ => Kind::DATA,
                };
                self.effects.reads_identity |= kind.credential;
                self.env.insert(param.name, kind);
                continue;
            }
            let names: Vec<Ustr> = if param.binds.is_empty() {
                vec![param.name]
            } else {
                param.binds.to_vec()
            };
            for name in names {
                if kind == Kind::NONE
                    && injected.is_none()
                    && !param.binds.is_empty()
                    && crate::injected::is_content(self.db, self.tree, self.file, param, signature)
                {
                    kind = Kind::DATA;
                } else if kind == Kind::NONE && injected.is_none() {
                    let request = matches!(
                        name.as_str(),
                        "req"
                            | "request"
                            | "_req"
                            | "_request"
                            | "ctx"
                            | "c"
                            | "context"
                            | "parts"
                            | "event"
                            | "websocket"
                            | "ws"
                            | "conn"
                            | "connection"
                            | "info"
                            | "scope"
                            | "socket"
                            | "headers"
                            | "cookies"
                            | "jar"
                            | "session"
                            | "auth_session"
                            | "authorization"
                    );
                    kind = if request {
                        Kind::REQUEST
                    } else if self.used == Use::Handler {
                        Kind::DATA
                    } else if self.words.is_credential(name) {
                        Kind::CREDENTIAL
                    } else if self.words.is_identity(name) {
                        Kind::IDENTITY
                    } else {
                        Kind::NONE
                    };
                }
                if param.kind == ParamKind::Receiver || matches!(name.as_str(), "self" | "cls") {
                    kind = Kind::NONE;
                }
                self.env.insert(name, kind);
            }
        }
    }

    pub(super) fn site(&self, expr: ExprId) -> Site {
        (
            self.file,
            Place {
                code: self.owner,
                in_body: true,
                node: PlaceNode::Expr(expr.0),
            },
        )
    }

    fn stmt_site(&self, stmt: StmtId) -> Site {
        (
            self.file,
            Place {
                code: self.owner,
                in_body: true,
                node: PlaceNode::Stmt(stmt.0),
            },
        )
    }

    // ---- statements ---------------------------------------------------------------------------

    /// Walks a block. `more`: something that matters runs behind it.
    pub(super) fn block(&mut self, block: BlockId, more: bool) -> Flow {
        self.depth += 1;
        if self.depth > 60 {
            self.depth -= 1;
            return Flow::Continues;
        }
        let code = std::sync::Arc::clone(&self.code);
        let statements: Vec<StmtId> = code.block(block).collect();
        let mut flow = Flow::Continues;
        let pushed = self.conditions.len();
        for (at, &id) in statements.iter().enumerate() {
            let Some(stmt) = code.stmt(id) else { continue };
            let rest = statements.get(at + 1..).unwrap_or_default();
            let behind = self.goes_on(rest, more);
            let next = self.stmt(id, stmt, behind);
            match next {
                Flow::Denied | Flow::Passed => {
                    flow = next;
                    break;
                }
                Flow::DeniedOpen => {
                    flow = if behind {
                        Flow::Continues
                    } else {
                        Flow::DeniedOpen
                    };
                    // `res.status(401).end(); return;`
                    if !behind
                        && rest
                            .iter()
                            .any(|&id| matches!(code.stmt(id), Some(Stmt::Return(_))))
                    {
                        flow = Flow::Denied;
                        break;
                    }
                }
                Flow::PassedOpen => flow = Flow::PassedOpen,
                Flow::Continues => {}
            }
        }
        self.conditions.truncate(pushed);
        self.depth -= 1;
        flow
    }

    /// Whether anything that matters runs behind a statement: in the rest of its block, or behind the block unless the
    /// function is left before.
    fn goes_on(&self, rest: &[StmtId], more: bool) -> bool {
        for &id in rest {
            if self.matters(id) {
                return true;
            }
            if matches!(self.code.stmt(id), Some(Stmt::Return(_))) {
                return false;
            }
        }
        more
    }

    /// Whether a statement does anything when it runs behind a refusal.
    fn matters(&self, id: StmtId) -> bool {
        match self.code.stmt(id) {
            None
            | Some(
                Stmt::Return(None)
                | Stmt::Note(_)
                | Stmt::Function(_)
                | Stmt::Class(_)
                | Stmt::Import(_)
                | Stmt::Break
                | Stmt::Continue,
            ) => false,
            Some(Stmt::Return(Some(value)) | Stmt::Tail(value)) => {
                !matches!(self.code.expr(value), Expr::Null | Expr::Bool(_))
            }
            Some(Stmt::Expr(value)) => !matches!(self.code.expr(value), Expr::Str(_) | Expr::Null),
            Some(_) => true,
        }
    }

    fn stmt(&mut self, id: StmtId, stmt: Stmt, more: bool) -> Flow {
        match stmt {
            Stmt::Expr(value) => self.expression(value, more),
            Stmt::Tail(value) | Stmt::Return(Some(value)) => self.returns(value, more),
            Stmt::Return(None) => {
                self.passed();
                Flow::Passed
            }
            Stmt::Raise(value) => {
                let kind = value.map(|value| self.value(value)).unwrap_or_default();
                let _ = kind;
                self.denied(value, true);
                Flow::Denied
            }
            Stmt::Let { target, value, .. } => {
                if let Some(value) = value {
                    if let Expr::Block(block) = self.code.expr(value) {
                        // `let user = match … { None => return Err(…) }`
                        let kind = self.block_value(block);
                        self.assign(target, kind);
                        return Flow::Continues;
                    }
                    let kind = self.value(value);
                    self.assign(target, kind);
                    self.assign_instance(target, value);
                }
                Flow::Continues
            }
            Stmt::Augment { target, value } => {
                let kind = self.value(value) | self.value(target);
                self.assign(target, kind);
                Flow::Continues
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => self.branch(test, then, otherwise, more),
            Stmt::Loop {
                target,
                subject,
                body,
            } => {
                let kind = subject
                    .map(|subject| self.value(subject))
                    .unwrap_or_default();
                if let Some(target) = target {
                    self.assign(target, kind);
                }
                // Zero rounds are possible, so what the body does at its end isn't sure. A denial inside
                // still is one.
                self.block(body, true);
                Flow::Continues
            }
            Stmt::Match { subject, arms } => self.arms(subject, arms, more),
            Stmt::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => self.attempt(id, body, handlers, otherwise, finally, more),
            Stmt::With {
                value,
                target,
                body,
            } => {
                let kind = self.value(value);
                if let Some(target) = target {
                    self.assign(target, kind);
                }
                self.block(body, more)
            }
            Stmt::Assert(test) => {
                let kind = self.value(test);
                if kind.asks() {
                    self.condition_check(test, kind, None);
                }
                Flow::Continues
            }
            Stmt::Block(block) => self.block(block, more),
            _ => Flow::Continues,
        }
    }

    fn branch(
        &mut self,
        test: ExprId,
        then: BlockId,
        otherwise: Option<BlockId>,
        more: bool,
    ) -> Flow {
        let kind = self.value(test);
        let before = self.env.clone();
        let wrote = (self.loaded, self.wrote);
        let condition = self.condition(test, kind, true, true);
        self.conditions.push(condition);
        let first = self.block(then, more);
        self.conditions.pop();
        let after_then = std::mem::replace(&mut self.env, before);
        let condition = self.condition(test, kind, false, true);
        self.conditions.push(condition);
        let second = match otherwise {
            Some(block) => self.block(block, more),
            None => Flow::Continues,
        };
        self.conditions.pop();
        let _ = wrote;
        // Names assigned in one branch may have either value.
        for (name, kind) in after_then {
            let entry = self.env.entry(name).or_default();
            *entry = *entry | kind;
        }
        let ends = |flow: Flow| matches!(flow, Flow::Denied | Flow::Passed);
        match (first, second) {
            (Flow::Denied, Flow::Denied) => Flow::Denied,
            (first, second) if ends(first) && ends(second) => Flow::Passed,
            (first, Flow::Continues) if ends(first) || first == Flow::DeniedOpen && !more => {
                // What follows runs only on the other side.
                let condition = self.condition(test, kind, false, false);
                self.conditions.push(condition);
                Flow::Continues
            }
            (Flow::Continues, second) if ends(second) => {
                let condition = self.condition(test, kind, true, false);
                self.conditions.push(condition);
                Flow::Continues
            }
            (Flow::DeniedOpen, _) | (_, Flow::DeniedOpen) if !more => Flow::Continues,
            _ => Flow::Continues,
        }
    }

    fn arms(&mut self, subject: ExprId, arms: gatewatch_syntax::facts::Run, more: bool) -> Flow {
        let kind = self.value(subject);
        let code = std::sync::Arc::clone(&self.code);
        let mut all = true;
        let mut any = false;
        for arm in code.arms(arms) {
            any = true;
            self.bind_pattern(arm.pattern, kind);
            let absent = self.names_absence(arm.pattern);
            let condition = self.condition(subject, kind, !absent, true);
            self.conditions.push(condition);
            let pushed = self.conditions.len();
            if let Some(guard) = arm.guard {
                let guard_kind = self.value(guard);
                let condition = self.condition(guard, guard_kind, true, true);
                self.conditions.push(condition);
            }
            let flow = self.block(arm.body, more);
            self.conditions.truncate(pushed - 1);
            all &= matches!(flow, Flow::Denied | Flow::Passed);
        }
        if any && all {
            Flow::Passed
        } else {
            Flow::Continues
        }
    }

    /// Whether a pattern says that there is nothing: `None`, `Err(_)`, `_`.
    fn names_absence(&self, pattern: ExprId) -> bool {
        match self.code.expr(pattern) {
            Expr::Null | Expr::Unknown => true,
            Expr::Name(name) => name.as_str() == "None" || name.as_str() == "_",
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "Err")
            }
            _ => false,
        }
    }

    fn attempt(
        &mut self,
        id: StmtId,
        body: BlockId,
        handlers: gatewatch_syntax::facts::Run,
        otherwise: Option<BlockId>,
        finally: Option<BlockId>,
        more: bool,
    ) -> Flow {
        let code = std::sync::Arc::clone(&self.code);
        let mut around = Around {
            swallows_denials: false,
            swallows_errors: false,
        };
        // What each handler does decides what an exception in the body means.
        let mut flows = Vec::new();
        let checks_before = self.effects.checks.len();
        let probe = self.probe_body(body);
        for handler in code.handlers(handlers) {
            let outer = std::mem::take(&mut self.conditions);
            let outer_optional = self.optional;
            if let Some(name) = handler.name {
                self.env.insert(name, Kind::NONE);
            }
            let flow = self.block(handler.body, more);
            self.conditions = outer;
            self.optional = outer_optional;
            let denies = matches!(flow, Flow::Denied) || flow == Flow::DeniedOpen && !more;
            if !denies {
                let broad = handler
                    .types
                    .is_none_or(|types| self.catches_denials(types));
                around.swallows_errors = true;
                around.swallows_denials |= broad;
            }
            flows.push((flow, denies));
        }
        // Checks inside handlers are those of errors, not of the request.
        self.effects.checks.truncate(checks_before);
        let denying = flows.iter().any(|(_, denies)| *denies);
        self.around.push(around);
        let mark = self.effects.checks.len();
        let flow = self.block(body, more || otherwise.is_some());
        self.around.pop();
        if denying
            && probe
            && !self.effects.checks[mark.min(self.effects.checks.len())..]
                .iter()
                .any(|check| check.effect == Effect::Authentication)
        {
            // `try: decode(token) except JWTError: raise Unauthorized`
            let check = Check {
                effect: Effect::Authentication,
                strength: Strength::Enforcing,
                site: self.stmt_site(id),
                by: None,
                demands: Vec::new(),
                order: self.order(),
                methods: self.methods(),
            };
            self.add(check);
        }
        let mut end = flow;
        for block in [otherwise, finally].into_iter().flatten() {
            let flow = self.block(block, more);
            if flow != Flow::Continues {
                end = flow;
            }
        }
        if around.swallows_errors || flows.iter().any(|(_, denies)| !denies) {
            return Flow::Continues;
        }
        end
    }

    /// Whether a `try` body inspects a credential or identity at all.
    fn probe_body(&mut self, body: BlockId) -> bool {
        let saved = (
            self.env.clone(),
            self.effects.clone(),
            self.conditions.clone(),
            self.optional,
            self.loaded,
            self.wrote,
        );
        let code = std::sync::Arc::clone(&self.code);
        let mut asks = false;
        for id in code.block(body) {
            match code.stmt(id) {
                Some(Stmt::Let {
                    target,
                    value: Some(value),
                    ..
                }) => {
                    let kind = self.value(value);
                    self.assign(target, kind);
                    asks |= kind.credential || kind.identity && kind.verified;
                }
                Some(Stmt::Expr(value) | Stmt::Return(Some(value)) | Stmt::Tail(value)) => {
                    let kind = self.value(value);
                    asks |= kind.credential || kind.identity && kind.verified;
                }
                _ => {}
            }
        }
        (
            self.env,
            self.effects,
            self.conditions,
            self.optional,
            self.loaded,
            self.wrote,
        ) = saved;
        asks
    }

    /// Whether a handler's types take the exceptions that deny.
    fn catches_denials(&self, types: ExprId) -> bool {
        match self.code.expr(types) {
            Expr::Name(name) | Expr::Attr { name, .. } => {
                matches!(
                    name.as_str(),
                    "Exception"
                        | "BaseException"
                        | "HTTPException"
                        | "StarletteHTTPException"
                        | "Error"
                ) || self.words.is_denial_constant(name)
            }
            Expr::Tuple(run) => self
                .code
                .args(run)
                .iter()
                .any(|arg| self.catches_denials(arg.value)),
            _ => true,
        }
    }

    // ---- outcomes -----------------------------------------------------------------------------

    /// An expression statement: a refusal, a pass, or neither.
    fn expression(&mut self, value: ExprId, more: bool) -> Flow {
        match self.code.expr(value) {
            Expr::Await(inner) => return self.expression(inner, more),
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                // `user ? next() : res.sendStatus(401)`
                let kind = self.value(test);
                let condition = self.condition(test, kind, true, true);
                self.conditions.push(condition);
                let first = self.expression(then, more);
                self.conditions.pop();
                let condition = self.condition(test, kind, false, true);
                self.conditions.push(condition);
                let second = self.expression(otherwise, more);
                self.conditions.pop();
                return if first == second {
                    first
                } else {
                    Flow::Continues
                };
            }
            Expr::Binary {
                op:
                    op
                    @ (gatewatch_syntax::facts::Operator::And | gatewatch_syntax::facts::Operator::Or),
                left,
                right,
            } => {
                // `user || deny()`
                let kind = self.value(left);
                let holds = op == gatewatch_syntax::facts::Operator::And;
                let condition = self.condition(left, kind, holds, true);
                self.conditions.push(condition);
                self.expression(right, more);
                self.conditions.pop();
                return Flow::Continues;
            }
            Expr::Block(block) => return self.block(block, more),
            _ => {}
        }
        self.value(value);
        if let Some(ends) = self.refuses(value) {
            if more && !ends {
                // The refusal is sent, but what follows runs all the same.
                self.inert(value);
                return Flow::Continues;
            }
            self.denied(Some(value), false);
            return if ends { Flow::Denied } else { Flow::DeniedOpen };
        }
        if self.is_next(value) {
            self.passed();
            return Flow::PassedOpen;
        }
        Flow::Continues
    }

    fn returns(&mut self, value: ExprId, more: bool) -> Flow {
        match self.code.expr(value) {
            Expr::Await(inner) | Expr::Unary(inner) => return self.returns(inner, more),
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                let kind = self.value(test);
                let condition = self.condition(test, kind, true, true);
                self.conditions.push(condition);
                let first = self.returns(then, more);
                self.conditions.pop();
                let condition = self.condition(test, kind, false, true);
                self.conditions.push(condition);
                let second = self.returns(otherwise, more);
                self.conditions.pop();
                return if first == Flow::Denied && second == Flow::Denied {
                    first
                } else {
                    Flow::Passed
                };
            }
            Expr::Block(block) => {
                let flow = self.block(block, more);
                return if flow == Flow::Continues {
                    Flow::Passed
                } else {
                    flow
                };
            }
            _ => {}
        }
        let kind = self.value(value);
        if self.refuses(value).is_some() || kind.denial {
            self.denied(Some(value), false);
            return Flow::Denied;
        }
        if kind.identity || kind.credential {
            self.effects.returns_identity = true;
        }
        if !matches!(self.code.expr(value), Expr::Bool(false)) {
            self.passed();
        } else if self.is_permission() {
            self.denied(Some(value), false);
            return Flow::Denied;
        }
        // Elsewhere a plain `return False` leaves it to the caller what to do.
        Flow::Passed
    }

    /// Whether the framework takes this function's `False` for a refusal.
    fn is_permission(&self) -> bool {
        matches!(
            self.owner.rsplit('.').next(),
            Some(
                "has_permission"
                    | "has_object_permission"
                    | "canActivate"
                    | "can_activate"
                    | "test_func"
                    | "permits"
                    | "authorize"
                    | "authenticate"
            )
        )
    }

    fn condition(&self, test: ExprId, kind: Kind, holds: bool, inside: bool) -> Condition {
        Condition {
            code: std::sync::Arc::clone(&self.code),
            owner: self.owner,
            test,
            kind,
            holds,
            inside,
        }
    }

    /// Asks something of a condition where it is written.
    fn within<T>(&mut self, condition: &Condition, ask: impl FnOnce(&mut Self) -> T) -> T {
        let code = std::mem::replace(&mut self.code, std::sync::Arc::clone(&condition.code));
        let owner = std::mem::replace(&mut self.owner, condition.owner);
        let answer = ask(self);
        self.code = code;
        self.owner = owner;
        answer
    }

    /// Control leaves while the identity is absent: the check lets callers without one pass.
    fn passed(&mut self) {
        self.passes = true;
        let conditions = self.conditions.clone();
        let mut absent = false;
        let mut by_path = None;
        for condition in &conditions {
            absent |= (condition.kind.identity || condition.kind.credential)
                && !condition.kind.scoped
                && self.absent(condition);
            if !condition.kind.asks()
                && self.within(condition, |walker| walker.names_path(condition.test))
            {
                by_path = Some(condition);
            }
        }
        if let Some(condition) = by_path {
            let test = condition.test;
            let (site, texts, only_method) = self.within(condition, |walker| {
                (
                    walker.site(test),
                    walker.texts_of(test),
                    walker.names_only_method(test),
                )
            });
            // A list of methods that can't be read holds `OPTIONS` and its like; a list of paths could hold this one.
            if !texts.is_empty() || !only_method {
                self.effects.exempt.push((site, texts));
            }
        } else if absent {
            self.optional = true;
        }
    }

    /// Whether control is on the side of a condition where there is no identity.
    fn absent(&mut self, condition: &Condition) -> bool {
        match self.within(condition, |walker| walker.polarity(condition.test)) {
            Some(present_when_true) => present_when_true != condition.holds,
            None => false,
        }
    }

    /// The request is refused here: the conditions around say which check this is.
    fn denied(&mut self, value: Option<ExprId>, raised: bool) {
        // Refused for another reason than who is calling: too often, too much, not now.
        if value.is_some_and(|value| self.refuses_for_load(value)) {
            return;
        }
        if raised && self.around.iter().any(|around| around.swallows_denials) {
            if let Some(value) = value {
                self.inert(value);
            }
            return;
        }
        let Some(last) = self
            .conditions
            .iter()
            .rev()
            .find(|condition| condition.kind.asks())
            .cloned()
        else {
            return;
        };
        let status = value.and_then(|value| self.status_of(value));
        let unknown = value.is_some_and(|value| self.says_unauthenticated(value));
        if last.kind.only_header() && status != Some(401) && !unknown {
            return;
        }
        self.within(&last, |walker| walker.imposed(last.test, last.kind, status));
    }

    pub(super) fn condition_check(&mut self, test: ExprId, kind: Kind, denial: Option<ExprId>) {
        let status = denial.and_then(|denial| self.status_of(denial));
        if kind.only_header()
            && status != Some(401)
            && !denial.is_some_and(|denial| self.says_unauthenticated(denial))
        {
            return;
        }
        self.imposed(test, kind, status);
    }

    /// Adds the checks that a condition imposes whose other side is refused.
    fn imposed(&mut self, test: ExprId, kind: Kind, status: Option<u16>) {
        for Classified { effect, demands } in classify(self, test, kind, status) {
            let check = Check {
                effect,
                strength: Strength::Enforcing,
                site: self.site(test),
                by: None,
                demands,
                order: self.order(),
                methods: self.methods(),
            };
            self.add(check);
        }
    }

    /// The methods for which control comes here, as far as conditions say.
    pub(super) fn methods(&self) -> Option<(bool, Vec<Ustr>)> {
        use gatewatch_syntax::facts::Operator;
        self.conditions.iter().rev().find_map(|condition| {
            // A condition of a function around this one is written in other code.
            if condition.kind.asks()
                || !std::sync::Arc::ptr_eq(&condition.code, &self.code)
                || !self.names_only_method(condition.test)
            {
                return None;
            }
            let among = match self.code.expr(condition.test) {
                Expr::Binary {
                    op: Operator::Eq | Operator::In,
                    ..
                } => true,
                Expr::Binary {
                    op: Operator::Ne | Operator::NotIn,
                    ..
                } => false,
                _ => return None,
            };
            let texts = self.texts_of(condition.test);
            (!texts.is_empty()).then_some((among == condition.holds, texts))
        })
    }

    fn inert(&mut self, value: ExprId) {
        let site = self.site(value);
        let asks = self
            .conditions
            .iter()
            .rev()
            .find(|condition| condition.kind.asks())
            .cloned();
        if let Some(condition) = asks {
            let found = self.within(&condition, |walker| {
                classify(walker, condition.test, condition.kind, None)
            });
            for Classified { effect, demands } in found {
                self.effects.inert.push(Check {
                    effect,
                    strength: Strength::Advisory,
                    site,
                    by: None,
                    demands,
                    order: self.order(),
                    methods: None,
                });
            }
        }
    }

    /// Callers without an identity pass here.
    pub(super) fn optional(&mut self) {
        self.optional = true;
        self.effects.reads_identity = true;
        self.effects.returns_identity = true;
    }

    /// Whether the code runs only where a credential was sent.
    fn needs_presence(&mut self, own: Site) -> bool {
        let conditions = self.conditions.clone();
        conditions.iter().any(|condition| {
            condition.inside
                && condition.kind.asks()
                && !condition.kind.scoped
                && self.within(condition, |walker| {
                    walker.site(condition.test) != own
                        && walker.polarity(condition.test) == Some(condition.holds)
                })
        })
    }

    pub(super) fn add(&mut self, mut check: Check) {
        // `if token: verify(token)`: callers without a token pass.
        if check.effect == Effect::Authentication && self.needs_presence(check.site) {
            check.strength = check.strength.min(Strength::Optional);
        }
        let known = self.effects.checks.iter().any(|other| {
            other.effect == check.effect
                && other.by == check.by
                && other.site == check.site
                && other.demands == check.demands
        });
        if !known {
            self.effects.checks.push(check);
        }
    }

    /// Whether a throw here reaches the caller.
    pub(super) fn throws_out(&self) -> bool {
        !self.around.iter().any(|around| around.swallows_errors)
    }

    /// Whether a denial thrown here reaches the caller.
    pub(super) fn denies_out(&self) -> bool {
        !self.around.iter().any(|around| around.swallows_denials)
    }

    pub(super) fn order(&self) -> Order {
        if self.wrote {
            Order::AfterWrite
        } else if self.loaded {
            Order::AfterFetch
        } else {
            Order::First
        }
    }

    /// Whether the code runs only on some paths for a reason that isn't the identity: such a check isn't sure.
    pub(super) fn conditional(&mut self) -> bool {
        let conditions = self.conditions.clone();
        conditions.iter().any(|condition| {
            !condition.kind.asks()
                && self.within(condition, |walker| {
                    !walker.names_path(condition.test) && !walker.names_setting(condition.test)
                })
        })
    }
}
