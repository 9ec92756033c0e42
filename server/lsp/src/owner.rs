//! The one thread that owns the database, the folders and the open documents.
//!
//! It takes an event at a time, all that wait before it looks at what they mean together: text edits
//! become one write, and if the database's revision moved, one analysis a folder. It never waits for the
//! disk, the editor or a worker; only a write waits, for snapshots that are being dropped.

mod arrivals;
mod documents;
mod event;
mod files;
mod folder;
mod folders;
mod jobs;
mod publish;
mod start;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender};
use gatewatch_source::Database;
use gen_lsp_types::Uri;
use rustc_hash::FxHashMap;
use salsa::{CancellationToken, Revision};
use tokio::sync::mpsc::UnboundedSender;
use tower_lsp_server::jsonrpc::Error;

use crate::capabilities::Capabilities;
use crate::outbox::Outbox;
use crate::owner::documents::Open;
use crate::owner::folder::Folder;
use crate::requests::{Ask, execute_command};
use crate::server::End;
use crate::settings::EditorSettings;
use crate::watchdog::Watchdog;
use crate::workers::{self, Pool};

pub(crate) use event::Event;
pub(crate) use folder::FolderId;

/// How many events are taken before it is looked at what they mean: an editor that never pauses must not
/// starve the analysis.
const MOST_EVENTS: usize = 10_000;

/// All state of the server.
struct Owner {
    db: Database,
    /// The revision that was analysed last, or is being.
    revision: Revision,
    events: Sender<Event>,
    outbox: Outbox,
    pool: Pool,
    capabilities: Arc<Capabilities>,
    editor: EditorSettings,
    /// Folders that the editor named and that are not read yet.
    roots: Vec<PathBuf>,
    /// Whether the editor named any folder that is taken: without one, files are looked at singly.
    has_folders: bool,
    folders: Vec<Folder>,
    next_folder: u32,
    next_reading: u64,
    documents: FxHashMap<Uri, Open>,
    /// Requests in the order in which they came.
    asked: VecDeque<Box<dyn Ask>>,
    /// Requests that wait for the first reading of a folder.
    held: Vec<Box<dyn Ask>>,
    /// What stops the requests that are being computed.
    running: FxHashMap<u64, CancellationToken>,
    idle: usize,
    started: bool,
    alerted: bool,
}

/// Starts the owner's thread. If it panics, the session ends: nobody else could answer.
pub(crate) fn start(
    inbox: Receiver<Event>,
    events: Sender<Event>,
    outbox: Outbox,
    end: UnboundedSender<End>,
) {
    let guard = Fatal(end);
    let owner = move || {
        let guard = guard;
        let Some(pool) = Pool::start(&events) else {
            return;
        };
        let db = Database::new();
        let owner = Owner {
            revision: salsa::plumbing::current_revision(&db),
            db,
            events,
            outbox,
            pool,
            capabilities: Arc::default(),
            editor: EditorSettings::default(),
            roots: Vec::new(),
            has_folders: false,
            folders: Vec::new(),
            next_folder: 0,
            next_reading: 0,
            documents: FxHashMap::default(),
            asked: VecDeque::new(),
            held: Vec::new(),
            running: FxHashMap::default(),
            idle: workers::COUNT,
            started: false,
            alerted: false,
        };
        owner.run(&inbox);
        std::mem::forget(guard);
    };
    // On failure the guard is dropped with the closure, which ends the session.
    if let Err(error) = thread::Builder::new()
        .name("owner".into())
        .stack_size(16 << 20)
        .spawn(owner)
    {
        tracing::error!("the server can't start: {error}");
    }
}

/// Ends the session when it is dropped, which happens when the owner ends without having been stopped.
struct Fatal(UnboundedSender<End>);

impl Drop for Fatal {
    fn drop(&mut self) {
        let _ = self.0.send(End::OwnerDied);
    }
}

impl Owner {
    fn run(mut self, inbox: &Receiver<Event>) {
        let watchdog = Watchdog::start();
        while let Ok(first) = inbox.recv() {
            watchdog.begin(first.name(), workers::COUNT - self.idle);
            let mut next = Some(first);
            let mut taken = 0;
            while let Some(event) = next {
                if matches!(event, Event::Stop) {
                    return;
                }
                self.handle(event);
                taken += 1;
                next = if taken < MOST_EVENTS {
                    inbox.try_recv().ok()
                } else {
                    None
                };
            }
            self.settle();
            watchdog.end();
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Initialize(params, reply) => {
                let _ = reply.send(self.initialize(&params));
            }
            Event::Initialized => self.initialized(),
            Event::Opened(params) => self.opened(params),
            Event::Changed(params) => self.changed(params),
            Event::Saved(uri) => self.saved(&uri),
            Event::Closed(uri) => self.closed(&uri),
            Event::FoldersChanged(change) => self.folders_changed(change),
            Event::FilesChanged(changes) => self.files_changed(changes),
            Event::ConfigurationChanged(settings) => self.configuration_changed(&settings),
            Event::Configuration(settings) => self.configure(&settings),
            Event::ProgressCancelled(token) => self.progress_cancelled(&token),
            Event::Asked(ask) => self.ask(ask),
            Event::Cancelled(id) => self.cancelled(id),
            Event::Command(command, reply) => {
                let _ = reply.send(self.command(&command));
            }
            Event::Read {
                folder,
                reading,
                read,
            } => self.read(folder, reading, read),
            Event::Done(done) => self.done(done),
            Event::Stop => {}
        }
    }

    /// What the events of a tick mean together.
    fn settle(&mut self) {
        self.write_edits();
        let revision = salsa::plumbing::current_revision(&self.db);
        if revision != self.revision {
            self.revision = revision;
            self.folders.iter_mut().for_each(Folder::want);
        }
        self.dispatch();
    }

    fn command(&mut self, command: &str) -> Result<Option<serde_json::Value>, Error> {
        match command {
            execute_command::RESTART => {
                self.restart();
                Ok(None)
            }
            execute_command::MEMORY => {
                let memory = self.memory();
                self.outbox.note(memory.clone());
                Ok(Some(memory.into()))
            }
            other => Err(execute_command::unknown(other)),
        }
    }

    /// What is held in memory, for people.
    fn memory(&self) -> String {
        let resident = execute_command::resident_bytes().map_or_else(
            || "memory unknown".to_owned(),
            |bytes| format!("{:.1} MiB resident", bytes as f64 / (1 << 20) as f64),
        );
        let files: usize = self
            .folders
            .iter()
            .map(|folder| folder.file_count(&self.db))
            .sum();
        format!(
            "{resident}; {} folders, {files} files, {} open documents",
            self.folders.len(),
            self.documents.len()
        )
    }
}
