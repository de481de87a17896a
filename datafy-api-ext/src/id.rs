//! Typed IDs. Each is parsed once, and is safe in a URL, a header and a JSON text from then on.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
#[cfg(feature = "schemars")]
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The longest id that is taken, in bytes. The ids of AWS are a third of it.
const LONGEST: usize = 64;

/// Why a text is not an id of the wanted kind.
///
/// ```
/// use datafy_api_ext::VolumeId;
///
/// let error = VolumeId::new("i-09759c0bdec242294").unwrap_err();
/// assert_eq!(error.to_string(), r#""i-09759c0bdec242294" is not a volume id: it doesn't begin with `vol-`"#);
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
        let mut given: String = text.chars().take(LONGEST).collect();
        if given.len() < text.len() {
            given.push('…');
        }
        Self { given, kind: form.kind, problem: form.problem(text) }
    }
}

/// The form of IDs of a kind: a prefix, then letters, digits and `marks`, without `..`.
struct Form {
    kind: &'static str,
    prefix: &'static str,
    marks: &'static str,
}

impl Form {
    fn allows(&self, letter: char) -> bool {
        letter.is_ascii_alphanumeric() || self.marks.contains(letter)
    }

    fn fits(&self, text: &str) -> bool {
        text.len() > self.prefix.len()
            && text.len() <= LONGEST
            && text.starts_with(self.prefix)
            && text.chars().all(|letter| self.allows(letter))
            && !text.contains("..")
    }

    /// The form as a JSON Schema.
    #[cfg(feature = "schemars")]
    fn schema(&self) -> schemars::Schema {
        let Self { kind, prefix, marks, .. } = self;
        let not_twice = if self.allows('.') { r"(?!.*\.\.)" } else { "" };
        schemars::json_schema!({
            "type": "string",
            "description": kind,
            "pattern": format!("^{not_twice}{prefix}[A-Za-z0-9{marks}]+$"),
            "maxLength": LONGEST,
        })
    }

    /// The first problem of `text`, which doesn't fit.
    #[cold]
    fn problem(&self, text: &str) -> String {
        if text.is_empty() {
            "it is empty".to_owned()
        } else if text.len() > LONGEST {
            format!("it is {} bytes long, and {LONGEST} is the most", text.len())
        } else if let Some(letter) = text.chars().find(|letter| !self.allows(*letter)) {
            format!("it holds the character {letter:?}")
        } else if text.contains("..") {
            "it holds `..`".to_owned()
        } else if !text.starts_with(self.prefix) {
            format!("it doesn't begin with `{}`", self.prefix)
        } else {
            format!("nothing follows `{}`", self.prefix)
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, begins $prefix:literal, marks $marks:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(SmolStr);

        impl $name {
            const FORM: &Form = &Form { kind: $kind, prefix: $prefix, marks: $marks };

            /// Parses the id.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                if Self::FORM.fits(text) {
                    Ok(Self(SmolStr::new(text)))
                } else {
                    Err(InvalidId::new(text, Self::FORM))
                }
            }

            /// The id as text.
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
    /// The id of an EBS volume: `vol-`, then letters and digits.
    ///
    /// ```
    /// # use datafy_api_ext::VolumeId;
    /// let id: VolumeId = "vol-0b9176567fe16f0bc".parse()?;
    /// assert!(VolumeId::new("..").is_err());
    /// # Ok::<(), datafy_api_ext::InvalidId>(())
    /// ```
    VolumeId, "a volume id", begins "vol-", marks "-"
}

id! {
    /// The id that Datafy gives a snapshot: `dsnap-`, then letters and digits.
    DatafySnapshotId, "a Datafy snapshot id", begins "dsnap-", marks "-"
}

id! {
    /// The id of an EC2 instance: `i-`, then letters and digits.
    InstanceId, "an instance id", begins "i-", marks "-"
}

id! {
    /// The name under which an instance sees a volume, such as `/dev/sdb` or `xvdf`.
    DeviceName, "a device name", begins "", marks "/._-"
}

id! {
    /// The id of a sub-account, such as `1536356a-b26f-4feb-8cd5-56b54b6c51d2`.
    SubAccountId, "a sub-account id", begins "", marks "_-"
}

/// An id in an answer of the service: of the documented form, or kept as it came.
///
/// What callers give is parsed strictly. What the service answers is never a reason to fail: by then
/// the call has had its effect, and the id is what finds it again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Answered<Id> {
    /// The id, ready for the next call.
    Id(Id),
    /// What came in its place.
    Unexpected(String),
}

impl<Id> Answered<Id> {
    /// The id, if it is of the documented form.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Id(id) => Some(id),
            Self::Unexpected(_) => None,
        }
    }
}

impl<Id: AsRef<str>> Answered<Id> {
    /// What came, whatever its form.
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

/// An answer doesn't hold the id that is asked for, or holds one of unexpected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer holds no usable `{field}`: {}", match found { Some(text) => format!("it is {text:?}"), None => "it is absent".to_owned() })]
pub struct UnusableId {
    field: &'static str,
    found: Option<String>,
}

impl UnusableId {
    /// What stands in the place of the id, if anything does.
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// The id in `answered`, the answer's `field`.
    pub(crate) fn require<'a, Id: AsRef<str>>(
        answered: Option<&'a Answered<Id>>,
        field: &'static str,
    ) -> Result<&'a Id, Self> {
        answered
            .and_then(Answered::id)
            .ok_or_else(|| Self { field, found: answered.map(|id| id.as_str().to_owned()) })
    }
}
