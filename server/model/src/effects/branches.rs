//! Branches: which side of a condition goes on, `match` and `try`, and what a caught denial is worth.

use super::kind::Kind;
use super::path::{Asked, Sure};
use super::walk::{Around, Condition, Flow, Walker};
use super::{Check, Use};
use crate::control::{Effect, Strength};
use gatewatch_syntax::facts::{BlockId, Expr, ExprId, Operator, Stmt, StmtId};

impl Walker<'_> {
    pub(super) fn branch(
        &mut self,
        test: ExprId,
        then: BlockId,
        otherwise: Option<BlockId>,
        more: bool,
    ) -> Flow {
        let mut after_then = None;
        let before = self.env.clone();
        let (first, second) = self.sides(
            test,
            |walker| {
                let flow = walker.block(then, more);
                after_then = Some(std::mem::replace(&mut walker.env, before));
                flow
            },
            |walker| match otherwise {
                Some(block) => walker.block(block, more),
                None => Flow::Continues,
            },
        );
        let kind = self.value(test);
        // Names assigned in one branch may have either value.
        for (name, kind) in after_then.unwrap_or_default() {
            let entry = self.env.entry(name).or_default();
            *entry = *entry | kind;
        }
        let ends = |flow: Flow| matches!(flow, Flow::Denied | Flow::Passed);
        match (first, second) {
            (Flow::Denied, Flow::Denied) => Flow::Denied,
            (first, second) if ends(first) && ends(second) => Flow::Passed,
            (first, Flow::Continues) if ends(first) || first == Flow::DeniedOpen && !more => {
                // What follows runs only on the other side.
                let mut condition = self.condition(test, kind, false, false);
                condition.refused = first == Flow::Denied;
                self.conditions.push(condition);
                Flow::Continues
            }
            (Flow::Continues, second) if ends(second) => {
                let mut condition = self.condition(test, kind, true, false);
                condition.refused = second == Flow::Denied;
                self.conditions.push(condition);
                Flow::Continues
            }
            (Flow::DeniedOpen, _) | (_, Flow::DeniedOpen) if !more => Flow::Continues,
            _ => Flow::Continues,
        }
    }

    /// Walks both sides of a test, each under what the test says of the caller there.
    pub(super) fn sides(
        &mut self,
        test: ExprId,
        then: impl FnOnce(&mut Self) -> Flow,
        otherwise: impl FnOnce(&mut Self) -> Flow,
    ) -> (Flow, Flow) {
        let kind = self.value(test);
        let before = self.asked;
        let refusals = self.refusals;
        let learned = self.side(test, kind, true, false);
        let condition = self.condition(test, kind, true, true);
        self.conditions.push(condition);
        self.asked = self.with(before, test, kind, true).and(learned);
        let went_on = self.went_on;
        let first = then(self);
        self.went_on = went_on;
        self.conditions.pop();
        let asked_first = self.asked;

        let refused_first = self.refusals > refusals;
        let learned = self.side(test, kind, false, refused_first);
        let refusals = self.refusals;
        let condition = self.condition(test, kind, false, true);
        self.conditions.push(condition);
        self.asked = self.with(before, test, kind, false).and(learned);
        let second = otherwise(self);
        self.went_on = went_on;
        self.conditions.pop();
        let asked_second = self.asked;
        let refused_second = self.refusals > refusals;
        let learned = self.side(test, kind, true, refused_second);
        let asked_first = asked_first.and(learned);
        // Where nobody is refused for who calls, because of what the request is sent to, is asked of each entry point.
        let by_target = (refused_first || refused_second)
            && !kind.asks()
            && self.used != Use::Handler
            && self.names_target(test);

        let ends = |flow: Flow| matches!(flow, Flow::Denied | Flow::DeniedOpen | Flow::Passed);
        self.asked = match (first, second) {
            (first, second) if ends(first) && ends(second) => Asked::ALL,
            (Flow::Denied, _) if refused_first && by_target => Asked::ALL,
            (_, Flow::Denied) if refused_second && by_target => Asked::ALL,
            (first, _) if ends(first) => asked_second,
            (_, second) if ends(second) => asked_first,
            // A guard that is configured counts as configured, and one for some paths is asked of each entry point.
            _ if !kind.asks() && (self.names_setting(test) || self.names_target(test)) => {
                asked_first.and(asked_second)
            }
            _ => asked_first.either(asked_second),
        };
        (first, second)
    }

    /// What is left of what was asked before on a side of a test: a credential that leads to nobody says nothing.
    fn with(&mut self, before: Asked, test: ExprId, kind: Kind, holds: bool) -> Asked {
        let lost = before.identity == Sure::Sent && kind.asks() && self.disproves(test, holds, 0);
        Asked {
            identity: if lost { Sure::No } else { before.identity },
            ..before
        }
    }

    fn side(&mut self, test: ExprId, kind: Kind, holds: bool, refused: bool) -> Asked {
        if kind.asks() {
            self.learns(test, holds, refused)
        } else {
            Asked::NOTHING
        }
    }

    pub(super) fn arms(
        &mut self,
        subject: ExprId,
        arms: gatewatch_syntax::facts::Run,
        more: bool,
    ) -> Flow {
        let kind = self.value(subject);
        let code = std::sync::Arc::clone(&self.code);
        let mut all = true;
        let mut any = false;
        let before = self.asked;
        let mut after = Asked::ALL;
        for arm in code.arms(arms) {
            any = true;
            self.bind_pattern(arm.pattern, kind);
            let absent = self.names_absence(arm.pattern);
            let mut condition = self.condition(subject, kind, !absent, true);
            condition.pattern = Some(arm.pattern);
            self.conditions.push(condition);
            let pushed = self.conditions.len();
            let known = kind.asks() && !kind.only_header() && !absent;
            self.asked = before.and(Asked {
                identity: known.into(),
                right: Sure::No,
            });
            if let Some(guard) = arm.guard {
                let guard_kind = self.value(guard);
                if (guard_kind.credential || guard_kind.header) && !self.is_bare(guard, 0) {
                    self.doubts.credential_used();
                }
                let learned = self.learns(guard, true, false);
                self.asked = self.asked.and(learned);
                let condition = self.condition(guard, guard_kind, true, true);
                self.conditions.push(condition);
            }
            let flow = self.block(arm.body, more);
            self.conditions.truncate(pushed - 1);
            all &= matches!(flow, Flow::Denied | Flow::Passed);
            if !matches!(flow, Flow::Denied | Flow::DeniedOpen | Flow::Passed) {
                after = after.either(self.asked);
            }
        }
        self.asked = if any { after } else { before };
        if any && all {
            Flow::Passed
        } else {
            Flow::Continues
        }
    }

    /// Whether a pattern says that there is nothing: `None`, `Err(_)`, `_`.
    pub(super) fn names_absence(&self, pattern: ExprId) -> bool {
        match self.code.expr(pattern) {
            Expr::Null | Expr::Unknown => true,
            Expr::Name(name) => name.as_str() == "None" || name.as_str() == "_",
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "Err")
            }
            _ => false,
        }
    }

    pub(super) fn attempt(
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
        let before = self.asked;
        let mut recovered = Asked::ALL;
        for handler in code.handlers(handlers) {
            self.asked = before;
            let outer = std::mem::take(&mut self.conditions);
            let outer_optional = self.optional;
            if let Some(name) = handler.name {
                self.env.insert(name, Kind::NONE);
            }
            let let_pass = self.let_pass;
            let flow = self.block(handler.body, more);
            // Whoever was denied gets another answer, and nothing of worth.
            let answered =
                self.used == Use::Handler && flow == Flow::Passed && self.let_pass == let_pass;
            self.conditions = outer;
            self.optional = outer_optional;
            let denies = matches!(flow, Flow::Denied)
                || flow == Flow::DeniedOpen && !more
                || flow == Flow::Continues && self.hands_failure_on(handler.body);
            if !matches!(flow, Flow::Denied | Flow::Passed | Flow::DeniedOpen) {
                recovered = recovered.either(self.asked);
            }
            if !denies {
                let broad = handler
                    .types
                    .is_none_or(|types| self.catches_denials(types));
                around.swallows_errors = true;
                around.swallows_denials |= broad && !answered;
            }
            flows.push((flow, denies));
        }
        // Checks inside handlers are those of errors, not of the request.
        self.effects.checks.truncate(checks_before);
        let denying = flows.iter().any(|(_, denies)| *denies);
        self.asked = before;
        if probe && denying && flows.iter().all(|(_, denies)| *denies) {
            // Whatever fails in here is refused.
            self.asked.identity = Sure::Yes;
        }
        self.around.push(around);
        let mark = self.effects.checks.len();
        let flow = self.block(body, more || otherwise.is_some());
        self.around.pop();
        self.asked = match flow {
            Flow::Denied | Flow::Passed => recovered,
            _ => self.asked.either(recovered),
        };
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
                library: None,
                demands: Vec::new(),
                every: false,
                order: self.order(),
                need: None,
                when: None,
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

    /// Whether a handler ends with `next(error)`: the failure is answered, whatever runs behind it.
    fn hands_failure_on(&self, body: BlockId) -> bool {
        let Some(Stmt::Expr(value)) = self
            .code
            .block(body)
            .last()
            .and_then(|id| self.code.stmt(id))
        else {
            return false;
        };
        matches!(self.code.expr(value), Expr::Call { callee, .. }
            if matches!(self.code.expr(callee), Expr::Name(name) if name == "next"))
            && !self.is_next(value)
    }

    /// Whether a `try` body inspects a credential or identity at all.
    pub(super) fn probe_body(&mut self, body: BlockId) -> bool {
        let saved = (
            self.env.clone(),
            self.effects.clone(),
            self.conditions.clone(),
            self.optional,
            self.loaded,
            self.wrote,
            (self.asked, self.passes_for.clone(), self.refusals),
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
            (self.asked, self.passes_for, self.refusals),
        ) = saved;
        asks
    }

    /// Whether a handler's types take the exceptions that deny.
    pub(super) fn catches_denials(&self, types: ExprId) -> bool {
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

    pub(super) fn condition(
        &self,
        test: ExprId,
        kind: Kind,
        holds: bool,
        inside: bool,
    ) -> Condition {
        Condition {
            code: std::sync::Arc::clone(&self.code),
            owner: self.owner,
            test,
            kind,
            holds,
            inside,
            refused: false,
            pattern: None,
        }
    }

    /// Asks something of a condition where it is written.
    pub(super) fn within<T>(
        &mut self,
        condition: &Condition,
        ask: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let code = std::mem::replace(&mut self.code, std::sync::Arc::clone(&condition.code));
        let owner = std::mem::replace(&mut self.owner, condition.owner);
        let answer = ask(self);
        self.code = code;
        self.owner = owner;
        answer
    }

    /// Whether control is on the side of a condition where there is no identity.
    pub(super) fn absent(&mut self, condition: &Condition) -> bool {
        let (test, holds) = (condition.test, condition.holds);
        self.within(condition, |walker| walker.finds_nobody(test, holds, 0))
    }

    /// Whether a test says on this side that there is nobody.
    fn finds_nobody(&mut self, test: ExprId, holds: bool, depth: u32) -> bool {
        if depth > 12 {
            return false;
        }
        match self.code.expr(test) {
            Expr::Not(inner) => self.finds_nobody(inner, !holds, depth + 1),
            Expr::Await(inner) | Expr::Try(inner) | Expr::Unary(inner) => {
                self.finds_nobody(inner, holds, depth + 1)
            }
            Expr::Binary {
                op: op @ (Operator::And | Operator::Or),
                left,
                right,
            } => {
                let mut nobody = |side| self.finds_nobody(side, holds, depth + 1);
                if (op == Operator::And) == holds {
                    nobody(left) || nobody(right)
                } else {
                    nobody(left) && nobody(right)
                }
            }
            _ => self.polarity(test) == Some(!holds) && self.peek(test).asks(),
        }
    }
}
