//! What stands between functions: structs, enums, traits, `impl` blocks and modules.

use tree_sitter::Node;
use ustr::ustr;

use super::attributes::{decorators, for_tests};
use super::functions::function;
use super::imports::{extern_crate, push_import, use_tree};
use super::statements::each;
use super::types::type_name;
use super::{child_of_kind, field_expr, is_public, name_of, parts, positional};
use crate::facts::{
    Arg, ArgKind, BlockId, Class, ClassKind, Expr, ExprId, Import, Imported, Mark, Marked, Run,
    Stmt, StmtId,
};
use crate::file::clipped;
use crate::lower::{Lowering, named};
use crate::spans::{DefinitionSpans, Span};

/// Lowers a definition, `false` if the node is none. `member`: it stands in an `impl` or trait.
pub(super) fn item(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    member: bool,
    out: &mut Vec<StmtId>,
) -> bool {
    match node.kind() {
        "function_item" | "function_signature_item" => {
            function(lower, node, attributes, member, out);
        }
        "struct_item" | "union_item" => class(lower, node, attributes, ClassKind::Struct, out),
        "enum_item" => class(lower, node, attributes, ClassKind::Enum, out),
        "trait_item" => class(lower, node, attributes, ClassKind::Interface, out),
        "impl_item" => class(lower, node, attributes, ClassKind::Impl, out),
        "mod_item" => module(lower, node, attributes, out),
        "use_declaration" => {
            if let Some(argument) = node.child_by_field_name("argument") {
                use_tree(lower, argument, "", is_public(node), out);
            }
        }
        "extern_crate_declaration" => extern_crate(lower, node, out),
        "const_item" | "static_item" => {
            let value = node
                .child_by_field_name("value")
                .map(|value| lower.expr(value));
            let ty = node.child_by_field_name("type").map(|ty| lower.expr(ty));
            let target = field_expr(lower, node, "name");
            lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
        }
        "type_item" | "associated_type" => {
            let value = node.child_by_field_name("type").map(|ty| lower.expr(ty));
            let target = field_expr(lower, node, "name");
            let ty = None;
            lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
        }
        "macro_definition" => {
            // What it expands to isn't known; that it is defined here is.
            if let Some(name) = node.child_by_field_name("name") {
                let value = Some(lower.push(Expr::Unknown, node));
                let text = ustr(&format!("{}!", lower.text(name)));
                let target = lower.push(Expr::Name(text), name);
                let ty = None;
                lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
            }
        }
        "macro_invocation" if member => super::macros::macro_statement(lower, node, false, out),
        "empty_statement" | "foreign_mod_item" => {}
        _ => return false,
    }
    true
}

/// What tells an `impl` from others: `<Type>`, `<Type as Trait>`. The type alone would be the key of its
/// struct as well, and while one of the two is half-typed the other would take its place.
pub(super) fn impl_key(text: &str, node: Node<'_>) -> String {
    let name = node
        .child_by_field_name("type")
        .map_or("", |ty| type_name(text, ty));
    let Some(base) = node.child_by_field_name("trait") else {
        return clipped(&format!("<{name}>"));
    };
    let base = text.get(base.byte_range()).unwrap_or_default();
    let base = base.split_whitespace().collect::<Vec<_>>().join(" ");
    clipped(&format!("<{name} as {base}>"))
}

