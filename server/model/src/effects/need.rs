//! What a caller has to meet to get past a check: the condition itself, so that two can be compared.
//!
//! `and` for `or`, a condition that went, a role that was let in: whoever met the old condition meets the new one, and
//! others do as well. Conditions are compared as formulas; what they are about are texts, equal in both trees.

use gatewatch_syntax::facts::{Expr, ExprId, Operator};
use ustr::{Ustr, ustr};

use super::classify::{names, texts};
use super::walk::{Condition, Walker};

/// A condition on the caller.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Need {
    /// Nothing is asked, or something that nobody can meet.
    Always(bool),
    /// A property of the caller, or anything else that is asked.
    Is {
        /// What is asked, in words.
        what: Ustr,
        /// Whether it is asked of the caller.
        of_caller: bool,
    },
    /// The contrary.
    Not(Box<Need>),
    /// Each of these.
    All(Vec<Need>),
    /// One of these.
    Any(Vec<Need>),
}

/// More different things than this are not compared.
const MAX_ATOMS: usize = 10;

impl Need {
    fn negated(self) -> Self {
        match self {
            Self::Always(holds) => Self::Always(!holds),
            Self::Not(inner) => *inner,
            Self::All(parts) => Self::Any(parts.into_iter().map(Self::negated).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(Self::negated).collect()),
            one @ Self::Is { .. } => Self::Not(Box::new(one)),
        }
    }

    fn atoms(&self, found: &mut Vec<(Ustr, bool)>) {
        match self {
            Self::Always(_) => {}
            Self::Is { what, of_caller } => {
                if !found.contains(&(*what, *of_caller)) {
                    found.push((*what, *of_caller));
                }
            }
            Self::Not(inner) => inner.atoms(found),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.atoms(found));
            }
        }
    }

    fn holds(&self, atoms: &[(Ustr, bool)], values: u32) -> bool {
        match self {
            Self::Always(holds) => *holds,
            Self::Is { what, of_caller } => atoms
                .iter()
                .position(|atom| *atom == (*what, *of_caller))
                .is_some_and(|at| values & (1 << at) != 0),
            Self::Not(inner) => !inner.holds(atoms, values),
            Self::All(parts) => parts.iter().all(|part| part.holds(atoms, values)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(atoms, values)),
        }
    }

    /// Whether whoever meets `was` meets this one, and others do as well, that `was` asked something of.
    pub fn is_weaker_than(&self, was: &Self) -> bool {
        let mut atoms = Vec::new();
        was.atoms(&mut atoms);
        if !atoms.iter().any(|(_, of_caller)| *of_caller) {
            return false;
        }
        self.atoms(&mut atoms);
        if atoms.len() > MAX_ATOMS {
            return false;
        }
        was.implies(self) && !self.implies(was)
    }

    /// Whether whoever meets this one meets the other as well; not where that is too much to tell.
    pub fn implies(&self, other: &Self) -> bool {
        let mut atoms = Vec::new();
        self.atoms(&mut atoms);
        other.atoms(&mut atoms);
        atoms.len() <= MAX_ATOMS
            && (0..(1u32 << atoms.len()))
                .all(|values| !self.holds(&atoms, values) || other.holds(&atoms, values))
    }

    /// Whether it still asks something of the caller that `was` asked.
    pub fn shares(&self, was: &Self) -> bool {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        self.atoms(&mut own);
        was.atoms(&mut others);
        own.iter().any(|atom| atom.1 && others.contains(atom))
    }
}

