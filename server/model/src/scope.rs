//! Which files are part of what is served.

use gatewatch_source::FilePath;

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
