//! Typed IDs. Each is parsed once, by one rule wherever it comes from, and is then safe in a URL, a header and JSON.

use datafy_api::operations::{CREATE_SNAPSHOT, CREATE_VOLUME_FROM_SNAPSHOTS};
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
/// assert_eq!(error.to_string(), r#""i-09759c0bdec242294" is not a volume ID: `i-` begins an instance ID"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {kind}: {problem}")]
pub struct InvalidId {
    given: String,
    kind: &'static str,
    problem: String,
}

impl InvalidId {
    #[cold]
    fn new(text: &str, kind: &'static str, problem: String) -> Self {
        let mut given: String = text.chars().take(MAX_LENGTH).collect();
        if given.len() < text.len() {
            given.push('…');
        }
        Self { given, kind, problem }
    }
}

/// The documented prefixes of IDs. One that begins with the prefix of another kind is a mistake.
const PREFIXES: [(&str, &str); 4] = [
    ("dsnap-", "a Datafy snapshot ID"),
    ("i-", "an instance ID"),
    ("snap-", "an EBS snapshot ID"),
    ("vol-", "a volume ID"),
];

/// The form of one kind of ID: ASCII letters, digits and `marks`, without `..`.
struct Form {
    kind: &'static str,
    marks: &'static str,
    /// The marks that it may begin with.
    first: &'static str,
    /// Whether the prefixes of other kinds are refused, and a prefix without an ID.
    is_prefixed: bool,
}

impl Form {
    /// The form of every ID, in arguments, answers, journals and tags.
    const fn id(kind: &'static str) -> Self {
        Self { kind, marks: "_.:-", first: "", is_prefixed: true }
    }

    /// Returns why `text` doesn't have this form, if so.
    fn problem(&self, text: &str) -> Option<String> {
        let is =
            |letter: char, marks: &str| letter.is_ascii_alphanumeric() || marks.contains(letter);
        let is_wrong = |(prefix, kind): &(&str, &str)| {
            text.strip_prefix(prefix).is_some_and(|rest| *kind != self.kind || rest.is_empty())
        };
        if text.is_empty() {
            Some("it is empty".to_owned())
        } else if text.len() > MAX_LENGTH {
            let length = text.len();
            Some(format!("it is {length} bytes long, and at most {MAX_LENGTH} are allowed"))
        } else if let Some(letter) = text.chars().find(|letter| !is(*letter, self.marks)) {
            Some(format!("it contains the character {letter:?}"))
        } else if text.contains("..") {
            Some("it contains `..`".to_owned())
        } else if text == "/dev" || text.ends_with('/') || text.contains("//") {
            Some("it names a directory and not a device".to_owned())
        } else if !text.starts_with(|letter| is(letter, self.first)) {
            Some("it doesn't begin with a letter or a digit".to_owned())
        } else if !self.is_prefixed {
            None
        } else {
            let (prefix, kind) = PREFIXES.into_iter().find(is_wrong)?;
            if kind == self.kind {
                Some(format!("nothing follows `{prefix}`"))
            } else {
                Some(format!("`{prefix}` begins {kind}"))
            }
        }
    }

    /// Returns the form as a JSON Schema.
    #[cfg(feature = "schemars")]
    fn schema(&self) -> schemars::Schema {
        let Self { kind, marks, first, .. } = self;
        let wrong = PREFIXES
            .map(|(prefix, of)| if of == *kind { format!("{prefix}$") } else { prefix.to_owned() });
        let not = if self.is_prefixed { format!("(?!{})", wrong.join("|")) } else { String::new() };
        schemars::json_schema!({
            "type": "string",
            "description": kind,
            "pattern": format!(r"^(?!.*\.\.){not}[A-Za-z0-9{first}][A-Za-z0-9{marks}]*$"),
            "maxLength": MAX_LENGTH,
            "not": { "pattern": "^/dev$|/$|//" },
        })
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $form:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(SmolStr);

        impl $name {
            const FORM: &Form = &$form;

            /// Parses an ID. Fails if the text is not of this form, or longer than 64 bytes.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                match Self::FORM.problem(text) {
                    None => Ok(Self(SmolStr::new(text))),
                    Some(problem) => Err(InvalidId::new(text, Self::FORM.kind, problem)),
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
    /// The ID of an EBS volume, such as `vol-0b9176567fe16f0bc`.
    ///
    /// Every ID begins with a letter or a digit, and consists of ASCII letters, digits and `-`, `_`, `.` and `:`, without
    /// `..`. It doesn't begin with the prefix of another kind: `i-` begins an instance ID.
    ///
    /// ```
    /// # use datafy_api_ext::VolumeId;
    /// let id: VolumeId = "vol-0b9176567fe16f0bc".parse()?;
    /// assert!(VolumeId::new("..").is_err());
    /// # Ok::<(), datafy_api_ext::InvalidId>(())
    /// ```
    VolumeId, Form::id("a volume ID")
}

id! {
    /// The ID of a snapshot in Datafy, such as `dsnap-0b9176567fe16f0bd`. It has the form of every ID: see [`VolumeId`].
    DatafySnapshotId, Form::id("a Datafy snapshot ID")
}

id! {
    /// The ID of an EC2 instance, such as `i-09759c0bdec242294`. It has the form of every ID: see [`VolumeId`].
    InstanceId, Form::id("an instance ID")
}

id! {
    /// The device name of a volume in an instance, such as `/dev/sdb` or `xvdf`: ASCII letters, digits and `/`, `.`, `_`
    /// and `-`, without `..`, and without a slash at its end.
    DeviceName, Form { kind: "a device name", marks: "/._-", first: "/._-", is_prefixed: false }
}

id! {
    /// The ID of a sub-account, such as `1536356a-b26f-4feb-8cd5-56b54b6c51d2`. It has the form of every ID: see
    /// [`VolumeId`].
    SubAccountId, Form::id("a sub-account ID")
}

/// Checks what is known about the ID of the object that an operation of this name has created. One that creates nothing
/// has none.
pub(crate) fn check_created(operation: &str, id: Option<&str>) -> Result<(), String> {
    let check: fn(&str) -> Result<(), InvalidId> = match operation {
        name if name == CREATE_SNAPSHOT.name => |id| DatafySnapshotId::new(id).map(drop),
        name if name == CREATE_VOLUME_FROM_SNAPSHOTS.name => |id| VolumeId::new(id).map(drop),
        _ if id.is_none() => return Ok(()),
        _ => return Err("the operation creates nothing, so leave the ID out".to_owned()),
    };
    let id = id.ok_or("the ID of the created object is missing")?;
    check(id).map_err(|error| error.to_string())
}
