//! The queries of this crate.

use std::sync::Arc;

use gatewatch_source::{Db, SourceFile};
use ustr::Ustr;

use crate::buffer::Buffer;
use crate::facts::{Code, Language};
use crate::file::{FileFacts, lower, parse};
use crate::spans::ItemSpans;

/// The language of a file, `None` if it has no facts.
pub fn language(db: &dyn Db, file: SourceFile) -> Option<Language> {
    Language::of_extension(file.path(db).extension())
}

/// Everything that a file says by itself.
///
/// A closed file is parsed here and its tree dropped; an open one brings its facts along.
#[salsa::tracked(returns(clone))]
pub fn facts(db: &dyn Db, file: SourceFile) -> Arc<FileFacts> {
    let content = file.content(db);
    if let Some(buffer) = Buffer::of(content) {
        return Arc::clone(buffer.facts());
    }
    let Some(language) = language(db, file) else {
        return Arc::default();
    };
    let Some(tree) = parse(language, &content.text, None) else {
        return Arc::new(FileFacts::default().given_up());
    };
    let mut lowered = lower(language, &content.text, &tree, None, None);
    lowered.items.retain(|item| !item.broken);
    Arc::new(lowered.facts())
}

/// Where the facts of a file stand, item by item. Read only when something is shown.
#[salsa::tracked(returns(clone), lru = 64)]
pub fn spans(db: &dyn Db, file: SourceFile) -> Arc<Vec<Arc<ItemSpans>>> {
    let content = file.content(db);
    if let Some(buffer) = Buffer::of(content) {
        return Arc::clone(buffer.spans());
    }
    let Some(language) = language(db, file) else {
        return Arc::default();
    };
    let Some(tree) = parse(language, &content.text, None) else {
        return Arc::default();
    };
    let mut lowered = lower(language, &content.text, &tree, None, None);
    lowered.items.retain(|item| !item.broken);
    Arc::new(lowered.spans())
}

/// The heads of a file's items: what runs when it is loaded, in order, with their keys. An edit
/// inside a function's body leaves them equal, so nothing that reads only heads runs again.
#[salsa::tracked(returns(clone))]
pub fn heads(db: &dyn Db, file: SourceFile) -> Arc<Heads> {
    let facts = facts(db, file);
    Arc::new(Heads {
        items: facts
            .items
            .iter()
            .map(|item| (item.key, Arc::clone(&item.head)))
            .collect(),
    })
}

/// See [`heads`].
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// Key and head of each item.
    pub items: Vec<(Ustr, Arc<Code>)>,
}

impl PartialEq for Heads {
    fn eq(&self, other: &Self) -> bool {
        self.items.len() == other.items.len()
            && self
                .items
                .iter()
                .zip(&other.items)
                .all(|((a, x), (b, y))| a == b && (Arc::ptr_eq(x, y) || x == y))
    }
}

impl Eq for Heads {}

/// A function's code together with its signature.
#[derive(Clone, Debug)]
pub struct FunctionFacts {
    /// The code in which the signature stands.
    pub home: Arc<Code>,
    /// Index of the function in `home.functions`.
    pub index: usize,
    /// The function in whose body it is defined, if any.
    pub parent: Option<Ustr>,
    /// The key of the item in which it is defined.
    pub item: Ustr,
    /// The body.
    pub body: Arc<Code>,
}

impl FunctionFacts {
    /// The signature.
    pub fn signature(&self) -> Option<&crate::facts::Function> {
        self.home.functions.get(self.index)
    }
}

impl PartialEq for FunctionFacts {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
            && self.parent == other.parent
            && self.item == other.item
            && (Arc::ptr_eq(&self.home, &other.home) || self.home == other.home)
            && (Arc::ptr_eq(&self.body, &other.body) || self.body == other.body)
    }
}

impl Eq for FunctionFacts {}

/// The function `id` of a file.
#[salsa::tracked(returns(clone))]
pub fn function(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<FunctionFacts> {
    let shard = functions(db, file, shard_of(id));
    let (_, found) = shard.iter().find(|(own, _)| *own == id)?;
    Some(found.clone())
}

/// In how many parts the functions of a file are looked at for a change.
const SHARDS: u64 = 16;

fn shard_of(id: Ustr) -> u64 {
    id.precomputed_hash() % SHARDS
}

/// A part of a file's functions. Without it, each keystroke in a file would look every one of them up again.
#[salsa::tracked(returns(clone))]
fn functions(db: &dyn Db, file: SourceFile, shard: u64) -> Arc<Vec<(Ustr, FunctionFacts)>> {
    let facts = facts(db, file);
    let mut found = Vec::new();
    for item in &facts.items {
        for body in item.bodies.iter().filter(|body| shard_of(body.id) == shard) {
            let home = match body.parent {
                None => Some(&item.head),
                Some(parent) => item
                    .bodies
                    .iter()
                    .find(|entry| entry.id == parent)
                    .map(|entry| &entry.code),
            };
            let Some(home) = home else { continue };
            let function = FunctionFacts {
                home: Arc::clone(home),
                index: body.index as usize,
                parent: body.parent,
                item: item.key,
                body: Arc::clone(&body.code),
            };
            // The last of the same id counts, as in `FileFacts::place`.
            found.push((body.id, function));
        }
    }
    found.reverse();
    Arc::new(found)
}
