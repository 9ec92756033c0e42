//! Texts as they are kept. Most files are read once, when their facts are made, and then only where something is shown
//! of them: those that no editor holds are kept compressed.

use std::fmt;
use std::sync::Arc;

use crate::squeeze::Squeezed;

/// A text that is kept. That of an open buffer is at hand; any other is compressed, at about a quarter of its size.
#[derive(Clone)]
pub struct StoredText(Form);

#[derive(Clone)]
enum Form {
    Plain(Arc<str>),
    Packed(Arc<Squeezed>),
}

impl StoredText {
    /// A text that is often asked for.
    pub fn plain(text: Arc<str>) -> Self {
        Self(Form::Plain(text))
    }

    /// A text that is seldom asked for.
    pub fn packed(text: &str) -> Self {
        Self(match Squeezed::new(text.as_bytes()) {
            Some(squeezed) => Form::Packed(Arc::new(squeezed)),
            None => Form::Plain(text.into()),
        })
    }

    /// The text itself. Of a compressed one that is a new copy.
    pub fn get(&self) -> Arc<str> {
        match &self.0 {
            Form::Plain(text) => Arc::clone(text),
            Form::Packed(squeezed) => unpacked(squeezed).into(),
        }
    }
}

fn unpacked(squeezed: &Squeezed) -> String {
    // Only `packed` makes such bytes.
    String::from_utf8(squeezed.get()).unwrap_or_default()
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
            (Form::Plain(text), Form::Packed(squeezed))
            | (Form::Packed(squeezed), Form::Plain(text)) => {
                text.len() == squeezed.size() && **text == *unpacked(squeezed)
            }
        }
    }
}

impl Eq for StoredText {}

impl fmt::Debug for StoredText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Plain(text) => write!(f, "{} bytes", text.len()),
            Form::Packed(squeezed) => write!(f, "{} bytes, compressed", squeezed.size()),
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
        assert!(
            matches!(StoredText::packed(&long).0, Form::Packed(squeezed) if squeezed.taken() < 100)
        );
    }
}
