//! The languages: a grammar, a table of its kinds and an adapter each.

mod python;
mod rust;
mod typescript;

use std::sync::OnceLock;

use tree_sitter::Language as Grammar;

use crate::facts::Language;
use crate::kinds::{Kinds, KindsError};
use crate::lower::Adapter;

/// What the lowering needs of a language.
pub(crate) struct Support {
    pub(crate) grammar: Grammar,
    pub(crate) kinds: Kinds,
    pub(crate) adapter: &'static dyn Adapter,
}

/// The support of a language; the error of its table is the same at every call.
pub(crate) fn support(language: Language) -> Result<&'static Support, &'static KindsError> {
    static TSX: OnceLock<Result<Support, KindsError>> = OnceLock::new();
    static TYPESCRIPT: OnceLock<Result<Support, KindsError>> = OnceLock::new();
    static RUST: OnceLock<Result<Support, KindsError>> = OnceLock::new();
    static PYTHON: OnceLock<Result<Support, KindsError>> = OnceLock::new();
    let (cell, grammar, scm, adapter): (_, Grammar, _, &'static dyn Adapter) = match language {
        Language::TypeScript => (
            &TYPESCRIPT,
            tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            include_str!("../../../../queries/typescript/facts.scm"),
            &typescript::TypeScript,
        ),
        Language::Tsx => (
            &TSX,
            tree_sitter_typescript::LANGUAGE_TSX.into(),
            include_str!("../../../../queries/typescript/facts.scm"),
            &typescript::TypeScript,
        ),
        Language::Rust => (
            &RUST,
            tree_sitter_rust::LANGUAGE.into(),
            include_str!("../../../../queries/rust/facts.scm"),
            &rust::Rust,
        ),
        Language::Python => (
            &PYTHON,
            tree_sitter_python::LANGUAGE.into(),
            include_str!("../../../../queries/python/facts.scm"),
            &python::Python,
        ),
    };
    cell.get_or_init(|| {
        let kinds = Kinds::new(&grammar, scm)?;
        Ok(Support {
            grammar,
            kinds,
            adapter,
        })
    })
    .as_ref()
}
