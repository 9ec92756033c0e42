//! Which files are part of what is served.

use gatewatch_source::{FilePath, WalkOptions};
use gatewatch_syntax::facts::Language;

/// Manifests that module resolution reads.
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "jsconfig.base.json",
    "jsconfig.json",
    "package.json",
    "tsconfig.app.json",
    "tsconfig.base.json",
    "tsconfig.build.json",
    "tsconfig.common.json",
    "tsconfig.json",
    "tsconfig.lib.json",
    "tsconfig.node.json",
    "tsconfig.paths.json",
    "tsconfig.server.json",
    "tsconfig.settings.json",
    "tsconfig.shared.json",
    "tsconfig.src.json",
];

/// What the model reads of a workspace: the sources of every language and a few manifests, without
/// what the patterns of `exclude` name.
pub fn walk_options(exclude: Vec<String>) -> WalkOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    WalkOptions {
        extensions: owned(Language::EXTENSIONS),
        names: owned(MANIFESTS),
        exclude,
        ..WalkOptions::default()
    }
}

/// Whether a file belongs to the production code: no test, no mock, no example, nothing vendored, generated or
/// minified. Such files register routes that nobody serves.
pub fn is_production(path: &FilePath) -> bool {
    let name = path.file_name();
    let stem = name.split('.').next().unwrap_or_default();
    let test_name = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem == "conftest"
        || stem == "tests"
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".e2e.")
        || name.contains(".stories.")
        || name.contains(".min.")
        || name.ends_with(".d.ts")
        || name.ends_with(".pyi")
        || name.ends_with("_pb2.py")
        || name.ends_with("_pb2_grpc.py");
    if test_name {
        return false;
    }
    !path.parent().split('/').any(|folder| {
        matches!(
            folder,
            "tests"
                | "test"
                | "__tests__"
                | "__mocks__"
                | "mocks"
                | "fixtures"
                | "e2e"
                | "spec"
                | "specs"
                | "testing"
                | "examples"
                | "example"
                | "benches"
                | "node_modules"
                | "vendor"
                | "third_party"
                | "site-packages"
                | "cypress"
                | "playwright"
        )
    })
}
