//! `use` trees and `extern crate`.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::{is_public, name_of, parts};
use crate::facts::{Import, Imported, Stmt, StmtId};
use crate::lower::{Lowering, first_named};

pub(super) fn push_import(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    import: Import,
    out: &mut Vec<StmtId>,
) {
    let index = lower.push_import(import);
    lower.push_stmt(Stmt::Import(index), node, out);
}

pub(super) fn extern_crate(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let module = name_of(lower, node);
    let local = node
        .child_by_field_name("alias")
        .map_or(module, |alias| lower.name(alias));
    if local == "_" {
        return;
    }
    let import = Import {
        module,
        what: Imported::Module,
        local,
        reexport: is_public(node),
        type_only: false,
    };
    push_import(lower, node, import, out);
}

/// Flattens a tree of `use`. `prefix` is the path before the braces around this part.
pub(super) fn use_tree(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    prefix: &str,
    reexport: bool,
    out: &mut Vec<StmtId>,
) {
    let join = |lower: &Lowering<'_>, path: Option<Node<'_>>| {
        let text = path.map_or("", |path| lower.text(path));
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.trim_start_matches("::");
        match (prefix, text) {
            ("", text) => text.to_owned(),
            (prefix, "" | "self") => prefix.to_owned(),
            (prefix, text) => format!("{prefix}::{text}"),
        }
    };
    match node.kind() {
        "use_list" => {
            for child in parts(node) {
                lower.nested(|lower| use_tree(lower, child, prefix, reexport, out));
            }
        }
        "scoped_use_list" => {
            let prefix = join(lower, node.child_by_field_name("path"));
            if let Some(list) = node.child_by_field_name("list") {
                lower.nested(|lower| use_tree(lower, list, &prefix, reexport, out));
            }
        }
        "use_wildcard" => {
            let import = Import {
                module: ustr(&join(lower, first_named(node))),
                what: Imported::Star,
                local: ustr(""),
                reexport,
                type_only: false,
            };
            push_import(lower, node, import, out);
        }
        "use_as_clause" => {
            let path = join(lower, node.child_by_field_name("path"));
            if let Some(alias) = node.child_by_field_name("alias") {
                let local = lower.name(alias);
                use_path(lower, node, &path, Some(local), reexport, out);
            }
        }
        _ => {
            let path = join(lower, Some(node));
            use_path(lower, node, &path, None, reexport, out);
        }
    }
}

fn use_path(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    path: &str,
    alias: Option<Ustr>,
    reexport: bool,
    out: &mut Vec<StmtId>,
) {
    if alias.is_some_and(|alias| alias == "_") {
        return;
    }
    let (module, what, last) = match path.rsplit_once("::") {
        Some((module, last)) => (module, Imported::Name(ustr(last)), last),
        None => (path, Imported::Module, path),
    };
    let import = Import {
        module: ustr(module),
        what,
        local: alias.unwrap_or_else(|| ustr(last)),
        reexport,
        type_only: false,
    };
    push_import(lower, node, import, out);
}
