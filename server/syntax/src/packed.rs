//! Facts of closed files, kept small.
//!
//! As arenas the facts of a workspace take four times the memory of its text, and most of them are read once or twice.
//! What stays is their bytes; the arenas are made again when they are asked for, and kept for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use gatewatch_source::Squeezed;

use crate::file::FileFacts;
use crate::queries::{Heads, heads_of};

/// The facts of one closed file.
pub(crate) struct Packed {
    bytes: Bytes,
    given_up: bool,
    unpacked: Mutex<Weak<Unpacked>>,
}

#[derive(PartialEq)]
enum Bytes {
    Squeezed(Squeezed),
    /// As they are: few.
    Plain(Box<[u8]>),
}

/// See [`Packed::get`].
#[derive(Default)]
pub(crate) struct Unpacked {
    pub(crate) facts: Arc<FileFacts>,
    pub(crate) heads: Arc<Heads>,
}

impl Packed {
    /// Keeps facts, whose arenas are at hand for a while.
    pub(crate) fn new(facts: FileFacts) -> Arc<Self> {
        let bytes = postcard::to_allocvec(&facts.items).unwrap_or_else(|error| {
            tracing::error!("facts can't be kept: {error}");
            Vec::new()
        });
        let packed = Arc::new(Self {
            bytes: match Squeezed::new(&bytes) {
                Some(squeezed) => Bytes::Squeezed(squeezed),
                None => Bytes::Plain((*bytes).into()),
            },
            given_up: facts.given_up,
            unpacked: Mutex::default(),
        });
        packed.at_hand(facts);
        packed
    }

    /// The facts as arenas.
    pub(crate) fn get(&self) -> Arc<Unpacked> {
        if let Some(unpacked) = locked(&self.unpacked).upgrade() {
            return unpacked;
        }
        let items = match &self.bytes {
            Bytes::Squeezed(squeezed) => postcard::from_bytes(&squeezed.get()),
            Bytes::Plain(bytes) => postcard::from_bytes(bytes),
        };
        let mut facts = match items {
            Ok(items) => FileFacts::new(items),
            Err(error) => {
                tracing::error!("facts that were kept can't be read: {error}");
                FileFacts::default().given_up()
            }
        };
        facts.given_up |= self.given_up;
        self.at_hand(facts)
    }

    fn at_hand(&self, facts: FileFacts) -> Arc<Unpacked> {
        let unpacked = Arc::new(Unpacked {
            heads: Arc::new(heads_of(&facts)),
            facts: Arc::new(facts),
        });
        *locked(&self.unpacked) = Arc::downgrade(&unpacked);
        locked(&RECENT).push(Arc::clone(&unpacked), self.size());
        unpacked
    }
}

impl Packed {
    /// How many bytes they are when they are not compressed.
    fn size(&self) -> usize {
        match &self.bytes {
            Bytes::Squeezed(squeezed) => squeezed.size(),
            Bytes::Plain(bytes) => bytes.len(),
        }
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.given_up == other.given_up && self.bytes == other.bytes
    }
}

/// What was unpacked last, of all threads and databases.
static RECENT: Mutex<Recent> = Mutex::new(Recent::NONE);

/// How many bytes, not compressed, may be at hand unpacked: a few files. With eight times as many an analysis takes a
/// twentieth less time, and leaves a quarter more memory: what stays lies between the arenas, and holds their pages.
const AT_HAND: usize = 1 << 18;

struct Recent {
    unpacked: VecDeque<(Arc<Unpacked>, usize)>,
    bytes: usize,
}

impl Recent {
    const NONE: Self = Self {
        unpacked: VecDeque::new(),
        bytes: 0,
    };

    fn push(&mut self, unpacked: Arc<Unpacked>, bytes: usize) {
        self.unpacked.push_back((unpacked, bytes));
        self.bytes += bytes;
        while self.bytes > AT_HAND
            && self.unpacked.len() > 1
            && let Some((_, bytes)) = self.unpacked.pop_front()
        {
            self.bytes -= bytes;
        }
    }
}

/// Lets go of the arenas that are at hand, and of what the parser of this thread keeps for its next text: after work that
/// read everything and will not come again.
pub fn let_go() {
    *locked(&RECENT) = Recent::NONE;
    crate::file::forget_parser();
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Language;
    use crate::file::facts_of_text;

    #[test]
    fn what_is_unpacked_is_what_was_packed() {
        let python = "import os\nfrom a import b as c\n@c.get(f'/{x}', y=1, **z)\nasync def f(a: int = 3, *, b=None):\n    for i in [1, 'ü']:\n        if not i: raise E(1) from None\n    try:\n        with a as b: pass\n    except (A, B) as e:\n        return {**a, 'b': lambda: 1}\nclass K(B, meta=M):\n    x: int = 1\n    def m(self): return [q for q in self if q is not None]\n";
        let rust = "#[get(\"/\")]\npub async fn f(State(s): State<S>) -> Result<A, B> { let x = s.get::<C>()?; match x { Some(y) if y > 1 => 1, _ => 2 } }\nimpl A for B { fn c(&self) {} }\n";
        let typescript = "import a, { b as c } from './d';\nexport default class K { constructor(@Inject() private x: A) {} }\nconst f = async ({ a, ...b }) => a?.b ?? `x${c}`;\nmodule.exports = f;\n";
        let texts = [
            (Language::Python, python),
            (Language::Rust, rust),
            (Language::TypeScript, typescript),
        ];
        for (language, text) in texts {
            let (facts, _) = facts_of_text(language, text);
            let packed = Packed::new(facts.clone());
            assert!(*packed.get().facts == facts);
            *locked(&packed.unpacked) = Weak::new();
            assert!(*packed.get().facts == facts, "{language:?}");
            assert_eq!(packed.get().heads.items.len(), facts.items.len());
        }
    }
}