pub(super) fn definition_spans(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    list: Option<Node<'_>>,
) -> DefinitionSpans {
    let definition = lower.span(node);
    let start = attributes
        .first()
        .map_or(definition.start, |first| lower.span(*first).start);
    DefinitionSpans {
        whole: Span {
            start,
            end: definition.end,
        },
        definition,
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

fn class(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    kind: ClassKind,
    out: &mut Vec<StmtId>,
) {
    let decorators = decorators(lower, attributes);
    let mut spans = definition_spans(lower, node, attributes, None);
    let mut name = name_of(lower, node);
    let mut bases = Vec::new();
    match kind {
        ClassKind::Impl => {
            if let Some(ty) = node.child_by_field_name("type") {
                name = ustr(type_name(lower.text, ty));
                spans.name = lower.span(ty);
            }
            // `impl !Send for X` takes the trait away.
            if let Some(base) = node.child_by_field_name("trait")
                && child_of_kind(node, "!").is_none()
            {
                spans.list = lower.span(base);
                bases.push(positional(lower.expr(base)));
            }
        }
        ClassKind::Interface => {
            if let Some(bounds) = node.child_by_field_name("bounds") {
                spans.list = lower.span(bounds);
                for bound in parts(bounds) {
                    if bound.kind() != "lifetime" {
                        bases.push(positional(lower.expr(bound)));
                    }
                }
            }
        }
        _ => {}
    }
    let bases = lower.push_args(&bases);
    let id = match kind {
        ClassKind::Impl => ustr(&impl_key(lower.text, node)),
        _ => ustr(""),
    };
    let class = Class {
        name,
        id,
        kind,
        bases,
        decorators,
        body: BlockId::default(),
        exported: is_public(node),
    };
    let body = node.child_by_field_name("body");
    let index = lower.class(class, spans, |lower| {
        let mut statements = Vec::new();
        if let Some(body) = body {
            match body.kind() {
                "declaration_list" => each(lower, &named(body), false, true, &mut statements),
                _ => fields(lower, body, &mut statements),
            }
        }
        lower.block_of(&statements)
    });
    lower.push_stmt(Stmt::Class(index), node, out);
}

/// The fields of a struct, or the variants of an enum.
fn fields(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let mut cursor = node.walk();
    let children: Vec<_> = node.children(&mut cursor).collect();
    let mut attributes = Vec::new();
    let mut position = 0;
    for child in children {
        if child.is_extra() {
            lower.stmt(child, out);
            continue;
        }
        match child.kind() {
            "attribute_item" => {
                attributes.push(child);
                continue;
            }
            "visibility_modifier" => continue,
            _ if !child.is_named() || child.is_error() => continue,
            _ => {}
        }
        let attributes = std::mem::take(&mut attributes);
        if attributes
            .iter()
            .any(|attribute| for_tests(lower.text, *attribute))
        {
            continue;
        }
        let marks = decorators(lower, &attributes);
        match child.kind() {
            "field_declaration" => {
                let ty = child.child_by_field_name("type").map(|ty| lower.expr(ty));
                let target = field_expr(lower, child, "name");
                let value = None;
                lower.push_stmt(Stmt::Let { target, ty, value }, child, out);
            }
            "enum_variant" => {
                let ty = child
                    .child_by_field_name("body")
                    .map(|body| variant(lower, body));
                let value = child
                    .child_by_field_name("value")
                    .map(|value| lower.expr(value));
                let target = field_expr(lower, child, "name");
                lower.push_stmt(Stmt::Let { target, ty, value }, child, out);
            }
            // Anything else is a tuple struct's type.
            _ => {
                let ty = Some(lower.expr(child));
                let target = lower.push(Expr::Name(ustr(&position.to_string())), child);
                let value = None;
                lower.push_stmt(Stmt::Let { target, ty, value }, child, out);
                position += 1;
            }
        }
        mark_field(lower, &marks, out);
    }
}

/// Puts attributes on the field that was added last.
fn mark_field(lower: &mut Lowering<'_>, marks: &[ExprId], out: &[StmtId]) {
    if let Some(&field) = out.last() {
        for &value in marks {
            lower.push_mark(Mark {
                on: Marked::Field(field),
                value,
            });
        }
    }
}

/// What an enum's variant holds: a tuple of types, or a dict of them.
fn variant(lower: &mut Lowering<'_>, body: Node<'_>) -> ExprId {
    let mut args = Vec::new();
    let named_fields = body.kind() == "field_declaration_list";
    for part in parts(body) {
        match part.kind() {
            "visibility_modifier" => {}
            "field_declaration" => {
                let kind = ArgKind::Named(name_of(lower, part));
                let value = field_expr(lower, part, "type");
                args.push(Arg { kind, value });
            }
            _ => args.push(positional(lower.expr(part))),
        }
    }
    let run = lower.push_args(&args);
    let expr = if named_fields {
        Expr::Dict(run)
    } else {
        Expr::Tuple(run)
    };
    lower.push(expr, body)
}

pub(super) fn module(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    out: &mut Vec<StmtId>,
) {
    let name = name_of(lower, node);
    let Some(body) = node.child_by_field_name("body") else {
        let import = Import {
            module: ustr(&format!("self::{name}")),
            what: Imported::Module,
            local: name,
            reexport: is_public(node),
            type_only: false,
        };
        push_import(lower, node, import, out);
        return;
    };
    let decorators = decorators(lower, attributes);
    let spans = definition_spans(lower, node, attributes, None);
    let class = Class {
        name,
        id: ustr(""),
        kind: ClassKind::Module,
        bases: Run::default(),
        decorators,
        body: BlockId::default(),
        exported: is_public(node),
    };
    let index = lower.class(class, spans, |lower| {
        let mut statements = Vec::new();
        each(lower, &named(body), false, false, &mut statements);
        lower.block_of(&statements)
    });
    lower.push_stmt(Stmt::Class(index), node, out);
}
