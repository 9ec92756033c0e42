//! Walks a function's statements and finds its checks.

use gatewatch_frameworks::{Place, PlaceNode, Signature};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::FunctionFacts;
use gatewatch_syntax::facts::{BlockId, Code, Expr, ExprId, ParamKind, Stmt, StmtId};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::doubt::Doubts;
use super::kind::Kind;
use super::path::{Asked, Passing};
use super::{Effects, Use};
use crate::control::{Effect, Strength};
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
pub(super) struct Condition {
    /// The code that the test is in, and whose: a closure runs under the conditions of the function around it.
    pub(super) code: std::sync::Arc<Code>,
    pub(super) owner: Ustr,
    pub(super) test: ExprId,
    pub(super) kind: Kind,
    /// Whether control is on the side where the test holds.
    pub(super) holds: bool,
    /// Whether control is inside of a branch; else behind one that has left.
    pub(super) inside: bool,
    /// Whether the other branch, that has left, refused.
    pub(super) refused: bool,
    /// The pattern of an arm, which the test's value matches.
    pub(super) pattern: Option<ExprId>,
}

/// A handler around: what it does with an exception.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    pub(super) swallows_denials: bool,
    pub(super) swallows_errors: bool,
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
    pub(super) conditions: Vec<Condition>,
    pub(super) around: Vec<Around>,
    /// The identity may be absent where the function passes.
    pub(super) optional: bool,
    /// It passes on some path.
    pub(super) passes: bool,
    /// What has been asked on the path that is being walked.
    pub(super) asked: Asked,
    /// What has been asked on the least guarded path that passes, by the requests that it is for.
    pub(super) passes_for: Vec<(Option<super::reach::Reach>, Asked)>,
    pub(super) passing: Passing,
    /// Parameters of the functions around this one.
    pub(super) captured: Vec<Ustr>,
    /// How many closures of the function's are being walked, and how many blocks for their value.
    pub(super) closures: u32,
    pub(super) values: u32,
    /// What is returned is the value of such a block.
    pub(super) valued: bool,
    /// How often the request was refused for who calls.
    pub(super) refusals: u32,
    /// How often a check was made.
    pub(super) made: u32,
    /// How many of these checks refuse by a value.
    pub(super) made_by_value: u32,
    /// How often a request was let pass.
    pub(super) let_pass: u32,
    pub(super) depth: u32,
    /// What speaks against the checks.
    pub(super) doubts: Doubts,
    /// It is middleware that has to call `next` for the request to go on.
    pub(super) middleware: bool,
    /// `next` was called on the way here.
    pub(super) went_on: bool,
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
        asked: Asked::NOTHING,
        passes_for: Vec::new(),
        passing: Passing::Return,
        captured: captured(db, file, facts),
        closures: 0,
        values: 0,
        valued: false,
        refusals: 0,
        made: 0,
        made_by_value: 0,
        let_pass: 0,
        depth: 0,
        doubts: Doubts::default(),
        middleware: false,
        went_on: false,
    };
    walker.middleware = walker.used != Use::Handler
        && walker.is_script()
        && signature
            .params
            .iter()
            .skip(1)
            .any(|param| param.name == "next");
    walker.bind_params(signature);
    walker.passing = walker.passing_of(signature);
    let root = facts.body.root;
    let flow = walker.block(root, false);
    if flow == Flow::Continues && walker.passing == Passing::Return {
        walker.lets_pass();
    }
    walker.effects.always_denies =
        matches!(flow, Flow::Denied | Flow::DeniedOpen) && !walker.passes;
    if walker.optional {
        for check in &mut walker.effects.checks {
            if check.effect == Effect::Authentication && check.by.is_none() {
                check.strength = Strength::Optional;
            }
        }
    }
    // What is missing may be what verifies.
    if walker.names_nothing() {
        walker.doubts.credential_used();
    }
    let doubts = std::mem::take(&mut walker.doubts);
    let doubted = doubts.settle(&mut walker.effects);
    walker.effects.passes_nobody = walker.optional && !doubted;
    walker.judge();
    walker.effects.by_value = walker.made > 0 && walker.made == walker.made_by_value;
    walker.effects.loads = walker.loaded;
    walker.effects.writes = walker.wrote;
    walker.effects
}

