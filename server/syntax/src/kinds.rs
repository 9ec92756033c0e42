//! The table of a grammar's node kinds, read from `queries/<language>/facts.scm`.
//!
//! Each pattern of that file has the form `(kind field: (_) @slot …) @role`: nodes of that kind play
//! this role, and the children in these fields are its slots. The file is a valid tree-sitter query
//! (it is compiled as one when the table is made, so a kind or field that the grammar lacks is an
//! error), but it is not run as one: whole-tree queries cost half as much as a full parse,
//! a single pass that looks kinds up in a table costs a tenth.

use std::collections::HashMap;

use tree_sitter::{Language as Grammar, Query};

/// What nodes of a kind are, for the generic lowering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Handled by the language's adapter.
    Special,
    /// Nothing that the facts keep.
    Skip,
    /// A wrapper: its slot `value`, or else its first named child, stands for it.
    Inner,
    Name,
    Attribute,
    Index,
    Call,
    New,
    Number,
    True,
    False,
    Null,
    List,
    Tuple,
    Not,
    Unary,
    Binary,
    Cond,
    Await,
    Try,
    Yield,
    Spread,
    SpreadMap,
    Assign,
    Let,
    Augment,
    Return,
    Raise,
    Break,
    Continue,
    If,
    Loop,
    Assert,
    Block,
    Comment,
}

impl Role {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "special" => Self::Special,
            "skip" => Self::Skip,
            "inner" => Self::Inner,
            "name" => Self::Name,
            "attribute" => Self::Attribute,
            "index" => Self::Index,
            "call" => Self::Call,
            "new" => Self::New,
            "number" => Self::Number,
            "true" => Self::True,
            "false" => Self::False,
            "null" => Self::Null,
            "list" => Self::List,
            "tuple" => Self::Tuple,
            "not" => Self::Not,
            "unary" => Self::Unary,
            "binary" => Self::Binary,
            "cond" => Self::Cond,
            "await" => Self::Await,
            "try" => Self::Try,
            "yield" => Self::Yield,
            "spread" => Self::Spread,
            "spread_map" => Self::SpreadMap,
            "assign" => Self::Assign,
            "let" => Self::Let,
            "augment" => Self::Augment,
            "return" => Self::Return,
            "raise" => Self::Raise,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "if" => Self::If,
            "loop" => Self::Loop,
            "assert" => Self::Assert,
            "block" => Self::Block,
            "comment" => Self::Comment,
            _ => return None,
        })
    }
}

/// A role's child, found by the grammar's field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    Base,
    Member,
    Index,
    Callee,
    Arguments,
    Left,
    Right,
    Operator,
    Test,
    Then,
    Otherwise,
    Target,
    Type,
    Value,
    Subject,
    Body,
}

impl Slot {
    const COUNT: usize = 16;

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "base" => Self::Base,
            "member" => Self::Member,
            "index" => Self::Index,
            "callee" => Self::Callee,
            "arguments" => Self::Arguments,
            "left" => Self::Left,
            "right" => Self::Right,
            "operator" => Self::Operator,
            "test" => Self::Test,
            "then" => Self::Then,
            "otherwise" => Self::Otherwise,
            "target" => Self::Target,
            "type" => Self::Type,
            "value" => Self::Value,
            "subject" => Self::Subject,
            "body" => Self::Body,
            _ => return None,
        })
    }
}

/// What a kind is and where its slots are.
#[derive(Clone, Copy)]
struct Kind {
    role: Role,
    fields: [u16; Slot::COUNT],
}

