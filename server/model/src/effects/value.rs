//! What expressions have to do with who is calling, and what calls do.

use super::kind::Kind;
use super::walk::Walker;
use gatewatch_syntax::facts::{ArgKind, BlockId, Expr, ExprId, Operator, Run, Stmt};
use ustr::ustr;

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
    pub(super) fn is_ambient(&self, id: ExprId) -> bool {
        let mut at = id;
        for _ in 0..12 {
            at = match self.code.expr(at) {
                Expr::Attr { base, name } if self.proxy(base, name).is_some() => return true,
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
                            // `User` is a class.
                            || self.words.is_identity(name)
                                && !name.starts_with(char::is_uppercase));
                }
                _ => return false,
            };
        }
        false
    }

    pub(super) fn value_of(&mut self, id: ExprId) -> Kind {
        match self.code.expr(id) {
            Expr::Name(name) => self.name_kind(name),
            Expr::Attr { base, name } => {
                // `g.agent = …`, and then `if g.agent is None`
                if let Some(path) = self.path_of(id)
                    && let Some(kind) = self.env.get(&path)
                {
                    return *kind;
                }
                if let Some(kind) = self.proxy(base, name) {
                    return kind;
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
                // What is made for the caller isn't asked for.
                kind.owned = false;
                // `new Promise((resolve, reject) => …)`: it runs at once.
                let code = std::sync::Arc::clone(&self.code);
                for arg in code.args(args) {
                    if let Expr::Function(index) = code.expr(arg.value) {
                        self.closure(index, Kind::NONE);
                    }
                }
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
                let asked = self.asked;
                let right_kind = self.value(right);
                if matches!(op, Operator::And | Operator::Or | Operator::Coalesce) {
                    self.asked = self.asked.either(asked);
                }
                // `"user" in session`
                if matches!(op, Operator::In | Operator::NotIn)
                    && right_kind.request
                    && let Some(name) = self.code.str_of(left).map(ustr)
                    && matches!(self.carrier(right), Some("session" | "cookies" | "headers"))
                {
                    return left_kind | self.member_kind(right, right_kind, name);
                }
                let owned = self.compares_owner(op, (left, left_kind), (right, right_kind));
                Kind {
                    owned: owned || left_kind.owned || right_kind.owned,
                    ..left_kind | right_kind
                }
            }
            Expr::Str(text) if self.names_owner_in_sql(self.code.string(text)) => Kind {
                owner_sql: true,
                ..Kind::NONE
            },
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                let kind = self.value(test);
                let asked = self.asked;
                let either = self.value(then) | self.value(otherwise);
                self.asked = self.asked.either(asked);
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
        let asked = self.asked;
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
        self.asked = asked;
        self.values += 1;
        self.block(block, true);
        self.values -= 1;
        kind
    }

    pub(super) fn args_kind(&mut self, args: Run) -> Kind {
        let code = std::sync::Arc::clone(&self.code);
        code.args(args).iter().fold(Kind::NONE, |kind, arg| {
            if let ArgKind::Keyed(key) = arg.kind {
                self.value(key);
            }
            let value = self.value(arg.value);
            kind | self.entry_kind(arg, value)
        })
    }
}