/// The parameters of the functions around one.
fn captured(db: &dyn Db, file: SourceFile, facts: &FunctionFacts) -> Vec<Ustr> {
    let mut found = Vec::new();
    let mut around = facts.at.parent;
    for _ in 0..4 {
        let Some(id) = around else { break };
        if let Some(signature) = gatewatch_frameworks::signature(db, file, id) {
            found.extend(signature.params.iter().map(|param| param.name));
        }
        around = gatewatch_syntax::function_home(db, file, id).and_then(|home| home.parent);
    }
    found
}

impl Walker<'_> {
    /// The kinds of the parameters: by what is injected, by type, and for guards by name.
    pub(super) fn bind_params(&mut self, signature: &Signature) {
        for param in &signature.params {
            use super::ParamKindOf;
            // A method of what a parameter is may check: `user.require(Role::Admin)?`.
            if self.is_rust()
                && param.binds.len() < 2
                && let Some(class) =
                    crate::injected::class_of(self.db, self.tree, self.file, param, signature)
            {
                self.instances.insert(param.name, class);
            }
            let injected =
                crate::injected::param_kind(self.db, self.tree, self.file, param, signature);
            let mut kind = match injected {
                Some(ParamKindOf::Identity) => Kind {
                    verified: true,
                    ..Kind::IDENTITY
                },
                Some(ParamKindOf::Credential) => Kind::CREDENTIAL,
                Some(ParamKindOf::Data) if self.used == Use::Handler => Kind::DATA,
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

    pub(super) fn stmt_site(&self, stmt: StmtId) -> Site {
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
    pub(super) fn goes_on(&self, rest: &[StmtId], more: bool) -> bool {
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
    pub(super) fn matters(&self, id: StmtId) -> bool {
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

    pub(super) fn stmt(&mut self, id: StmtId, stmt: Stmt, more: bool) -> Flow {
        match stmt {
            Stmt::Expr(value) if self.drops_answer(value) || more && self.drops_refusal(value) => {
                self.dropped(value);
                Flow::Continues
            }
            Stmt::Let {
                target,
                value: Some(value),
                ..
            } if more && self.is_never_read(target) && self.drops_refusal(value) => {
                self.dropped(value);
                Flow::Continues
            }
            Stmt::Let {
                target,
                value: Some(value),
                ..
            } if self.names_absence(target) && self.drops_answer(value) => {
                self.dropped(value);
                Flow::Continues
            }
            Stmt::Expr(value) => self.expression(value, more),
            Stmt::Tail(value) if self.values > 0 => {
                // The value of a block inside the function, and no way out of it.
                let outer = std::mem::replace(&mut self.valued, true);
                let flow = self.returns(value, more);
                self.valued = outer;
                if flow == Flow::Passed {
                    Flow::Continues
                } else {
                    flow
                }
            }
            Stmt::Tail(value) | Stmt::Return(Some(value)) => {
                let outer = std::mem::replace(&mut self.valued, false);
                let flow = self.returns(value, more);
                self.valued = outer;
                flow
            }
            Stmt::Return(None) if self.ends_without_next(None) => {
                self.denied(None, false);
                Flow::Denied
            }
            Stmt::Return(None) => {
                self.passed();
                if self.passing == Passing::Return && (self.used != Use::Handler || self.wrote) {
                    self.lets_pass();
                }
                Flow::Passed
            }
            Stmt::Raise(value) => {
                let kind = value.map(|value| self.value(value)).unwrap_or_default();
                let _ = kind;
                self.denied(value, true);
                Flow::Denied
            }
            Stmt::Delete(target) => {
                if let Expr::Index { base, .. } | Expr::Attr { base, .. } = self.code.expr(target) {
                    self.value(target);
                    self.wrote |= self.is_shared(base);
                }
                Flow::Continues
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
                    if let Expr::Index { base, .. } = self.code.expr(target) {
                        self.wrote |= self.is_shared(base);
                    }
                }
                Flow::Continues
            }
            Stmt::Augment { target, value } => {
                let kind = self.value(value) | self.value(target);
                self.assign(target, kind);
                if let Expr::Index { base, .. } = self.code.expr(target) {
                    self.wrote |= self.is_shared(base);
                }
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
                let (asked, refusals) = (self.asked, self.refusals);
                self.block(body, true);
                // `for right in rights: if right not in user.rights: deny` asks for each that is demanded.
                if self.refusals == refusals {
                    self.asked = asked;
                } else {
                    self.asked = self.asked.and(asked);
                }
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
                self.enters(value);
                if self.suppresses(value) {
                    self.around.push(Around {
                        swallows_denials: true,
                        swallows_errors: true,
                    });
                    let flow = self.block(body, more);
                    self.around.pop();
                    // What is raised inside goes no further.
                    return match flow {
                        Flow::Denied => Flow::Continues,
                        flow => flow,
                    };
                }
                self.block(body, more)
            }
            Stmt::Assert(test) => {
                let kind = self.value(test);
                if kind.asks() {
                    self.condition_check(test, kind, None);
                    self.asked = self.asked.and(self.learns(test, true, true));
                }
                Flow::Continues
            }
            Stmt::Block(block) => self.block(block, more),
            _ => Flow::Continues,
        }
    }

    /// An expression statement: a refusal, a pass, or neither.
    pub(super) fn expression(&mut self, value: ExprId, more: bool) -> Flow {
        match self.code.expr(value) {
            Expr::Await(inner) => return self.expression(inner, more),
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                // `user ? next() : res.sendStatus(401)`
                let (first, second) = self.sides(
                    test,
                    |walker| walker.expression(then, more),
                    |walker| walker.expression(otherwise, more),
                );
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
                let and = op == gatewatch_syntax::facts::Operator::And;
                let run = |walker: &mut Self| walker.expression(right, more);
                let rest = |_: &mut Self| Flow::Continues;
                if and {
                    self.sides(left, run, rest);
                } else {
                    self.sides(left, rest, run);
                }
                return Flow::Continues;
            }
            Expr::Block(block) => return self.block(block, more),
            _ => {}
        }
        self.value(value);
        if self.is_python() && self.only_made(value) {
            return Flow::Continues;
        }
        if self.hands_over(value) {
            self.lets_pass();
        }
        if let Some(ends) = self.refuses(value) {
            if more && !ends {
                // The refusal is sent, but what follows runs all the same.
                self.inert(value);
                return Flow::Continues;
            }
            let raised = ends && self.is_python();
            self.denied(Some(value), raised);
            return if ends { Flow::Denied } else { Flow::DeniedOpen };
        }
        if self.is_next(value) {
            self.went_on = true;
            self.passed();
            return Flow::PassedOpen;
        }
        // `res.status(400).json(…)`: this path gives nothing away.
        if self.is_script() && self.answers_error(value, 0) {
            self.asked = Asked::ALL;
        }
        Flow::Continues
    }

    pub(super) fn returns(&mut self, value: ExprId, more: bool) -> Flow {
        match self.code.expr(value) {
            Expr::Await(inner) | Expr::Unary(inner) => return self.returns(inner, more),
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                let (first, second) = self.sides(
                    test,
                    |walker| walker.returns(then, more),
                    |walker| walker.returns(otherwise, more),
                );
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
        // `session_user(parts).ok_or(AuthError)`: who is nobody is refused here.
        if self.turns_to_error(value) {
            self.tried(value, kind);
        }
        let refuses = self.refuses(value).is_some() || kind.denial;
        if refuses && !self.only_returned(value) || self.ends_without_next(Some(value)) {
            self.denied(Some(value), false);
            return Flow::Denied;
        }
        if kind.identity || kind.credential {
            self.effects.returns_identity = true;
        }
        self.effects.returns_scoped |= kind.scoped;
        let worthless = self.used == Use::Handler && self.is_worthless(value);
        if self.hands_over(value)
            || self.passing == Passing::Return
                && !worthless
                && !matches!(self.code.expr(value), Expr::Bool(false))
        {
            self.lets_pass();
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
}
