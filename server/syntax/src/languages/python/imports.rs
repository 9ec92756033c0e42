//! Imports.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{Import, Imported, Stmt, StmtId};
use crate::lower::{Lowering, named};

pub(super) fn import(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let mut cursor = node.walk();
    let names: Vec<_> = node.children_by_field_name("name", &mut cursor).collect();
    for name in names {
        let (module, local) = match name.kind() {
            "aliased_import" => {
                let module = name.child_by_field_name("name");
                let alias = name.child_by_field_name("alias");
                match (module, alias) {
                    (Some(module), Some(alias)) => (lower.name(module), lower.name(alias)),
                    _ => continue,
                }
            }
            _ => (lower.name(name), lower.name(name)),
        };
        push_import(lower, name, module, Imported::Module, local, out);
    }
}

pub(super) fn import_from(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let Some(module) = node.child_by_field_name("module_name") else {
        return;
    };
    let text: String = lower
        .text(module)
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let module = ustr(&text);
    if named(node)
        .iter()
        .any(|child| child.kind() == "wildcard_import")
    {
        push_import(lower, node, module, Imported::Star, ustr(""), out);
        return;
    }
    let mut cursor = node.walk();
    let names: Vec<_> = node.children_by_field_name("name", &mut cursor).collect();
    for name in names {
        let (what, local) = match name.kind() {
            "aliased_import" => {
                match (
                    name.child_by_field_name("name"),
                    name.child_by_field_name("alias"),
                ) {
                    (Some(what), Some(alias)) => (lower.name(what), lower.name(alias)),
                    _ => continue,
                }
            }
            _ => (lower.name(name), lower.name(name)),
        };
        push_import(lower, name, module, Imported::Name(what), local, out);
    }
}

fn push_import(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    module: Ustr,
    what: Imported,
    local: Ustr,
    out: &mut Vec<StmtId>,
) {
    // Python's imports are re-exports as well: the name is an attribute of this module.
    let import = Import {
        module,
        what,
        local,
        reexport: true,
        type_only: false,
    };
    let index = lower.push_import(import);
    lower.push_stmt(Stmt::Import(index), node, out);
}
