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

    /// An empty database that tells `listen` what happens to which query. For tests and logs.
    pub fn listening(listen: Arc<dyn Fn(Happened, String) + Send + Sync>) -> Self {
        Self {
            storage: salsa::Storage::new(Some(Box::new(move |event| match event.kind {
                salsa::EventKind::WillExecute { database_key } => {
                    listen(Happened::Ran, format!("{database_key:?}"));
                }
                salsa::EventKind::DidValidateMemoizedValue { database_key } => {
                    listen(Happened::LookedAt, format!("{database_key:?}"));
                }
                _ => {}
            }))),
        }
    }
}

/// What happens to a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// It runs.
    Ran,
    /// Its stored result was looked at, and is still good.
    LookedAt,
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
