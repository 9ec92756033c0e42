//! Texts to trees to facts.
//!
//! This crate parses incrementally with tree-sitter and lowers trees to language-neutral [`facts`].
//! It knows languages and no framework.

mod buffer;
mod dump;
pub mod facts;
mod file;
mod half_typed;
mod kinds;
mod languages;
mod lower;
mod mentions;
mod packed;
mod queries;
mod restore;
mod spans;
mod unfinished;

pub use buffer::Buffer;
pub use dump::{dump, dump_file};
pub use file::{FileFacts, facts_of_text};
pub use half_typed::{binds, bound_names, globals};
pub use kinds::{Kinds, KindsError};
pub use mentions::{Mentions, mentioned};
pub use packed::let_go;
pub use queries::{
    FunctionFacts, FunctionHome, Heads, PARTS, file_facts, function, function_home, heads,
    language, spans as file_spans,
};
pub use restore::{
    Part, Reading, Wanted, definers, element, members, parameter, restore, restore_names,
    statement, top_level,
};
pub use spans::{DefinitionSpans, ItemSpans, Span, Spans};
pub use tree_sitter::{InputEdit, Point};
