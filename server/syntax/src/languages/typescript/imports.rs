//! Imports and exports, those of CommonJS as well.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::assignments::{declaration, named_value};
use super::classes::class;
use super::literals::string_text;
use super::{Definition, constant_name, has_token, peeled};
use crate::facts::{Expr, Import, Imported, Stmt, StmtId};
use crate::lower::{Lowering, first_named, named};

fn push_import(lower: &mut Lowering<'_>, import: Import, node: Node<'_>, out: &mut Vec<StmtId>) {
    let index = lower.push_import(import);
    lower.push_stmt(Stmt::Import(index), node, out);
}

/// A name in an import or export list; it may be written as a string.
fn listed_name(lower: &Lowering<'_>, node: Option<Node<'_>>) -> Option<Ustr> {
    constant_name(lower, node?)
}

pub(super) fn import(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let type_only = has_token(node, "type");
    let children = named(node);
    if let Some(clause) = children
        .iter()
        .find(|child| child.kind() == "import_require_clause")
    {
        // `import x = require("m")`
        if let (Some(local), Some(source)) =
            (first_named(*clause), clause.child_by_field_name("source"))
        {
            let import = Import {
                module: ustr(&string_text(lower, source)),
                what: Imported::Module,
                local: lower.name(local),
                reexport: false,
                type_only,
            };
            push_import(lower, import, node, out);
        }
        return;
    }
    let Some(source) = node.child_by_field_name("source") else {
        return;
    };
    let import = Import {
        module: ustr(&string_text(lower, source)),
        what: Imported::Module,
        local: ustr(""),
        reexport: false,
        type_only,
    };
    let clause = children
        .iter()
        .find(|child| child.kind() == "import_clause");
    let Some(clause) = clause else {
        push_import(lower, import, node, out);
        return;
    };
    for child in named(*clause) {
        match child.kind() {
            "identifier" => {
                let import = Import {
                    what: Imported::Name(ustr("default")),
                    local: lower.name(child),
                    ..import.clone()
                };
                push_import(lower, import, child, out);
            }
            "namespace_import" => {
                if let Some(local) = first_named(child) {
                    let import = Import {
                        local: lower.name(local),
                        ..import.clone()
                    };
                    push_import(lower, import, child, out);
                }
            }
            "named_imports" => {
                for specifier in named(child) {
                    let name = listed_name(lower, specifier.child_by_field_name("name"));
                    let Some(name) = name else { continue };
                    let local = listed_name(lower, specifier.child_by_field_name("alias"));
                    let import = Import {
                        what: Imported::Name(name),
                        local: local.unwrap_or(name),
                        type_only: type_only || has_token(specifier, "type"),
                        ..import.clone()
                    };
                    push_import(lower, import, specifier, out);
                }
            }
            _ => {}
        }
    }
}

/// The module, and the member of it, that `require("m")` or `require("m").member` names.
pub(super) fn required(lower: &Lowering<'_>, value: Node<'_>) -> Option<(Ustr, Option<Ustr>)> {
    let value = peeled(value);
    if value.kind() == "member_expression" {
        let object = peeled(value.child_by_field_name("object")?);
        let module = required_module(lower, object)?;
        let member = lower.name(value.child_by_field_name("property")?);
        return Some((module, Some(member)));
    }
    Some((required_module(lower, value)?, None))
}

fn required_module(lower: &Lowering<'_>, call: Node<'_>) -> Option<Ustr> {
    if call.kind() != "call_expression" {
        return None;
    }
    let callee = call.child_by_field_name("function")?;
    let arguments = call.child_by_field_name("arguments")?;
    if callee.kind() != "identifier"
        || lower.text(callee) != "require"
        || arguments.kind() != "arguments"
    {
        return None;
    }
    match first_named(arguments)? {
        module if matches!(module.kind(), "string" | "template_string") => {
            constant_name(lower, module)
        }
        _ => None,
    }
}

/// The imports that `const name = require("m")` and its like make; `false` if the pattern says more
/// than a list of names.
pub(super) fn import_required(
    lower: &mut Lowering<'_>,
    name: Node<'_>,
    module: Ustr,
    member: Option<Ustr>,
    at: Node<'_>,
    out: &mut Vec<StmtId>,
) -> bool {
    let import = |what, local| Import {
        module,
        what,
        local,
        reexport: false,
        type_only: false,
    };
    if name.kind() == "identifier" {
        let what = member.map_or(Imported::Module, Imported::Name);
        push_import(lower, import(what, lower.name(name)), at, out);
        return true;
    }
    if name.kind() != "object_pattern" || member.is_some() {
        return false;
    }
    let mut names = Vec::new();
    for entry in named(name) {
        if entry.is_extra() {
            continue;
        }
        let Some((key, local)) = destructured(lower, entry) else {
            return false;
        };
        names.push((entry, key, local));
    }
    for (entry, key, local) in names {
        push_import(lower, import(Imported::Name(key), local), entry, out);
    }
    true
}

