//! Typed IDs. Each is validated when it is created, and is then safe in a URL, a header and JSON.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
#[cfg(feature = "schemars")]
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The length of the longest ID, in bytes. IDs of AWS have a third of it.
const MAX_LENGTH: usize = 64;

/// Why a text is not an ID of the expected kind.
///
/// ```
/// use datafy_api_ext::VolumeId;
///
/// let error = VolumeId::new("i-09759c0bdec242294").unwrap_err();
/// assert_eq!(error.to_string(), r#""i-09759c0bdec242294" is not a volume ID: it doesn't begin with `vol-`"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {kind}: {problem}")]
pub struct InvalidId {
    given: String,
    kind: &'static str,
    problem: String,
}

impl InvalidId {
    fn new(text: &str, form: &Form) -> Self {
        let mut given: String = text.chars().take(MAX_LENGTH).collect();
        if given.len() < text.len() {
            given.push('…');
        }
        Self { given, kind: form.kind, problem: form.problem(text) }
    }
}

/// The form of one kind of ID: a prefix, then ASCII letters, digits and `marks`, without `..`.
struct Form {
    kind: &'static str,
    prefix: &'static str,
    marks: &'static str,
}

impl Form {
    #[inline]
    fn allows(&self, letter: char) -> bool {
        letter.is_ascii_alphanumeric() || self.marks.contains(letter)
    }

    fn fits(&self, text: &str) -> bool {
        text.len() > self.prefix.len()
            && text.len() <= MAX_LENGTH
            && text.starts_with(self.prefix)
            && text.bytes().all(|byte| self.allows(byte.into()))
            && (!self.allows('.') || !text.contains(".."))
    }

    /// Returns the form as a JSON Schema.
    #[cfg(feature = "schemars")]
    fn schema(&self) -> schemars::Schema {
        let Self { kind, prefix, marks, .. } = self;
        let not_twice = if self.allows('.') { r"(?!.*\.\.)" } else { "" };
        schemars::json_schema!({
            "type": "string",
            "description": kind,
            "pattern": format!("^{not_twice}{prefix}[A-Za-z0-9{marks}]+$"),
            "maxLength": MAX_LENGTH,
        })
    }

    /// Returns why `text` doesn't have this form.
    #[cold]
    fn problem(&self, text: &str) -> String {
        if text.is_empty() {
            "it is empty".to_owned()
        } else if text.len() > MAX_LENGTH {
            format!("it is {} bytes long, and at most {MAX_LENGTH} are allowed", text.len())
        } else if let Some(letter) = text.chars().find(|letter| !self.allows(*letter)) {
            format!("it contains the character {letter:?}")
        } else if text.contains("..") {
            "it contains `..`".to_owned()
        } else if !text.starts_with(self.prefix) {
            format!("it doesn't begin with `{}`", self.prefix)
        } else {
            format!("nothing follows `{}`", self.prefix)
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, prefix $prefix:literal, marks $marks:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(SmolStr);

        impl $name {
            const FORM: &Form = &Form { kind: $kind, prefix: $prefix, marks: $marks };

            /// Parses an ID. Fails if the text is not of this form, or longer than 64 bytes.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                if Self::FORM.fits(text) {
                    Ok(Self(SmolStr::new(text)))
                } else {
                    Err(InvalidId::new(text, Self::FORM))
                }
            }

            /// Returns the ID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                Self::FORM.schema()
            }
        }

        impl From<String> for Answered<$name> {
            fn from(text: String) -> Self {
                if $name::FORM.fits(&text) {
                    Self::Id($name(text.into()))
                } else {
                    Self::Unexpected(text)
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id! {
    /// The ID of an EBS volume: `vol-`, then letters and digits.
    ///
    /// ```
    /// # use datafy_api_ext::VolumeId;
    /// let id: VolumeId = "vol-0b9176567fe16f0bc".parse()?;
    /// assert!(VolumeId::new("..").is_err());
    /// # Ok::<(), datafy_api_ext::InvalidId>(())
    /// ```
    VolumeId, "a volume ID", prefix "vol-", marks "-"
}

id! {
    /// The ID of a snapshot in Datafy: `dsnap-`, then letters and digits.
    DatafySnapshotId, "a Datafy snapshot ID", prefix "dsnap-", marks "-"
}

id! {
    /// The ID of an EC2 instance: `i-`, then letters and digits.
    InstanceId, "an instance ID", prefix "i-", marks "-"
}

id! {
    /// The device name of a volume in an instance, such as `/dev/sdb` or `xvdf`.
    DeviceName, "a device name", prefix "", marks "/._-"
}

id! {
    /// The ID of a sub-account, such as `1536356a-b26f-4feb-8cd5-56b54b6c51d2`.
    SubAccountId, "a sub-account ID", prefix "", marks "_-"
}

/// An ID in an answer of the service, whether or not it has the documented form.
///
/// IDs from callers are validated strictly. An ID in an answer is not a reason to fail: the call has had its effect by
/// then, and the ID, whatever its form, is needed to find the created object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Answered<Id> {
    /// An ID of the documented form, for use in the next call.
    Id(Id),
    /// Any other text, unchanged.
    Unexpected(String),
}

impl<Id> Answered<Id> {
    /// Returns the ID, if it is of the documented form.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Id(id) => Some(id),
            Self::Unexpected(_) => None,
        }
    }
}

impl<Id: AsRef<str>> Answered<Id> {
    /// Returns the text, whatever its form.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_ref(),
            Self::Unexpected(text) => text,
        }
    }
}

impl<Id: Into<String>> From<Answered<Id>> for String {
    fn from(answered: Answered<Id>) -> Self {
        match answered {
            Answered::Id(id) => id.into(),
            Answered::Unexpected(text) => text,
        }
    }
}

impl<Id: AsRef<str>> fmt::Display for Answered<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The ID that is required is missing in the answer, or is not of the documented form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer holds no usable `{field}`: {}", match found { Some(text) => format!("it is {text:?}"), None => "it is absent".to_owned() })]
pub struct UnusableId {
    field: &'static str,
    found: Option<String>,
}

impl UnusableId {
    /// The text in the place of the ID, if any.
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// Returns the ID in `answered`, the value of the answer's `field`.
    pub(crate) fn require<'a, Id: AsRef<str>>(
        answered: Option<&'a Answered<Id>>,
        field: &'static str,
    ) -> Result<&'a Id, Self> {
        answered
            .and_then(Answered::id)
            .ok_or_else(|| Self { field, found: answered.map(|id| id.as_str().to_owned()) })
    }
}
