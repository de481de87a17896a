//! A text that this crate didn't write.

use crate::one_line::{OneLine, misleads};
use serde::{Serialize, Serializer};
use smol_str::SmolStr;
use std::fmt;
use std::ops::Deref;

/// The size of the part of a text that is kept, in bytes.
const KEPT: usize = 2 * 1024;

/// A text of the service, a gateway or a file. Its `Display` is safe in a log and on a terminal.
///
/// Control characters, line separators, and characters that are invisible or change the direction of text are shown as
/// spaces, in `Display` and as JSON. `Display` shows 300 characters at most. At most 2 KiB are kept, and where the text
/// came from the network, the token is [redacted](crate::Token#secrecy).
///
/// It dereferences to the text as it was received, to compare it and to look it up. Don't print that.
///
/// ```no_run
/// # fn example(entry: &datafy_api_ext::journal::Entry) {
/// if &*entry.key == "db-1" {
///     println!("{}", entry.key);
/// }
/// # }
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(transparent))]
pub struct Untrusted(#[cfg_attr(feature = "schemars", schemars(with = "String"))] SmolStr);

impl Untrusted {
    /// A text without the token: of this machine, of the caller, or of a journal. `Credential::received` is for what came over
    /// the network.
    pub(crate) fn local(text: impl AsRef<str>) -> Self {
        Self(cut(text.as_ref()).into())
    }

    /// A text of this machine, of any length.
    pub(crate) fn whole(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the text as it was received.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the part of `text` that is kept.
fn cut(text: &str) -> String {
    if text.len() <= KEPT {
        return text.to_owned();
    }
    let mark = "…";
    let most = KEPT - mark.len();
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}{mark}", &text[..end])
}

impl From<Untrusted> for String {
    /// Returns the text as it was received.
    fn from(text: Untrusted) -> Self {
        text.0.into()
    }
}

impl Deref for Untrusted {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(self).fmt(f)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for Untrusted {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Untrusted {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.contains(misleads) {
            return serializer.serialize_str(self);
        }
        serializer.serialize_str(&self.replace(misleads, " "))
    }
}

#[cfg(test)]
mod tests {
    use super::Untrusted;

    #[test]
    fn a_text_is_kept_up_to_2_kib_and_is_plain_as_json() {
        let text = Untrusted::local("a\u{1b}]0;b\u{202e}c");
        assert_eq!(serde_json::to_string(&text).expect("JSON"), r#""a ]0;b c""#);
        assert_eq!(format!("{text:?}"), r#""a\u{1b}]0;b\u{202e}c""#);

        let long = Untrusted::local("ä".repeat(2_000));
        assert!(long.len() <= 2 * 1024 && long.ends_with("ä…"), "{} bytes", long.len());
        assert_eq!(long.to_string(), format!("{}…", "ä".repeat(300)));
        assert_eq!(&*Untrusted::local("ä".repeat(1_024)), "ä".repeat(1_024));
    }
}
