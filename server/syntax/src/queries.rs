//! The queries of this crate.

use std::sync::Arc;

use gatewatch_source::{Db, SaidPart, SourceFile};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::buffer::Buffer;
use crate::facts::{Code, Language};
use crate::file::{FileFacts, lower, parse};
use crate::mentions::mentions_of;
use crate::packed::Packed;
use crate::spans::ItemSpans;

/// The language of a file, `None` if it has no facts.
pub fn language(db: &dyn Db, file: SourceFile) -> Option<Language> {
    Language::of_extension(file.path(db).extension())
}

/// Everything that a file says by itself.
pub fn file_facts(db: &dyn Db, file: SourceFile) -> Arc<FileFacts> {
    facts(db, file).get()
}

/// The facts of a file as they are kept.
#[derive(Clone)]
enum Kept {
    Open(Arc<FileFacts>),
    Closed(Arc<Packed>),
}

impl Kept {
    fn get(&self) -> Arc<FileFacts> {
        match self {
            Self::Open(facts) => Arc::clone(facts),
            Self::Closed(packed) => Arc::clone(&packed.get().facts),
        }
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Closed(a), Self::Closed(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => self.get() == other.get(),
        }
    }
}

/// See [`file_facts`]. A closed file is parsed here and its tree dropped; an open one brings its facts along.
#[salsa::tracked(returns(clone))]
fn facts(db: &dyn Db, file: SourceFile) -> Kept {
    let content = file.content(db);
    if let Some(buffer) = Buffer::of(content) {
        return Kept::Open(Arc::clone(buffer.facts()));
    }
    let Some(language) = language(db, file) else {
        return Kept::Closed(Packed::new(FileFacts::default()));
    };
    let text = content.text.get();
    let Some(tree) = parse(language, &text, None) else {
        return Kept::Closed(Packed::new(FileFacts::default().given_up()));
    };
    let mut lowered = lower(language, &text, &tree, None, None);
    lowered.items.retain(|item| !item.broken);
    Kept::Closed(Packed::new(lowered.facts()))
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
    let text = content.text.get();
    let Some(tree) = parse(language, &text, None) else {
        return Arc::default();
    };
    let mut lowered = lower(language, &text, &tree, None, None);
    lowered.items.retain(|item| !item.broken);
    Arc::new(lowered.spans())
}

/// The heads of a file's items: what runs when it is loaded, in order, with their keys. An edit
/// inside a function's body leaves them equal, so nothing that reads only heads runs again.
pub fn heads(db: &dyn Db, file: SourceFile) -> Arc<Heads> {
    kept_heads(db, file).get()
}

/// The heads of a file as they are kept.
#[derive(Clone)]
enum KeptHeads {
    Open(Arc<Heads>),
    Closed(Arc<Packed>),
}

impl KeptHeads {
    fn get(&self) -> Arc<Heads> {
        match self {
            Self::Open(heads) => Arc::clone(heads),
            Self::Closed(packed) => Arc::clone(&packed.get().heads),
        }
    }
}

impl PartialEq for KeptHeads {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Closed(a), Self::Closed(b)) if Arc::ptr_eq(a, b) => true,
            _ => self.get() == other.get(),
        }
    }
}

/// See [`heads`].
#[salsa::tracked(returns(clone))]
fn kept_heads(db: &dyn Db, file: SourceFile) -> KeptHeads {
    match file.said::<Arc<Heads>>(db, 0) {
        Some(heads) => KeptHeads::Open(Arc::clone(heads)),
        None => match facts(db, file) {
            Kept::Open(facts) => KeptHeads::Open(Arc::new(heads_of(&facts))),
            Kept::Closed(packed) => KeptHeads::Closed(packed),
        },
    }
}

pub(crate) fn heads_of(facts: &FileFacts) -> Heads {
    Heads {
        items: facts
            .items
            .iter()
            .map(|item| (item.key, Arc::clone(&item.head)))
            .collect(),
    }
}

/// What an open buffer says, in parts: the heads, where functions are defined, then each part of their bodies, and
/// the modules that they speak of.
pub(crate) fn parts(facts: &FileFacts) -> Vec<SaidPart> {
    let heads = SaidPart {
        value: Arc::new(Arc::new(heads_of(facts))),
        typed: false,
    };
    let functions = functions_of(facts).into_iter().map(|functions| SaidPart {
        value: Arc::new(Arc::new(functions)),
        typed: true,
    });
    let homes = SaidPart {
        value: Arc::new(homes_of(facts)),
        typed: false,
    };
    let mentions = SaidPart {
        value: Arc::new(Arc::new(mentions_of(facts))),
        typed: false,
    };
    let parts = [heads, homes].into_iter().chain(functions);
    parts.chain([mentions]).collect()
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

/// Where a function is defined.
#[derive(Clone, Debug)]
pub struct FunctionHome {
    /// The code in which the signature stands.
    pub home: Arc<Code>,
    /// Index of the function in `home.functions`.
    pub index: usize,
    /// The function in whose body it is defined, if any.
    pub parent: Option<Ustr>,
    /// The key of the item in which it is defined.
    pub item: Ustr,
}

impl FunctionHome {
    /// The signature.
    pub fn signature(&self) -> Option<&crate::facts::Function> {
        self.home.functions.get(self.index)
    }
}

impl PartialEq for FunctionHome {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
            && self.parent == other.parent
            && self.item == other.item
            && (Arc::ptr_eq(&self.home, &other.home) || self.home == other.home)
    }
}

