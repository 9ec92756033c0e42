//! Texts as they are kept. Most files are read once, when their facts are made, and then only where something is shown
//! of them: those that no editor holds are kept compressed.

use std::fmt;
use std::sync::Arc;

/// A text that is kept. That of an open buffer is at hand; any other is compressed, at about a third of its size.
#[derive(Clone)]
pub struct StoredText(Form);

#[derive(Clone)]
enum Form {
    Plain(Arc<str>),
    Packed(Arc<[u8]>),
}

impl StoredText {
    /// A text that is often asked for.
    pub fn plain(text: Arc<str>) -> Self {
        Self(Form::Plain(text))
    }

    /// A text that is seldom asked for.
    pub fn packed(text: &str) -> Self {
        let bytes = lz4_flex::compress_prepend_size(text.as_bytes());
        Self(if bytes.len() < text.len() {
            Form::Packed(bytes.into())
        } else {
            Form::Plain(text.into())
        })
    }

    /// The text itself. Of a compressed one that is a new copy, made at about a gigabyte a second.
    pub fn get(&self) -> Arc<str> {
        match &self.0 {
            Form::Plain(text) => Arc::clone(text),
            Form::Packed(bytes) => unpacked(bytes).into(),
        }
    }
}

fn unpacked(bytes: &[u8]) -> String {
    let bytes = lz4_flex::decompress_size_prepended(bytes);
    // Only `packed` makes such bytes.
    bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

impl From<&str> for StoredText {
    fn from(text: &str) -> Self {
        Self::packed(text)
    }
}

impl From<Arc<str>> for StoredText {
    fn from(text: Arc<str>) -> Self {
        Self::packed(&text)
    }
}

impl From<String> for StoredText {
    fn from(text: String) -> Self {
        Self::packed(&text)
    }
}

impl PartialEq for StoredText {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Plain(a), Form::Plain(b)) => Arc::ptr_eq(a, b) || a == b,
            // Equal texts are compressed to equal bytes.
            (Form::Packed(a), Form::Packed(b)) => Arc::ptr_eq(a, b) || a == b,
            (Form::Plain(text), Form::Packed(bytes)) | (Form::Packed(bytes), Form::Plain(text)) => {
                **text == *unpacked(bytes)
            }
        }
    }
}

impl Eq for StoredText {}

impl fmt::Debug for StoredText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Plain(text) => write!(f, "{} bytes", text.len()),
            Form::Packed(bytes) => write!(f, "{} bytes, compressed", bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_text_is_the_text() {
        let long = "def f():\n    return 'ü'\n".repeat(50);
        for text in ["", "x", "no word twice", &long] {
            let (packed, plain) = (StoredText::packed(text), StoredText::plain(text.into()));
            assert_eq!(&*packed.get(), text);
            assert_eq!(&*plain.get(), text);
            assert_eq!(packed, plain);
            assert_eq!(plain, packed);
            assert_eq!(packed, StoredText::packed(text));
            assert_ne!(packed, StoredText::packed(&format!("{text}.")));
            assert_ne!(plain, StoredText::packed(&format!("{text}.")));
        }
        assert!(matches!(StoredText::packed(&long).0, Form::Packed(bytes) if bytes.len() < 100));
    }
}
