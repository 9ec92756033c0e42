//! Requests for the tests of this crate: they fail or dawdle inside a query.

use std::time::{Duration, Instant};

use gatewatch_source::{Db, SourceFile};
use serde_json::Value;
use tower_lsp_server::jsonrpc::{Error, Result};

use crate::view::View;

#[salsa::tracked]
fn fails(_db: &dyn Db, _file: SourceFile) -> u32 {
    panic!("a query failed on purpose")
}

/// Asks a query that panics, on any file.
pub(crate) fn panic(view: &View, _: &Value) -> Result<Value> {
    let file = view.folders.iter().find_map(|folder| {
        folder
            .trees
            .current
            .files(view.db())
            .values()
            .next()
            .copied()
    });
    let file = file.ok_or_else(|| Error::invalid_params("there is no file"))?;
    Ok((*fails(view.db(), file)).into())
}

/// Works for as many milliseconds as are asked for, and can be cancelled.
pub(crate) fn spin(view: &View, millis: &Value) -> Result<Value> {
    let end = Instant::now()
        + Duration::from_millis(millis.get("ms").and_then(Value::as_u64).unwrap_or(0));
    while Instant::now() < end {
        salsa::Database::unwind_if_revision_cancelled(view.db());
        std::thread::sleep(Duration::from_micros(50));
    }
    Ok(Value::Bool(true))
}
