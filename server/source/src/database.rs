//! The concrete database. It should stay boring: storage, and a way to count what runs.

use std::sync::Arc;

use crate::db::Db;

/// The database that all queries run against. Its clone is a snapshot for another thread; a write waits until
/// every snapshot is gone.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

impl Database {
    /// An empty database.
    pub fn new() -> Self {
        Self {
            storage: salsa::Storage::new(None),
        }
    }

    /// An empty database that tells `listen` the name of every query that runs (not those whose
    /// stored result is still good). For tests and logs.
    pub fn listening(listen: Arc<dyn Fn(String) + Send + Sync>) -> Self {
        Self {
            storage: salsa::Storage::new(Some(Box::new(move |event| {
                if let salsa::EventKind::WillExecute { database_key } = event.kind {
                    listen(format!("{database_key:?}"));
                }
            }))),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {}