impl Eq for FunctionHome {}

/// A function's code together with its signature.
#[derive(Clone, Debug)]
pub struct FunctionFacts {
    /// Where it is defined.
    pub at: FunctionHome,
    /// The body.
    pub body: Arc<Code>,
}

impl PartialEq for FunctionFacts {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && (Arc::ptr_eq(&self.body, &other.body) || self.body == other.body)
    }
}

impl Eq for FunctionFacts {}

/// Where the function `id` is defined. What only asks for signatures needs no look after an edit of a body.
pub fn function_home(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<FunctionHome> {
    if let Some(homes) = file.said::<Homes>(db, 1)
        && let Some(home) = homes.get(&id)
    {
        return Some(home.clone());
    }
    Some(function(db, file, id)?.at)
}

/// The functions of an open buffer that stand in heads.
type Homes = FxHashMap<Ustr, FunctionHome>;

fn homes_of(facts: &FileFacts) -> Homes {
    let mut homes = Homes::default();
    for item in &facts.items {
        for body in &item.bodies {
            match body.parent {
                None => homes.insert(
                    body.id,
                    FunctionHome {
                        home: Arc::clone(&item.head),
                        index: body.index as usize,
                        parent: None,
                        item: item.key,
                    },
                ),
                // The last of the same id counts.
                Some(_) => homes.remove(&body.id),
            };
        }
    }
    homes
}

/// The function `id` of a file.
pub fn function(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<FunctionFacts> {
    kept_function(db, file, id)?.get()
}

/// A function as it is kept.
#[derive(Clone)]
enum KeptFunction {
    Open(FunctionFacts),
    Closed(Arc<Packed>, Ustr),
}

impl KeptFunction {
    fn get(&self) -> Option<FunctionFacts> {
        match self {
            Self::Open(function) => Some(function.clone()),
            Self::Closed(packed, id) => function_of(&packed.get().facts, *id),
        }
    }
}

impl PartialEq for KeptFunction {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// See [`function`].
#[salsa::tracked(returns(clone))]
fn kept_function(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<KeptFunction> {
    if let Some(shard) = file.said::<Arc<Functions>>(db, 2 + shard_of(id)) {
        let (_, found) = shard.iter().find(|(own, _)| *own == id)?;
        return Some(KeptFunction::Open(found.clone()));
    }
    match facts(db, file) {
        Kept::Open(facts) => Some(KeptFunction::Open(function_of(&facts, id)?)),
        Kept::Closed(packed) => {
            packed.get().facts.place(id)?;
            Some(KeptFunction::Closed(packed, id))
        }
    }
}

fn function_of(facts: &FileFacts, id: Ustr) -> Option<FunctionFacts> {
    let (at, place) = facts.place(id)?;
    let item = facts.items.get(at)?;
    let body = item.bodies.get(place)?;
    let (home, index) = facts.function(id)?;
    Some(FunctionFacts {
        at: FunctionHome {
            home: Arc::clone(home),
            index,
            parent: body.parent,
            item: item.key,
        },
        body: Arc::clone(&body.code),
    })
}

/// How many parts [`Buffer::content`] brings along; who adds one finds it at this index.
pub const PARTS: usize = MENTIONS + 1;

/// The part that says which modules are spoken of.
pub(crate) const MENTIONS: usize = 2 + SHARDS;

/// In how many parts the functions of a file are looked at for a change.
const SHARDS: usize = 16;

fn shard_of(id: Ustr) -> usize {
    usize::try_from(id.text_hash() % SHARDS as u64).unwrap_or_default()
}

/// Functions of a file by their ids, the last of the same id first: it is the one that counts.
type Functions = Vec<(Ustr, FunctionFacts)>;

/// The parts of the functions of an open file. Without them, each keystroke in a file would look every one of them
/// up again.
fn functions_of(facts: &FileFacts) -> Vec<Functions> {
    let mut found: Vec<Functions> = vec![Vec::new(); SHARDS];
    for item in &facts.items {
        for body in &item.bodies {
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
                at: FunctionHome {
                    home: Arc::clone(home),
                    index: body.index as usize,
                    parent: body.parent,
                    item: item.key,
                },
                body: Arc::clone(&body.code),
            };
            if let Some(shard) = found.get_mut(shard_of(body.id)) {
                shard.push((body.id, function));
            }
        }
    }
    for shard in &mut found {
        shard.reverse();
    }
    found
}
