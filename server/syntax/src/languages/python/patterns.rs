//! The patterns of `match`.

use tree_sitter::Node;

use crate::facts::{Arg, ArgKind, Expr};
use crate::lower::{Lowering, first_named, named};

pub(super) fn class_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let children = named(node);
    let Some((class, arguments)) = children.split_first() else {
        return Expr::Unknown;
    };
    let callee = lower.expr(*class);
    let mut args = Vec::new();
    for argument in arguments {
        let keyword = first_named(*argument).filter(|inner| inner.kind() == "keyword_pattern");
        args.push(match keyword.map(named).as_deref() {
            Some([name, value, ..]) => Arg {
                kind: ArgKind::Named(lower.name(*name)),
                value: lower.expr(*value),
            },
            // `name=_`: a wildcard has no node of its own.
            Some([name]) => Arg {
                kind: ArgKind::Named(lower.name(*name)),
                value: lower.push(Expr::Unknown, *argument),
            },
            _ => Arg {
                kind: ArgKind::Positional,
                value: lower.expr(*argument),
            },
        });
    }
    Expr::Call {
        callee,
        args: lower.push_args(&args),
    }
}

pub(super) fn case_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match first_named(node) {
        Some(number) if matches!(number.kind(), "integer" | "float") => {
            Expr::Number(lower.string(lower.text(node)))
        }
        Some(inner) => {
            let id = lower.expr(inner);
            lower.get(id)
        }
        None => Expr::Unknown,
    }
}

pub(super) fn dict_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    let mut key = None;
    let mut cursor = node.walk();
    let children: Vec<_> = node
        .children(&mut cursor)
        .filter(|child| child.is_named() && !child.is_extra())
        .collect();
    for child in children {
        if child.kind() == "splat_pattern" {
            if let Some(rest) = first_named(child) {
                let value = lower.expr(rest);
                let kind = ArgKind::SpreadMap;
                args.push(Arg { kind, value });
            }
        } else if let Some(key) = key.take() {
            let value = lower.expr(child);
            let kind = ArgKind::Keyed(key);
            args.push(Arg { kind, value });
        } else {
            key = Some(lower.expr(child));
        }
    }
    Expr::Dict(lower.push_args(&args))
}