/// Key and local name of an entry of an object pattern that binds a single name.
fn destructured(lower: &Lowering<'_>, entry: Node<'_>) -> Option<(Ustr, Ustr)> {
    match entry.kind() {
        "shorthand_property_identifier_pattern" => {
            let name = lower.name(entry);
            Some((name, name))
        }
        "object_assignment_pattern" => destructured(lower, entry.child_by_field_name("left")?),
        "pair_pattern" => {
            let key = constant_name(lower, entry.child_by_field_name("key")?)?;
            let mut value = entry.child_by_field_name("value")?;
            if value.kind() == "assignment_pattern" {
                value = value.child_by_field_name("left")?;
            }
            (value.kind() == "identifier").then(|| (key, lower.name(value)))
        }
        _ => None,
    }
}

pub(super) fn export(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    if let Some(source) = node.child_by_field_name("source") {
        reexport(lower, node, source, out);
        return;
    }
    let mut cursor = node.walk();
    let definition = Definition {
        name: None,
        outer: node,
        decorators: node
            .children_by_field_name("decorator", &mut cursor)
            .collect(),
        exported: true,
    };
    let default = ustr("default");
    if let Some(inner) = node.child_by_field_name("declaration") {
        declaration(lower, inner, &definition, out);
        if has_token(node, "default")
            && let Some(name) = inner.child_by_field_name("name")
        {
            let value = lower.push(Expr::Name(lower.name(name)), name);
            let name = default;
            lower.push_stmt(Stmt::Export { name, value }, node, out);
        }
        return;
    }
    if let Some(value) = node.child_by_field_name("value") {
        let value = match value.kind() {
            "class" => {
                let expr = match class(lower, value, &definition) {
                    Some(index) => Expr::Class(index),
                    None => Expr::Unknown,
                };
                lower.push(expr, value)
            }
            _ => named_value(lower, value, None, true),
        };
        let name = default;
        lower.push_stmt(Stmt::Export { name, value }, node, out);
        return;
    }
    for child in named(node) {
        if child.kind() == "export_clause" {
            for specifier in named(child) {
                let Some(local) = specifier.child_by_field_name("name") else {
                    continue;
                };
                let name = listed_name(lower, specifier.child_by_field_name("alias"))
                    .or_else(|| listed_name(lower, Some(local)));
                let Some(name) = name else { continue };
                let value = lower.expr(local);
                lower.push_stmt(Stmt::Export { name, value }, specifier, out);
            }
        } else if !child.is_extra() && has_token(node, "=") {
            // `export = x`
            let value = named_value(lower, child, None, true);
            let name = ustr("module.exports");
            lower.push_stmt(Stmt::Export { name, value }, node, out);
        }
    }
}

/// `export … from "m"`.
fn reexport(lower: &mut Lowering<'_>, node: Node<'_>, source: Node<'_>, out: &mut Vec<StmtId>) {
    let import = Import {
        module: ustr(&string_text(lower, source)),
        what: Imported::Star,
        local: ustr(""),
        reexport: true,
        type_only: has_token(node, "type"),
    };
    let mut all = true;
    for child in named(node) {
        match child.kind() {
            "namespace_export" => {
                all = false;
                if let Some(local) = listed_name(lower, first_named(child)) {
                    let import = Import {
                        what: Imported::Module,
                        local,
                        ..import.clone()
                    };
                    push_import(lower, import, node, out);
                }
            }
            "export_clause" => {
                all = false;
                for specifier in named(child) {
                    let name = listed_name(lower, specifier.child_by_field_name("name"));
                    let Some(name) = name else { continue };
                    let local = listed_name(lower, specifier.child_by_field_name("alias"));
                    let import = Import {
                        what: Imported::Name(name),
                        local: local.unwrap_or(name),
                        type_only: import.type_only || has_token(specifier, "type"),
                        ..import.clone()
                    };
                    push_import(lower, import, specifier, out);
                }
            }
            _ => {}
        }
    }
    if all {
        push_import(lower, import, node, out);
    }
}
