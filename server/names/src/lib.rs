//! Names that are kept once: identifiers, paths of modules, short texts. A [`Ustr`] is the number of its text, so that
//! it is small, compared and copied at no cost, and two equal texts have the same.
//!
//! Texts are never forgotten. A workspace has some ten thousand different ones, however often each stands in it.

use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::{fmt, num::NonZeroU32, ops::Deref};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

/// A text that is kept once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ustr(NonZeroU32);

/// A map with names as keys.
pub type UstrMap<V> = rustc_hash::FxHashMap<Ustr, V>;

/// The name with this text.
pub fn ustr(text: &str) -> Ustr {
    Ustr::from(text)
}

/// How many names a block has at first. Four blocks have as many, the next four twice as many, and so on: at most a fifth
/// of what was allocated is empty.
const FIRST: u32 = 1 << 10;

/// Enough of them for every number that there is.
const BLOCKS: usize = 84;

/// A text, and half of its hash: names are keys of many maps, and are hashed far more often than made. With the other half
/// an entry would take a third more.
struct Kept {
    text: &'static str,
    hash: u32,
}

/// The names by their numbers. A block never moves, so that reading one needs no lock.
static KEPT: [OnceLock<Box<[OnceLock<Kept>]>>; BLOCKS] = [const { OnceLock::new() }; BLOCKS];

/// The numbers by their texts, in shards that threads seldom wait for.
static KNOWN: LazyLock<[Mutex<HashTable<NonZeroU32>>; SHARDS]> = LazyLock::new(Default::default);

const SHARDS: usize = 16;

/// The number that the next new text gets.
static NEXT: Mutex<NonZeroU32> = Mutex::new(NonZeroU32::MIN);

/// The block of a number, how many names that block has, and where in it the number is.
fn home(number: NonZeroU32) -> (usize, usize, usize) {
    let first = u64::from(FIRST);
    // As if four blocks of the first size came before them: each four then begin at a power of two.
    let shifted = u64::from(number.get() - 1) + 4 * first;
    let doubled = (shifted / first).ilog2() - 2;
    let size = first << doubled;
    let which = 4 * u64::from(doubled) + shifted / size - 4;
    let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    (index(which), index(size), index(shifted % size))
}

fn kept(number: NonZeroU32) -> Option<&'static Kept> {
    let (block, _, at) = home(number);
    KEPT.get(block)?.get()?.get(at)?.get()
}

fn text_of(number: NonZeroU32) -> &'static str {
    kept(number).map_or("", |kept| kept.text)
}

fn hash_of(text: &str) -> u32 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    let hash = hasher.finish();
    // Both halves: the lower one alone has little of the first letters.
    u32::try_from((hash >> 32) ^ (hash & u64::from(u32::MAX))).unwrap_or_default()
}

/// A hash as tables want it, which go by the lowest bits and by the highest.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a text that is not kept yet. When there are no numbers left, it is the first name that there was.
fn keep(text: &str, hash: u32) -> NonZeroU32 {
    let mut next = locked(&NEXT);
    let number = *next;
    let Some(after) = number.checked_add(1) else {
        return NonZeroU32::MIN;
    };
    *next = after;
    drop(next);
    let (block, size, at) = home(number);
    if let Some(block) = KEPT.get(block) {
        let entries = block.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        if let Some(entry) = entries.get(at) {
            let text = Box::leak(Box::<str>::from(text));
            let _ = entry.set(Kept { text, hash });
        }
    }
    number
}

impl Ustr {
    /// The name with this text.
    #[allow(clippy::should_implement_trait)]
    pub fn from(text: &str) -> Self {
        let hash = hash_of(text);
        // Not of the lowest bits, nor of the highest: the table goes by those.
        let shard = usize::try_from((spread(hash) >> 32) % SHARDS as u64).unwrap_or_default();
        let Some(known) = KNOWN.get(shard) else {
            return Self::default();
        };
        let mut known = locked(known);
        let entry = known.entry(
            spread(hash),
            |number| text_of(*number) == text,
            |number| kept(*number).map_or(0, |kept| spread(kept.hash)),
        );
        Self(*entry.or_insert_with(|| keep(text, hash)).get())
    }

    /// The text.
    pub fn as_str(&self) -> &'static str {
        text_of(self.0)
    }

    /// A hash of the text, the same in every run.
    pub fn text_hash(&self) -> u64 {
        kept(self.0).map_or(0, |kept| spread(kept.hash))
    }

    /// The text.
    #[allow(clippy::should_implement_trait)]
    pub fn to_owned(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Default for Ustr {
    fn default() -> Self {
        ustr("")
    }
}

/// By the text, not by the number: what is kept in the order of hashes is then in the same order in every run.
impl Hash for Ustr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.text_hash());
    }
}

impl Ord for Ustr {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Ustr {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Deref for Ustr {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<T: ?Sized> AsRef<T> for Ustr
where
    str: AsRef<T>,
{
    fn as_ref(&self) -> &T {
        self.as_str().as_ref()
    }
}

impl PartialEq<str> for Ustr {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Ustr {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<Ustr> for str {
    fn eq(&self, other: &Ustr) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Ustr> for &str {
    fn eq(&self, other: &Ustr) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<String> for Ustr {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Ustr> for String {
    fn eq(&self, other: &Ustr) -> bool {
        self == other.as_str()
    }
}

impl From<&str> for Ustr {
    fn from(text: &str) -> Self {
        ustr(text)
    }
}

impl From<Ustr> for String {
    fn from(name: Ustr) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for Ustr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Ustr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u!({:?})", self.as_str())
    }
}

/// As text where people read it; as a number, which this process alone understands, in binary formats.
impl serde::Serialize for Ustr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.as_str())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> serde::Deserialize<'de> for Ustr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text)
        } else {
            NonZeroU32::deserialize(deserializer).map(Self)
        }
    }
}

struct Text;

impl serde::de::Visitor<'_> for Text {
    type Value = Ustr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Ustr, E> {
        Ok(ustr(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_name_on_all_threads() {
        let names = || {
            (0..5000)
                .map(|n| ustr(&format!("name {n}")))
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(names)).collect();
        let here = names();
        for thread in threads {
            assert_eq!(thread.join().ok().as_ref(), Some(&here));
        }
        for (n, name) in here.iter().enumerate() {
            assert_eq!(name.as_str(), format!("name {n}"));
        }
        assert_eq!(ustr("").as_str(), "");
        assert_eq!(Ustr::default(), "");
    }

    #[test]
    fn numbers_fill_the_blocks_one_after_the_other() {
        let of = |number| NonZeroU32::new(number).map_or((0, 0, 0), home);
        let (mut block, mut size, mut at) = of(1);
        assert_eq!((block, size, at), (0, FIRST as usize, 0));
        for number in 2..100 * FIRST {
            let next = of(number);
            if at + 1 < size {
                assert_eq!(next, (block, size, at + 1));
            } else {
                assert_eq!((next.0, next.2), (block + 1, 0));
                assert!([size, 2 * size].contains(&next.1));
            }
            (block, size, at) = next;
        }
        let (block, size, at) = of(u32::MAX);
        assert!(block < BLOCKS && at < size);
    }

    #[test]
    fn order_is_that_of_the_texts() {
        let (b, a) = (ustr("order b"), ustr("order a"));
        assert!(a < b);
    }
}
