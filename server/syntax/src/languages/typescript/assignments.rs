//! Assignments and declarations: what gets which name, and what CommonJS exports.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::classes::class;
use super::functions::function;
use super::imports::{import_required, required};
use super::{Definition, constant_name, field_expr, has_token, peeled};
use crate::facts::{Expr, ExprId, Stmt, StmtId};
use crate::lower::{Lowering, first_named, named};

/// Lowers a value; a function or class without a name of its own gets `name`.
pub(super) fn named_value(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    name: Option<Ustr>,
    exported: bool,
) -> ExprId {
    let value = peeled(node);
    let definition = Definition {
        name,
        exported,
        ..Definition::of(value)
    };
    match value.kind() {
        "arrow_function" | "function_expression" | "generator_function" => {
            let expr = match function(lower, value, &definition) {
                Some((index, _)) => Expr::Function(index),
                None => Expr::Unknown,
            };
            lower.push(expr, value)
        }
        "class" => {
            let expr = match class(lower, value, &definition) {
                Some(index) => Expr::Class(index),
                None => Expr::Unknown,
            };
            lower.push(expr, value)
        }
        _ => lower.expr(node),
    }
}

/// The targets of `a = b = value`, outermost first, and the value.
pub(super) fn chain(node: Node<'_>) -> (Vec<Node<'_>>, Option<Node<'_>>) {
    let mut targets = Vec::new();
    let mut value = Some(node);
    while let Some(assignment) = value {
        if assignment.kind() != "assignment_expression" {
            break;
        }
        targets.extend(assignment.child_by_field_name("left"));
        value = assignment.child_by_field_name("right");
    }
    (targets, value)
}

/// The name that a function gets when it is assigned to this target.
pub(super) fn assigned_name(lower: &Lowering<'_>, target: Node<'_>) -> Option<Ustr> {
    match target.kind() {
        "identifier" if lower.text(target) != "exports" => Some(lower.name(target)),
        "member_expression" if !is_module_exports(lower, target) => {
            Some(lower.name(target.child_by_field_name("property")?))
        }
        "subscript_expression" => match target.child_by_field_name("index")? {
            index if index.kind() == "string" => constant_name(lower, index),
            _ => None,
        },
        _ => None,
    }
}

fn is_module_exports(lower: &Lowering<'_>, node: Node<'_>) -> bool {
    let text = |field: &str| {
        node.child_by_field_name(field)
            .map_or("", |child| lower.text(child))
    };
    node.kind() == "member_expression"
        && text("object") == "module"
        && text("property") == "exports"
}

/// The name under which an assignment to this target exports: `module.exports`, or the member of it.
pub(super) fn export_name(lower: &Lowering<'_>, target: Node<'_>) -> Option<Ustr> {
    if is_module_exports(lower, target) {
        return Some(ustr("module.exports"));
    }
    let object = target.child_by_field_name("object")?;
    let exports = is_module_exports(lower, object)
        || (object.kind() == "identifier" && lower.text(object) == "exports");
    if !exports {
        return None;
    }
    match target.kind() {
        "member_expression" => Some(lower.name(target.child_by_field_name("property")?)),
        "subscript_expression" => constant_name(lower, target.child_by_field_name("index")?)
            .filter(|_| {
                target
                    .child_by_field_name("index")
                    .is_some_and(|index| index.kind() == "string")
            }),
        _ => None,
    }
}

