//! Functions and closures.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::attributes::decorators;
use super::definitions::definition_spans;
use super::{child_of_kind, is_public, name_of};
use crate::facts::{Expr, ExprId, Function, Mark, Marked, Param, ParamKind, Stmt, StmtId};
use crate::lower::{Lowering, offset};
use crate::spans::Span;

pub(super) fn function(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    member: bool,
    out: &mut Vec<StmtId>,
) {
    let parameters = node.child_by_field_name("parameters");
    let decorators = decorators(lower, attributes);
    let (params, marks) = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let returns = node
        .child_by_field_name("return_type")
        .map(|returns| lower.expr(returns));
    let spans = definition_spans(lower, node, attributes, parameters);
    let receives = params
        .first()
        .is_some_and(|first| first.kind == ParamKind::Receiver);
    let function = Function {
        name: name_of(lower, node),
        id: ustr(""),
        params: params.into(),
        decorators,
        returns,
        is_async: child_of_kind(node, "function_modifiers")
            .is_some_and(|modifiers| child_of_kind(modifiers, "async").is_some()),
        exported: is_public(node),
        is_static: member && !receives,
    };
    let index = lower.function(function, node.child_by_field_name("body"), spans);
    for (param, value) in marks {
        let on = Marked::Param {
            function: index,
            param,
        };
        lower.push_mark(Mark { on, value });
    }
    lower.push_stmt(Stmt::Function(index), node, out);
}

/// The parameters of a function or closure, and the attributes on them.
fn params(lower: &mut Lowering<'_>, node: Node<'_>) -> (Vec<Param>, Vec<(u32, ExprId)>) {
    let mut found = Vec::new();
    let mut marks = Vec::new();
    let mut cursor = node.walk();
    let children: Vec<_> = node
        .children(&mut cursor)
        .filter(|child| child.is_named() || child.kind() == "_")
        .filter(|child| !child.is_extra() && !child.is_error())
        .collect();
    for child in children {
        if child.kind() == "attribute_item" {
            let place = offset(found.len());
            let values = decorators(lower, &[child]);
            marks.extend(values.iter().map(|&value| (place, value)));
            continue;
        }
        let mut kind = ParamKind::Plain;
        let (mut pattern, mut ty) = (Some(child), None);
        match child.kind() {
            "parameter" => {
                pattern = child.child_by_field_name("pattern");
                ty = child.child_by_field_name("type");
                if pattern.is_some_and(|pattern| pattern.kind() == "self") {
                    kind = ParamKind::Receiver;
                }
            }
            "self_parameter" => {
                pattern = child_of_kind(child, "self");
                kind = ParamKind::Receiver;
            }
            "variadic_parameter" => {
                pattern = child.child_by_field_name("pattern");
                kind = ParamKind::Rest;
            }
            _ => {}
        }
        let pattern = match pattern {
            Some(pattern) => lower.expr(pattern),
            None => lower.push(Expr::Unknown, child),
        };
        let ty = ty.map(|ty| lower.expr(ty));
        found.push(Param {
            pattern,
            ty,
            default: None,
            kind,
        });
    }
    (found, marks)
}

pub(super) fn closure(lower: &mut Lowering<'_>, node: Node<'_>, name: Ustr) -> u32 {
    let parameters = node.child_by_field_name("parameters");
    let (params, _) = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let returns = node
        .child_by_field_name("return_type")
        .map(|returns| lower.expr(returns));
    let mut spans = definition_spans(lower, node, &[], parameters);
    let start = spans.definition.start;
    spans.name = Span { start, end: start };
    let mut body = node.child_by_field_name("body");
    let mut is_async = child_of_kind(node, "async").is_some();
    // A closure that only gives an async block is an async closure.
    if let Some(inner) = body
        .filter(|body| body.kind() == "async_block")
        .and_then(|body| child_of_kind(body, "block"))
    {
        body = Some(inner);
        is_async = true;
    }
    let function = Function {
        name,
        id: ustr(""),
        params: params.into(),
        decorators: Box::default(),
        returns,
        is_async,
        exported: false,
        is_static: false,
    };
    lower.function(function, body, spans)
}