impl Walker<'_> {
    /// What a caller has to meet not to be refused under conditions.
    pub(super) fn needed(&mut self, conditions: &[Condition]) -> Option<Need> {
        let mut refused = Vec::new();
        for condition in conditions {
            // What was refused for another reason before.
            if !condition.inside && condition.refused {
                continue;
            }
            if condition.pattern.is_some() {
                return None;
            }
            // For which requests a check is made is asked elsewhere.
            if self.names_target(condition.test) {
                continue;
            }
            let need = self.within(condition, |walker| walker.need(condition.test, 0));
            refused.push(if condition.holds {
                need
            } else {
                need.negated()
            });
        }
        Some(Need::All(refused).negated())
    }

    fn need(&mut self, test: ExprId, depth: u32) -> Need {
        if depth > 12 {
            return self.asked_of(test, false);
        }
        match self.code.expr(test) {
            Expr::Bool(holds) => Need::Always(holds),
            Expr::Not(inner) => self.need(inner, depth + 1).negated(),
            Expr::Await(inner) | Expr::Unary(inner) => self.need(inner, depth + 1),
            Expr::Binary {
                op: op @ (Operator::And | Operator::Or),
                left,
                right,
            } => {
                let parts = vec![self.need(left, depth + 1), self.need(right, depth + 1)];
                if op == Operator::And {
                    Need::All(parts)
                } else {
                    Need::Any(parts)
                }
            }
            Expr::Binary { op, left, right } => self.comparison(test, op, left, right),
            Expr::Name(name) => match self.only_value(name) {
                // `allowed = user["role"] == "admin"`
                Some(value) if self.peek(test).identity && self.is_question(value) => {
                    self.need(value, depth + 1)
                }
                _ if self.peek(test).identity => Need::Always(true),
                _ => self.asked_of(test, false),
            },
            Expr::Attr { base, .. } | Expr::Index { base, .. } => {
                let (kind, of) = (self.peek(test), self.peek(base));
                if kind.identity && of.request {
                    // `request.user`
                    Need::Always(true)
                } else {
                    self.asked_of(test, kind.identity)
                }
            }
            _ => {
                let kind = self.peek(test);
                self.asked_of(test, kind.identity)
            }
        }
    }

    /// Whether a value asks something: a comparison, a member, a call.
    fn is_question(&self, value: ExprId) -> bool {
        matches!(
            self.code.expr(value),
            Expr::Binary { .. } | Expr::Not(_) | Expr::Attr { .. } | Expr::Index { .. }
        )
    }

    fn comparison(&mut self, test: ExprId, op: Operator, left: ExprId, right: ExprId) -> Need {
        let null = |walker: &Self, id| matches!(walker.code.expr(id), Expr::Null);
        let (a, b) = (self.peek(left), self.peek(right));
        let identity = a.identity || b.identity;
        if null(self, left) || null(self, right) {
            let subject = if null(self, left) { right } else { left };
            let holds = self.need(subject, 1);
            return if matches!(op, Operator::Eq | Operator::Is) {
                holds.negated()
            } else {
                holds
            };
        }
        let (subject, with) = if a.identity {
            (left, right)
        } else {
            (right, left)
        };
        let mut found = Vec::new();
        texts(self, with, &mut found, 0);
        let negative = matches!(op, Operator::Ne | Operator::IsNot | Operator::NotIn);
        let plain = matches!(
            op,
            Operator::Eq
                | Operator::Ne
                | Operator::Is
                | Operator::IsNot
                | Operator::In
                | Operator::NotIn
        );
        let need = if !plain || found.is_empty() || !identity {
            let Need::Is { what, of_caller } = self.asked_of(test, identity) else {
                return Need::Always(true);
            };
            let what = if plain {
                what
            } else {
                ustr(&format!("{op:?} {what}"))
            };
            Need::Is { what, of_caller }
        } else {
            let of = self.spelled(subject);
            let one = |text: &Ustr| Need::Is {
                what: ustr(&format!("{of}={text}")),
                of_caller: true,
            };
            match found.as_slice() {
                [text] => one(text),
                several => Need::Any(several.iter().map(one).collect()),
            }
        };
        if negative { need.negated() } else { need }
    }

    /// Something that is asked, known by its words alone.
    fn asked_of(&self, test: ExprId, of_caller: bool) -> Need {
        let mut found = Vec::new();
        texts(self, test, &mut found, 0);
        let mut what = self.spelled(test).to_string();
        for text in found {
            what.push(' ');
            what.push_str(&text);
        }
        Need::Is {
            what: ustr(&what),
            of_caller,
        }
    }

    /// The members that an expression names, without the variable that it begins at.
    fn spelled(&self, expr: ExprId) -> Ustr {
        let all = names(self, expr);
        let root =
            |name: &Ustr| self.env.contains_key(name) && all.len() > 1 || name.as_str() == "get";
        let mut words: Vec<&str> = all
            .iter()
            .filter(|name| !root(name))
            .map(Ustr::as_str)
            .collect();
        words.sort_unstable();
        words.dedup();
        ustr(&words.join("."))
    }
}