/// Adds the statements of an assignment of `value` to `targets`. `local` is a variable that holds
/// the value already.
pub(super) fn assign(
    lower: &mut Lowering<'_>,
    targets: &[Node<'_>],
    value: ExprId,
    local: Option<Ustr>,
    node: Node<'_>,
    out: &mut Vec<StmtId>,
) {
    let mut local = local;
    let mut exports = Vec::new();
    for &target in targets {
        if let Some(name) = export_name(lower, target) {
            exports.push((name, target));
            continue;
        }
        if targets.len() > 1 && lower.text(target) == "exports" {
            // `exports = module.exports = x` only keeps the short name in step.
            continue;
        }
        if target.kind() == "identifier" {
            local = local.or(Some(lower.name(target)));
        }
        let target = lower.expr(target);
        let value = Some(value);
        lower.push_stmt(
            Stmt::Let {
                target,
                ty: None,
                value,
            },
            node,
            out,
        );
    }
    for (name, target) in exports {
        // What is exported is the variable, not a second evaluation of the value.
        let value = match local {
            Some(local) => lower.push(Expr::Name(local), target),
            None => value,
        };
        lower.push_stmt(Stmt::Export { name, value }, node, out);
    }
}

/// The declaration in `using x = value` and `await using x = value`, which the grammar reads as an
/// assignment with a keyword before it.
pub(super) fn using_of(node: Node<'_>) -> Option<Node<'_>> {
    if node.kind() != "expression_statement" {
        return None;
    }
    let mut inner = first_named(node)?;
    if inner.kind() == "await_expression" {
        inner = first_named(inner)?;
    }
    (inner.kind() == "assignment_expression" && has_token(inner, "using")).then_some(inner)
}

/// Lowers a declaration; `false` if the node is none.
pub(super) fn declaration(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) -> bool {
    match node.kind() {
        "function_declaration" | "generator_function_declaration" => {
            if let Some((index, _)) = function(lower, node, definition) {
                lower.push_stmt(Stmt::Function(index), definition.outer, out);
            }
        }
        "class_declaration"
        | "abstract_class_declaration"
        | "interface_declaration"
        | "enum_declaration"
        | "internal_module"
        | "module" => {
            if let Some(index) = class(lower, node, definition) {
                lower.push_stmt(Stmt::Class(index), definition.outer, out);
            }
        }
        "lexical_declaration" | "variable_declaration" => variables(lower, node, definition, out),
        "type_alias_declaration" => {
            let value = Some(field_expr(lower, node, "value"));
            let target = field_expr(lower, node, "name");
            let alias = Stmt::Let {
                target,
                ty: None,
                value,
            };
            lower.push_stmt(alias, definition.outer, out);
            if definition.exported {
                export_names(lower, node.child_by_field_name("name"), definition, out);
            }
        }
        "import_alias" => {
            if let [target, value, ..] = named(node).as_slice() {
                let value = Some(lower.expr(*value));
                let name = *target;
                let target = lower.expr(name);
                let alias = Stmt::Let {
                    target,
                    ty: None,
                    value,
                };
                lower.push_stmt(alias, definition.outer, out);
                if definition.exported {
                    export_names(lower, Some(name), definition, out);
                }
            }
        }
        "ambient_declaration" => {
            if let Some(inner) = first_named(node) {
                if inner.kind() == "statement_block" {
                    lower.stmt(inner, out);
                } else {
                    declaration(lower, inner, definition, out);
                }
            }
        }
        // Nothing behind these runs.
        "function_signature" | "property_identifier" => {}
        _ => return false,
    }
    true
}

/// `const`, `let` and `var`.
fn variables(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) {
    let declarators: Vec<_> = named(node)
        .into_iter()
        .filter(|child| child.kind() == "variable_declarator")
        .collect();
    for declarator in &declarators {
        let at = match declarators.len() {
            1 => definition.outer,
            _ => *declarator,
        };
        let Some(name) = declarator.child_by_field_name("name") else {
            continue;
        };
        let value = declarator.child_by_field_name("value");
        let required = value.and_then(|value| required(lower, value));
        let imported = match required {
            Some((module, member)) => import_required(lower, name, module, member, at, out),
            None => false,
        };
        if !imported {
            variable(lower, *declarator, name, definition.exported, at, out);
        }
        if definition.exported {
            export_names(lower, Some(name), definition, out);
        }
    }
}

fn variable(
    lower: &mut Lowering<'_>,
    declarator: Node<'_>,
    name: Node<'_>,
    exported: bool,
    at: Node<'_>,
    out: &mut Vec<StmtId>,
) {
    let local = (name.kind() == "identifier").then(|| lower.name(name));
    let value = declarator.child_by_field_name("value");
    // `const app = module.exports = express()`.
    let (targets, value) = match value {
        Some(value) => chain(value),
        None => (Vec::new(), None),
    };
    let exported = exported
        || targets
            .iter()
            .any(|target| export_name(lower, *target).is_some());
    let value = value.map(|value| named_value(lower, value, local, exported));
    let ty = declarator
        .child_by_field_name("type")
        .map(|ty| lower.expr(ty));
    let target = lower.expr(name);
    lower.push_stmt(Stmt::Let { target, ty, value }, at, out);
    if let Some(value) = value {
        assign(lower, &targets, value, local, at, out);
    }
}

/// Exports every name that a pattern binds.
fn export_names(
    lower: &mut Lowering<'_>,
    pattern: Option<Node<'_>>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) {
    let mut pending: Vec<_> = pattern.into_iter().collect();
    while let Some(node) = pending.pop() {
        match node.kind() {
            "identifier" | "type_identifier" | "shorthand_property_identifier_pattern" => {
                let name = lower.name(node);
                let value = lower.push(Expr::Name(name), node);
                lower.push_stmt(Stmt::Export { name, value }, definition.outer, out);
            }
            "pair_pattern" => pending.extend(node.child_by_field_name("value")),
            "assignment_pattern" | "object_assignment_pattern" => {
                pending.extend(node.child_by_field_name("left"));
            }
            _ => pending.extend(named(node).into_iter().rev()),
        }
    }
}