/// Why a `facts.scm` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KindsError {
    /// It is no valid query for its grammar.
    #[error("not a query of this grammar: {0}")]
    Query(#[from] tree_sitter::QueryError),
    /// It has a pattern of another form, or an unknown role or slot.
    #[error("line {line}: {why}")]
    Form {
        /// 1-based line.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

/// The table of a grammar's kinds.
pub struct Kinds {
    table: Vec<Option<Kind>>,
}

impl Kinds {
    /// Reads the table for `grammar` from the text of a `facts.scm`.
    pub fn new(grammar: &Grammar, scm: &str) -> Result<Self, KindsError> {
        Query::new(grammar, scm)?;
        let mut table = vec![None; grammar.node_kind_count()];
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for id in 0..grammar.node_kind_count() {
            let Ok(id16) = u16::try_from(id) else { break };
            // Supertypes and hidden kinds never stand in a tree, but do no harm here.
            if grammar.node_kind_is_named(id16)
                && let Some(name) = grammar.node_kind_for_id(id16)
            {
                by_name.entry(name).or_default().push(id);
            }
        }
        for pattern in patterns(scm) {
            let (line, pattern) = pattern;
            let form = |why: &str| KindsError::Form {
                line,
                why: why.to_owned(),
            };
            let role = Role::parse(pattern.role).ok_or_else(|| form("unknown role"))?;
            let mut fields = [0; Slot::COUNT];
            for (field, slot) in &pattern.slots {
                let slot = Slot::parse(slot).ok_or_else(|| form("unknown slot"))?;
                let id = grammar
                    .field_id_for_name(field)
                    .ok_or_else(|| form("unknown field"))?;
                if let Some(entry) = fields.get_mut(slot as usize) {
                    *entry = id.get();
                }
            }
            if pattern.kinds.is_empty() {
                return Err(form(
                    "a pattern has the form (kind field: (_) @slot …) @role",
                ));
            }
            for kind in &pattern.kinds {
                for &id in by_name.get(kind).map(Vec::as_slice).unwrap_or_default() {
                    if let Some(entry) = table.get_mut(id) {
                        *entry = Some(Kind { role, fields });
                    }
                }
            }
        }
        Ok(Self { table })
    }

    /// The role of a kind; kinds that the table doesn't name are [`Role::Special`].
    pub(crate) fn role(&self, kind: u16) -> Role {
        match self.table.get(usize::from(kind)) {
            Some(Some(kind)) => kind.role,
            _ => Role::Special,
        }
    }

    /// The field of a kind's slot, if it has one.
    pub(crate) fn field(&self, kind: u16, slot: Slot) -> Option<u16> {
        match self.table.get(usize::from(kind)) {
            Some(Some(kind)) => kind
                .fields
                .get(slot as usize)
                .copied()
                .filter(|&id| id != 0),
            _ => None,
        }
    }
}

struct Pattern<'a> {
    kinds: Vec<&'a str>,
    slots: Vec<(&'a str, &'a str)>,
    role: &'a str,
}

/// Splits the text into its patterns. Only the form that the module describes is understood; the
/// text has been compiled as a query before, so brackets are balanced.
fn patterns(scm: &str) -> Vec<(usize, Pattern<'_>)> {
    let tokens = tokens(scm);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(&(line, _)) = tokens.get(at) else {
            break;
        };
        let mut depth = 0usize;
        let mut kinds = Vec::new();
        let mut slots = Vec::new();
        let mut field = None;
        let mut previous = "";
        while let Some(&(_, token)) = tokens.get(at) {
            at += 1;
            match token {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ if token.ends_with(':') => field = Some(token.trim_end_matches(':')),
                _ if token.starts_with('@') => {
                    if let Some(name) = field.take() {
                        slots.push((name, token.trim_start_matches('@')));
                    }
                }
                _ if previous == "(" && field.is_none() => kinds.push(token),
                _ => {}
            }
            previous = token;
            if depth == 0 {
                break;
            }
        }
        let role = tokens
            .get(at)
            .map_or("", |&(_, token)| token.trim_start_matches('@'));
        at += 1;
        found.push((line, Pattern { kinds, slots, role }));
    }
    found
}

fn tokens(scm: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in scm.lines().enumerate() {
        let line = line.split(';').next().unwrap_or_default();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            if first.is_whitespace() || first == '?' || first == '*' {
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let len = if "()[]".contains(first) {
                1
            } else {
                rest.find(|c: char| c.is_whitespace() || "()[]?*".contains(c))
                    .unwrap_or(rest.len())
            };
            let (token, tail) = rest.split_at(len.max(first.len_utf8()));
            found.push((index + 1, token));
            rest = tail;
        }
    }
    found
}
