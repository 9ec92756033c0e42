//! Functions, lambdas and classes.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::Python;
use crate::facts::{
    BlockId, Class, ClassKind, Expr, ExprId, Function, Param, ParamKind, Stmt, StmtId,
};
use crate::lower::{Adapter, Lowering, first_named, named};
use crate::spans::DefinitionSpans;

fn decorators(lower: &mut Lowering<'_>, decorated: Option<Node<'_>>) -> Box<[ExprId]> {
    decorated
        .map(named)
        .unwrap_or_default()
        .into_iter()
        .filter(|child| child.kind() == "decorator")
        .filter_map(first_named)
        .map(|decorator| lower.expr(decorator))
        .collect()
}

fn definition_spans(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    decorated: Option<Node<'_>>,
    list: Option<Node<'_>>,
) -> DefinitionSpans {
    DefinitionSpans {
        whole: lower.span(decorated.unwrap_or(node)),
        definition: lower.span(node),
        name: node
            .child_by_field_name("name")
            .map(|name| lower.span(name))
            .unwrap_or_default(),
        list: list.map(|list| lower.span(list)).unwrap_or_default(),
        body: node
            .child_by_field_name("body")
            .map(|body| lower.span(body))
            .unwrap_or_default(),
    }
}

pub(super) fn function(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    decorated: Option<Node<'_>>,
    out: &mut Vec<StmtId>,
) {
    let parameters = node.child_by_field_name("parameters");
    let decorators = decorators(lower, decorated);
    let is_static = decorators
        .iter()
        .any(|&decorator| lower.get(decorator) == Expr::Name(ustr("staticmethod")));
    let params = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let returns = node
        .child_by_field_name("return_type")
        .map(|returns| lower.expr(returns));
    let spans = definition_spans(lower, node, decorated, parameters);
    let function = Function {
        name: name_of(lower, node),
        id: ustr(""),
        params: params.into(),
        decorators,
        returns,
        is_async: node.child(0).is_some_and(|first| first.kind() == "async"),
        exported: true,
        is_static,
    };
    let index = lower.function(function, node.child_by_field_name("body"), spans);
    lower.push_stmt(Stmt::Function(index), decorated.unwrap_or(node), out);
}

pub(super) fn lambda(lower: &mut Lowering<'_>, node: Node<'_>, name: Ustr) -> u32 {
    let parameters = node.child_by_field_name("parameters");
    let params = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let start = lower.span(node);
    let mut spans = definition_spans(lower, node, None, parameters);
    spans.name = crate::spans::Span {
        start: start.start,
        end: start.start,
    };
    let function = Function {
        name,
        id: ustr(""),
        params: params.into(),
        decorators: Box::default(),
        returns: None,
        is_async: false,
        exported: false,
        is_static: false,
    };
    lower.function(function, node.child_by_field_name("body"), spans)
}

/// `name = lambda: …`: the function takes the name. `false` if it is assigned to anything else.
pub(super) fn named_lambda(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    value: Node<'_>,
    out: &mut Vec<StmtId>,
) -> bool {
    let Some(left) = node
        .child_by_field_name("left")
        .filter(|left| left.kind() == "identifier")
    else {
        return false;
    };
    let name = lower.name(left);
    let index = lambda(lower, value, name);
    let value = Some(lower.push(Expr::Function(index), value));
    let ty = node.child_by_field_name("type").map(|ty| lower.expr(ty));
    let target = lower.expr(left);
    lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
    true
}

fn name_of(lower: &Lowering<'_>, node: Node<'_>) -> Ustr {
    node.child_by_field_name("name")
        .map_or_else(|| ustr(""), |name| lower.name(name))
}

fn params(lower: &mut Lowering<'_>, node: Node<'_>) -> Vec<Param> {
    let mut found = Vec::new();
    let mut keyword = false;
    for child in named(node) {
        let mut kind = if keyword {
            ParamKind::Keyword
        } else {
            ParamKind::Plain
        };
        let (pattern, mut ty, mut default);
        (ty, default) = (None, None);
        match child.kind() {
            "identifier" | "tuple_pattern" => pattern = Some(child),
            "default_parameter" => {
                pattern = child.child_by_field_name("name");
                default = child.child_by_field_name("value");
            }
            "typed_parameter" => {
                pattern = first_named(child);
                ty = child.child_by_field_name("type");
            }
            "typed_default_parameter" => {
                pattern = child.child_by_field_name("name");
                ty = child.child_by_field_name("type");
                default = child.child_by_field_name("value");
            }
            "list_splat_pattern" | "dictionary_splat_pattern" => pattern = Some(child),
            "keyword_separator" => {
                keyword = true;
                continue;
            }
            _ => continue,
        }
        let Some(mut name) = pattern else { continue };
        match name.kind() {
            "list_splat_pattern" => {
                kind = ParamKind::Rest;
                keyword = true;
                name = first_named(name).unwrap_or(name);
            }
            "dictionary_splat_pattern" => {
                kind = ParamKind::RestMap;
                name = first_named(name).unwrap_or(name);
            }
            _ => {}
        }
        let pattern = lower.expr(name);
        let ty = ty.map(|ty| lower.expr(ty));
        let default = default.map(|default| lower.expr(default));
        found.push(Param {
            pattern,
            ty,
            default,
            kind,
        });
    }
    found
}

pub(super) fn class(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    decorated: Option<Node<'_>>,
    out: &mut Vec<StmtId>,
) {
    let superclasses = node.child_by_field_name("superclasses");
    let decorators = decorators(lower, decorated);
    let bases = superclasses
        .map(|bases| Python.arguments(lower, bases))
        .unwrap_or_default();
    let spans = definition_spans(lower, node, decorated, superclasses);
    let class = Class {
        name: name_of(lower, node),
        id: ustr(""),
        kind: ClassKind::Class,
        bases,
        decorators,
        body: BlockId::default(),
        exported: true,
    };
    let body = node.child_by_field_name("body");
    let index = lower.class(class, spans, |lower| match body {
        Some(body) => lower.block(body),
        None => lower.block_of(&[]),
    });
    lower.push_stmt(Stmt::Class(index), decorated.unwrap_or(node), out);
}
