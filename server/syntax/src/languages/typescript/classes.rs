//! Classes, interfaces and enums with their members.

use tree_sitter::Node;
use ustr::ustr;

use super::assignments::named_value;
use super::functions::{
    decorators, definition_spans, function, is_function, name_of, own_decorators,
};
use super::statements::field_block;
use super::types::several;
use super::{Definition, constant_name, peeled, positional};
use crate::facts::{Arg, BlockId, Class, ClassKind, Expr, ExprId, Mark, Marked, Run, Stmt, StmtId};
use crate::lower::{Lowering, named};

/// Adds a class-like scope of any form; `None` where the nesting is too deep.
pub(super) fn class(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
) -> Option<u32> {
    lower.nested(|lower| {
        let mut decorated = definition.decorators.clone();
        decorated.extend(own_decorators(node));
        let decorators = decorators(lower, &decorated);
        let heritage = named(node)
            .into_iter()
            .find(|child| matches!(child.kind(), "class_heritage" | "extends_type_clause"));
        let bases = heritage
            .map(|heritage| bases(lower, heritage))
            .unwrap_or_default();
        let spans = definition_spans(lower, node, definition, heritage);
        let kind = match node.kind() {
            "interface_declaration" => ClassKind::Interface,
            "enum_declaration" => ClassKind::Enum,
            "internal_module" | "module" => ClassKind::Module,
            _ => ClassKind::Class,
        };
        let class = Class {
            name: name_of(lower, node, definition),
            id: ustr(""),
            kind,
            bases,
            decorators,
            body: BlockId::default(),
            exported: definition.exported,
        };
        let body = node.child_by_field_name("body");
        lower.class(class, spans, |lower| {
            let Some(body) = body else {
                return lower.block_of(&[]);
            };
            match kind {
                ClassKind::Module => lower.block(body),
                ClassKind::Enum => enum_body(lower, body),
                _ => class_body(lower, body),
            }
        })
    })
}

/// Base classes and interfaces.
fn bases(lower: &mut Lowering<'_>, heritage: Node<'_>) -> Run {
    let mut args: Vec<Arg> = Vec::new();
    let clauses = match heritage.kind() {
        "class_heritage" => named(heritage),
        _ => vec![heritage],
    };
    for clause in clauses {
        for child in named(clause) {
            if child.is_extra() || child.is_error() {
                continue;
            }
            if child.kind() == "type_arguments" {
                // Those of the base before them.
                let index = several(lower, child);
                if let Some(last) = args.last_mut() {
                    let base = last.value;
                    last.value = lower.push(Expr::Index { base, index }, child);
                }
                continue;
            }
            let value = lower.expr(child);
            args.push(positional(value));
        }
    }
    lower.push_args(&args)
}

/// The members of a class or interface. The grammar puts a method's decorators before it.
fn class_body(lower: &mut Lowering<'_>, body: Node<'_>) -> BlockId {
    let mut out = Vec::new();
    let mut pending: Vec<Node<'_>> = Vec::new();
    for member in named(body) {
        match member.kind() {
            "decorator" => pending.push(member),
            "comment" => lower.stmt(member, &mut out),
            "method_definition" | "abstract_method_signature" => {
                let definition = Definition {
                    decorators: std::mem::take(&mut pending),
                    ..Definition::of(member)
                };
                method(lower, member, &definition, &mut out);
            }
            "method_signature" => {
                pending.clear();
                // In a class it is an overload of the method that follows.
                if body.kind() != "class_body" {
                    method(lower, member, &Definition::of(member), &mut out);
                }
            }
            "public_field_definition" | "property_signature" => {
                let mut decorated = std::mem::take(&mut pending);
                decorated.extend(own_decorators(member));
                field(lower, member, decorated, &mut out);
            }
            "class_static_block" => {
                pending.clear();
                let block = field_block(lower, member, "body");
                lower.push_stmt(Stmt::Block(block), member, &mut out);
            }
            _ => pending.clear(),
        }
    }
    lower.block_of(&out)
}

fn method(
    lower: &mut Lowering<'_>,
    member: Node<'_>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) {
    let Some((index, fields)) = function(lower, member, definition) else {
        return;
    };
    lower.push_stmt(Stmt::Function(index), member, out);
    for param in fields {
        // The parameter's expressions stand in the same code as the class.
        let declared = Stmt::Let {
            target: param.pattern,
            ty: param.ty,
            value: None,
        };
        lower.push_stmt(declared, member, out);
    }
}

pub(super) fn field(
    lower: &mut Lowering<'_>,
    member: Node<'_>,
    decorated: Vec<Node<'_>>,
    out: &mut Vec<StmtId>,
) {
    let Some(name) = member.child_by_field_name("name") else {
        return;
    };
    let constant = constant_name(lower, name);
    let value = member.child_by_field_name("value");
    let inner = value.map(peeled);
    let mut marks: Box<[ExprId]> = Box::default();
    let value = match inner {
        Some(inner) if is_function(inner) => {
            let definition = Definition {
                name: constant,
                outer: member,
                decorators: decorated,
                exported: false,
            };
            let expr = match function(lower, inner, &definition) {
                Some((index, _)) => Expr::Function(index),
                None => Expr::Unknown,
            };
            Some(lower.push(expr, inner))
        }
        _ => {
            marks = decorators(lower, &decorated);
            value.map(|value| named_value(lower, value, constant, false))
        }
    };
    let ty = member.child_by_field_name("type").map(|ty| lower.expr(ty));
    let target = match constant {
        Some(constant) => lower.push(Expr::Name(constant), name),
        None => lower.expr(name),
    };
    lower.push_stmt(Stmt::Let { target, ty, value }, member, out);
    if let Some(&stmt) = out.last() {
        for &value in &marks {
            lower.push_mark(Mark {
                on: Marked::Field(stmt),
                value,
            });
        }
    }
}

fn enum_body(lower: &mut Lowering<'_>, body: Node<'_>) -> BlockId {
    let mut out = Vec::new();
    for member in named(body) {
        if member.kind() == "comment" {
            lower.stmt(member, &mut out);
            continue;
        }
        let (name, value) = match member.kind() {
            "enum_assignment" => (
                member.child_by_field_name("name"),
                member.child_by_field_name("value"),
            ),
            _ => (Some(member), None),
        };
        let Some(name) = name else { continue };
        let value = value.map(|value| lower.expr(value));
        let target = match constant_name(lower, name) {
            Some(constant) => lower.push(Expr::Name(constant), name),
            None => lower.expr(name),
        };
        lower.push_stmt(
            Stmt::Let {
                target,
                ty: None,
                value,
            },
            member,
            &mut out,
        );
    }
    lower.block_of(&out)
}
