//! Where in a call an argument stands, as packs write it.

use serde::{Deserialize, Deserializer};
use ustr::{Ustr, ustr};

/// `"0|path"`: the first positional argument, or the one named `path`. `"1.."`: all positional ones
/// from the second on. `"1..-1"`: the same without the last. `"-1"`: the last. `"options.auth"`: the
/// entry `auth` of the argument named `options`; `"1.auth"`: of the second positional one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    /// The alternatives, in order.
    pub alternatives: Vec<At>,
}

/// One way to find an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// By position from the start.
    Position(usize),
    /// By position from the end: 1 is the last.
    FromEnd(usize),
    /// Positional ones from `start`, without the last `leave`.
    Rest {
        /// First one taken.
        start: usize,
        /// How many at the end are not taken.
        leave: usize,
    },
    /// By name.
    Named(Ustr),
    /// An entry of the dict at another place.
    Entry(Box<At>, Ustr),
}

impl Locator {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let alternatives = text
            .split('|')
            .map(|part| At::parse(part.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { alternatives })
    }
}

impl At {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no place of an argument");
        if let Some((start, rest)) = text.split_once("..") {
            let start = start.parse().map_err(|_| wrong())?;
            let leave = match rest {
                "" => 0,
                rest => rest
                    .strip_prefix('-')
                    .and_then(|n| n.parse().ok())
                    .ok_or_else(wrong)?,
            };
            return Ok(Self::Rest { start, leave });
        }
        if let Some((of, entry)) = text.split_once('.') {
            return Ok(Self::Entry(Box::new(Self::parse(of)?), ustr(entry)));
        }
        if let Some(back) = text.strip_prefix('-') {
            return back.parse().map(Self::FromEnd).map_err(|_| wrong());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            return text.parse().map(Self::Position).map_err(|_| wrong());
        }
        if text.is_empty() {
            return Err(wrong());
        }
        Ok(Self::Named(ustr(text)))
    }
}

impl<'de> Deserialize<'de> for Locator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
