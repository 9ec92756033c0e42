//! Functions of any form, with their parameters and decorators.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::{Definition, constant_name, first_expr, has_token};
use crate::facts::{ExprId, Function, Mark, Marked, Param, ParamKind};
use crate::lower::{Lowering, first_named, named};
use crate::spans::{DefinitionSpans, Span};

pub(super) fn decorators(lower: &mut Lowering<'_>, nodes: &[Node<'_>]) -> Box<[ExprId]> {
    nodes
        .iter()
        .map(|decorator| first_expr(lower, *decorator))
        .collect()
}

/// The decorators that stand inside of a node.
pub(super) fn own_decorators(node: Node<'_>) -> Vec<Node<'_>> {
    named(node)
        .into_iter()
        .filter(|child| child.kind() == "decorator")
        .collect()
}

pub(super) fn definition_spans(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
    list: Option<Node<'_>>,
) -> DefinitionSpans {
    let mut whole = lower.span(definition.outer);
    if let Some(first) = definition.decorators.first() {
        whole.start = whole.start.min(lower.span(*first).start);
    }
    let mut own = lower.span(node);
    let mut cursor = node.walk();
    let keyword = node
        .children(&mut cursor)
        .find(|child| child.kind() != "decorator" && !child.is_extra());
    if let Some(keyword) = keyword {
        own.start = lower.span(keyword).start;
    }
    let first_byte = Span {
        start: own.start,
        end: own.start,
    };
    DefinitionSpans {
        whole,
        definition: own,
        name: node
            .child_by_field_name("name")
            .map_or(first_byte, |name| lower.span(name)),
        list: list.map(|list| lower.span(list)).unwrap_or_default(),
        body: node
            .child_by_field_name("body")
            .map(|body| lower.span(body))
            .unwrap_or_default(),
    }
}

/// The name of a definition: its own, or what it is assigned to.
pub(super) fn name_of(lower: &Lowering<'_>, node: Node<'_>, definition: &Definition<'_>) -> Ustr {
    match node.child_by_field_name("name") {
        Some(name) => constant_name(lower, name).unwrap_or_else(|| lower.name(name)),
        None => definition.name.unwrap_or_else(|| ustr("")),
    }
}

/// A parameter with what the facts keep elsewhere.
struct Parameter<'t> {
    param: Param,
    decorators: Vec<Node<'t>>,
    /// `constructor(private x: X)` declares a field as well.
    is_field: bool,
}

/// Adds a function of any form. Returns its index and those of its parameters that declare fields;
/// `None` where the nesting is too deep.
pub(super) fn function(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
) -> Option<(u32, Vec<Param>)> {
    lower.nested(|lower| {
        let decorators = decorators(lower, &definition.decorators);
        let list = node.child_by_field_name("parameters");
        let parameters = match node.child_by_field_name("parameter") {
            // `x => …`
            Some(name) => {
                let pattern = lower.expr(name);
                vec![Parameter {
                    param: Param {
                        pattern,
                        ty: None,
                        default: None,
                        kind: ParamKind::Plain,
                    },
                    decorators: Vec::new(),
                    is_field: false,
                }]
            }
            None => list.map(|list| parameters(lower, list)).unwrap_or_default(),
        };
        let returns = node
            .child_by_field_name("return_type")
            .map(|returns| lower.expr(returns));
        let mut marks = Vec::new();
        for (index, parameter) in parameters.iter().enumerate() {
            for decorator in &parameter.decorators {
                let value = first_expr(lower, *decorator);
                marks.push((crate::lower::offset(index), value));
            }
        }
        let spans = definition_spans(lower, node, definition, list);
        let function = Function {
            name: name_of(lower, node, definition),
            id: ustr(""),
            params: parameters.iter().map(|parameter| parameter.param).collect(),
            decorators,
            returns,
            is_async: has_token(node, "async"),
            exported: definition.exported,
            is_static: has_token(node, "static"),
        };
        let index = lower.function(function, node.child_by_field_name("body"), spans);
        for (param, value) in marks {
            let on = Marked::Param {
                function: index,
                param,
            };
            lower.push_mark(Mark { on, value });
        }
        let fields = parameters
            .into_iter()
            .filter(|parameter| parameter.is_field)
            .map(|parameter| parameter.param)
            .collect();
        (index, fields)
    })
}

fn parameters<'t>(lower: &mut Lowering<'_>, list: Node<'t>) -> Vec<Parameter<'t>> {
    let mut found = Vec::new();
    for child in named(list) {
        if child.is_extra() || child.is_error() {
            continue;
        }
        let pattern = child
            .child_by_field_name("pattern")
            .or_else(|| child.child_by_field_name("name"));
        let Some(pattern) = pattern else { continue };
        let (kind, pattern) = match pattern.kind() {
            // TypeScript's `this` parameter only declares a type.
            "this" => continue,
            "rest_pattern" => (ParamKind::Rest, first_named(pattern).unwrap_or(pattern)),
            _ => (ParamKind::Plain, pattern),
        };
        let pattern = lower.expr(pattern);
        let ty = child.child_by_field_name("type").map(|ty| lower.expr(ty));
        let default = child
            .child_by_field_name("value")
            .map(|default| lower.expr(default));
        let is_field = has_token(child, "readonly")
            || named(child)
                .iter()
                .any(|part| matches!(part.kind(), "accessibility_modifier" | "override_modifier"));
        found.push(Parameter {
            param: Param {
                pattern,
                ty,
                default,
                kind,
            },
            decorators: own_decorators(child),
            is_field,
        });
    }
    found
}

pub(super) fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arrow_function" | "function_expression" | "generator_function"
    )
}
