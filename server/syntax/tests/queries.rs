//! Every `queries/<language>/*.scm` is a query of each grammar it is read for.

use gatewatch_syntax::Kinds;
use tree_sitter::{Language, Query};

fn grammars(folder: &str) -> Vec<Language> {
    match folder {
        "python" => vec![tree_sitter_python::LANGUAGE.into()],
        "typescript" => vec![
            tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            tree_sitter_typescript::LANGUAGE_TSX.into(),
        ],
        "rust" => vec![tree_sitter_rust::LANGUAGE.into()],
        _ => Vec::new(),
    }
}

#[test]
fn every_query_fits_its_grammars() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries");
    let mut seen = 0;
    for folder in std::fs::read_dir(root).expect("the queries") {
        let folder = folder.expect("a folder").path();
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for file in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|extension| extension != "scm") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let grammars = grammars(&name);
            assert!(!grammars.is_empty(), "{name} has no grammar");
            for grammar in grammars {
                seen += 1;
                if path.ends_with("facts.scm") {
                    if let Err(error) = Kinds::new(&grammar, &text) {
                        panic!("{}: {error}", path.display());
                    }
                } else if let Err(error) = Query::new(&grammar, &text) {
                    panic!("{}: {error}", path.display());
                }
            }
        }
    }
    assert!(seen >= 3, "python once and typescript twice");
}
