//! The content of an answer, read as far as it can be: the one reader of JSON that arrives.

use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::Cell;
use std::iter;

/// The content of an answer, as far as it arrived.
pub struct Content<'a> {
    /// The media type of the `Content-Type` header, without parameters.
    pub(super) media_type: Option<&'a str>,
    /// The body without a byte order mark.
    pub(super) body: &'a [u8],
    /// Whether the body has arrived to its end.
    pub(super) is_whole: bool,
    /// `None` unless the body begins as a JSON object.
    pub(super) object: Option<Object<'a>>,
}

impl<'a> Content<'a> {
    pub(super) fn read(media_type: Option<&'a str>, body: &'a [u8], is_whole: bool) -> Self {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        Self { media_type, body, is_whole, object: Object::read(body) }
    }

    /// An encoding that the client didn't ask for, and doesn't read.
    pub(super) fn foreign_encoding(&self) -> Option<&'static str> {
        match self.body {
            [0x1F, 0x8B, ..] => Some("gzip"),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some("zstd"),
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'{' | b'[', ..] | [b'{' | b'[', 0, ..] => {
                Some("UTF-16")
            }
            _ => None,
        }
    }

    /// The body as a text for a person, unless it is empty, a page for a browser, or not a text.
    pub(super) fn plain_text(&self) -> Option<&'a str> {
        let is_text = |media_type: &str| {
            let media_type = media_type.to_ascii_lowercase();
            media_type == "text/plain" || media_type.ends_with("json")
        };
        if !self.media_type.is_none_or(is_text) || self.foreign_encoding().is_some() {
            return None;
        }
        let text = match str::from_utf8(self.body) {
            Ok(text) => text,
            // Cut off within a character.
            Err(error) if error.error_len().is_none() => {
                str::from_utf8(&self.body[..error.valid_up_to()]).ok()?
            }
            Err(_) => return None,
        };
        let text = text.trim();
        let is_page = text.starts_with('<');
        (!is_page && text.contains(char::is_alphanumeric) && !text.contains('\0')).then_some(text)
    }
}

/// A JSON object: its members, of which the last one may be cut off.
pub(super) struct Object<'a> {
    members: SmallVec<[Member<'a>; 10]>,
    /// Whether nothing is missing after the members, and nothing but white space follows.
    pub(super) is_complete: bool,
}

struct Member<'a> {
    name: Cow<'a, str>,
    /// The text of the value. It need not be valid JSON.
    value: &'a [u8],
    /// Whether the value ends, and isn't cut off.
    ended: bool,
}

/// The string that is the value of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// There is no such member, or its value is not a string.
    Absent,
    /// The member comes several times, with different values.
    Several,
    CutOff,
    /// The string. If it is not valid JSON, it is the text between its quotes.
    Is(Cow<'a, str>),
}

impl<'a> Object<'a> {
    /// Reads the object at the start of `body`, or as much of it as is there. Returns `None` if `body` begins otherwise.
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut rest = body.trim_ascii_start().strip_prefix(b"{")?;
        let mut object = Self { members: SmallVec::new(), is_complete: false };
        loop {
            let (part, end) = split(rest);
            if let Some((name, value)) = name_and_value(part) {
                let ended = end.is_some() || string_length(value) == Some(value.len());
                object.members.push(Member { name, value, ended });
            }
            match end {
                None => return Some(object),
                Some(b',') => rest = &rest[part.len() + 1..],
                Some(bracket) => {
                    let behind = rest[part.len() + 1..].trim_ascii_start();
                    object.is_complete = bracket == b'}' && behind.is_empty();
                    return Some(object);
                }
            }
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &Member<'a>> {
        self.members.iter().filter(move |member| member.name == name)
    }

    /// The value of a member. If the member comes several times, they must agree.
    fn value(&self, name: &str) -> Option<&Member<'a>> {
        let mut values = self.values(name);
        let first = values.next()?;
        values.all(|other| other.value == first.value).then_some(first)
    }

    /// All strings among the values of a member.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        self.values(name).filter(|member| member.ended).filter_map(Member::text)
    }

    /// The string that is the value of a member.
    pub(super) fn text(&self, name: &str) -> Text<'a> {
        match self.value(name) {
            Some(member) if !member.is_text() => Text::Absent,
            Some(member) if !member.ended => Text::CutOff,
            Some(member) => member.text().map_or(Text::Absent, Text::Is),
            None if self.values(name).any(Member::is_text) => Text::Several,
            None => Text::Absent,
        }
    }

    /// What the first member of these names says whose value is not null, false or empty, as far as it arrived.
    pub(super) fn statement(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().flat_map(|name| self.values(name)).find_map(Member::statement)
    }

    /// Reads the members through a generated type, each alone: one whose value doesn't fit is left out.
    ///
    /// Fails if the type requires one that is absent or left out.
    pub(super) fn fields<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut fit: SmallVec<[(&str, &RawValue); 10]> = SmallVec::new();
        for (at, member) in self.members.iter().enumerate() {
            let again = self.members[..at].iter().any(|earlier| earlier.name == member.name);
            if again || !member.ended || self.value(&member.name).is_none() {
                continue;
            }
            // A value that is not JSON doesn't fit.
            if let Ok(value) = serde_json::from_slice(member.value) {
                fit.push((&*member.name, value));
            }
        }
        loop {
            // Of the members, the one that is being read, until all are.
            let last = Cell::new(None);
            let each = fit.iter().enumerate().map(|(at, member)| {
                last.set(Some(at));
                *member
            });
            let end = iter::from_fn(|| {
                last.set(None);
                None
            });
            match (T::deserialize(MapDeserializer::new(each.chain(end))), last.get()) {
                (Ok(read), _) => return Ok(read),
                (Err(_), Some(unfit)) => drop(fit.remove(unfit)),
                // A required member is absent.
                (Err(error), None) => return Err(error.to_string()),
            }
        }
    }
}

/// The names under which services and gateways say what went wrong.
pub(super) const MESSAGES: &[&str] =
    &["message", "Message", "errorMessage", "error", "errors", "detail", "error_description"];

impl<'a> Member<'a> {
    fn is_text(&self) -> bool {
        self.value.starts_with(b"\"")
    }

    /// The string, or `None` if the value is none.
    fn text(&self) -> Option<Cow<'a, str>> {
        let raw = self.value.strip_prefix(b"\"")?;
        let lossy = || String::from_utf8_lossy(raw.strip_suffix(b"\"").unwrap_or(raw));
        Some(string(self.value).unwrap_or_else(lossy))
    }

    /// The text of the value: of an object, the text that says what went wrong, and otherwise the JSON.
    fn statement(&self) -> Option<Cow<'a, str>> {
        if let Some(text) = self.text() {
            return Some(text).filter(|text| !text.trim().is_empty());
        }
        let is_empty = self.value.iter().all(|byte| b"[]{} \t\r\n".contains(byte));
        if is_empty || matches!(self.value, b"null" | b"false") {
            return None;
        }
        let inner = Object::read(self.value).and_then(|inner| {
            let mut members = MESSAGES.iter().flat_map(|name| inner.values(name));
            members.find_map(Member::text)
        });
        inner.or_else(|| Some(String::from_utf8_lossy(self.value)))
    }
}

/// Returns the text up to the comma or the bracket that ends it, and that byte unless it is missing.
fn split(text: &[u8]) -> (&[u8], Option<u8>) {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_length(&text[at..]).unwrap_or(text.len() - at) - 1,
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => return (&text[..at], Some(*byte)),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    (text, None)
}

/// The length of the string at the start of `text`, with its quotes. `None` if there is none, or it is cut off.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = text.starts_with(b"\"").then_some(1)?;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
    None
}

/// Splits a member at its colon. Returns `None` if it has no name, or no value yet.
fn name_and_value(member: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let member = member.trim_ascii_start();
    let (name, rest) = member.split_at(string_length(member)?);
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii();
    Some((string(name)?, value)).filter(|_| !value.is_empty())
}

/// Returns the string of this JSON, borrowed unless it contains escapes.
fn string(json: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Borrowed<'t>(#[serde(borrow)] Cow<'t, str>);

    serde_json::from_slice(json).ok().map(|Borrowed(text)| text)
}

#[cfg(test)]
mod tests {
    use super::{Content, MESSAGES, Object, Text};
    use datafy_api::types;

    fn object(body: &[u8]) -> Object<'_> {
        Object::read(body).expect("an object")
    }

    fn id(body: &str) -> Text<'_> {
        object(body.as_bytes()).text("volumeId")
    }

    fn is(text: &str) -> Text<'_> {
        Text::Is(text.into())
    }

    #[test]
    fn an_id_is_found_wherever_the_body_is_cut_off_after_it() {
        let body = r#" {"volumeId" : "vol-1", "datafySnapshotId":"dsnap-2","status":"pen"#;
        assert_eq!(id(body), is("vol-1"));
        assert_eq!(object(body.as_bytes()).text("datafySnapshotId"), is("dsnap-2"));
        assert_eq!(object(body.as_bytes()).text("status"), Text::CutOff);
    }

    #[test]
    fn an_id_that_is_cut_off_itself_is_not_found() {
        let whole = r#"{"volumeId":"vol-1""#;
        for end in 1..whole.len() {
            let expected = if end > r#"{"volumeId":"#.len() { Text::CutOff } else { Text::Absent };
            assert_eq!(id(&whole[..end]), expected, "{end}");
        }
        assert_eq!(id(whole), is("vol-1"));
    }

    #[test]
    fn only_a_string_at_the_top_level_of_an_object_is_an_id() {
        for (body, expected) in [
            (r#"{"description":"\"volumeId\":\"vol-1\"","volumeId":"vol-2"}"#, is("vol-2")),
            (r#"{"source":{"volumeId":"vol-1"},"list":[{"volumeId":"vol-2"}]}"#, Text::Absent),
            (r#"{"source":{"volumeId":"vol-1"},"volumeId":"vol-3"}"#, is("vol-3")),
            (r#"{"volumeId":"vol-1","volumeId":"vol-1"}"#, is("vol-1")),
            (r#"{"volumeId":"vol-1","x":0,"volumeId":"vol-2"}"#, Text::Several),
            (r#"{"volumeId":null,"volumeId":"vol-2"}"#, Text::Several),
            (r#"{"volumeId":7,"volumeId":null}"#, Text::Absent),
            (r#"{"volumeId":["vol-1"]}"#, Text::Absent),
            (r#"{"volume\u0049d":"vol-\u0031"}"#, is("vol-1")),
            (r#"{"volumeId":"vol-\x1"}"#, is(r"vol-\x1")),
        ] {
            assert_eq!(id(body), expected, "{body}");
        }
        for body in [
            r#"["volumeId","vol-1"]"#,
            r#"[{"volumeId":"vol-1"}]"#,
            r#"<script>var answer = {"volumeId":"vol-1"}</script>"#,
            "",
        ] {
            assert!(Object::read(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn an_id_behind_what_is_not_json_is_found() {
        for value in [
            &br#""bad \x escape""#[..],
            b"\"\xff\xfe\"",
            b"\"line\nbreak\0\"",
            br#""an "unescaped" quote""#,
            br#""\ud800""#,
            b"NaN",
            b"tru e",
            br#"{"a":[1,2],"b":"}"}"#,
            b"",
        ] {
            let mut body = br#"{"description":"#.to_vec();
            body.extend_from_slice(value);
            body.extend_from_slice(br#","volumeId":"vol-1"}"#);
            let object = object(&body);
            assert_eq!(object.text("volumeId"), is("vol-1"), "{}", body.escape_ascii());
            assert!(object.is_complete);
        }
    }

    #[test]
    fn an_object_is_complete_if_its_bracket_and_nothing_else_follows() {
        for (body, complete) in [
            ("{}", true),
            ("{ } \r\n", true),
            (r#"{"a":{"b":1}}"#, true),
            (r#"{"a":{"b":1}"#, false),
            ("{", false),
            ("{]", false),
            ("{}{}", false),
            ("{} x", false),
        ] {
            assert_eq!(object(body.as_bytes()).is_complete, complete, "{body}");
        }
    }

    #[test]
    fn each_field_is_read_alone_and_one_that_does_not_fit_is_none() {
        let body =
            br#"{"datafySnapshotId":"dsnap-1","volumeId":7,"status":"pending","volumeSizeGb":20.0,
            "startTime":"2026-01-01T00:00:00","description":"a","description":"b"}"#;
        let snapshot: types::Snapshot = object(body).fields().expect("no field is required");
        assert_eq!(snapshot.datafy_snapshot_id.as_deref(), Some("dsnap-1"));
        assert_eq!(snapshot.status.as_deref(), Some("pending"));
        assert_eq!((snapshot.volume_id, snapshot.volume_size_gb), (None, None));
        assert_eq!((snapshot.start_time, snapshot.description), (None, None));

        let body = br#"{"instanceId":7}"#;
        let error = object(body).fields::<types::AttachVolumeRequest>().expect_err("required");
        assert!(error.contains("missing field"), "{error}");
    }

    #[test]
    fn what_went_wrong_is_found_under_its_usual_names() {
        for (body, expected) in [
            (r#"{"code":7,"message":"too many"}"#, Some("too many")),
            (r#"{"message":"no","cut": "of"#, Some("no")),
            (r#"{"message":"cut of"#, Some("cut of")),
            (r#"{"message":"","error":null,"errors":[],"Message":"no"}"#, Some("no")),
            (r#"{"error":{"code":1,"message":"no"}}"#, Some("no")),
            (r#"{"errors":["no", "never"]}"#, Some(r#"["no", "never"]"#)),
            (r#"{"detail":"no"}"#, Some("no")),
            (r#"{"error":false,"errors":[{}],"errorMessage":" "}"#, None),
            (r#"{"status":"no"}"#, None),
        ] {
            assert_eq!(object(body.as_bytes()).statement(MESSAGES).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_an_encoding_is_named() {
        let content = |body| Content::read(None, body, true);
        assert!(content(b"\xEF\xBB\xBF{}").object.is_some());
        for (body, name) in [
            (&b"\x1F\x8B\x08"[..], Some("gzip")),
            (b"\x28\xB5\x2F\xFD", Some("zstd")),
            (b"\xFF\xFE{\0}\0", Some("UTF-16")),
            (b"{\0}\0", Some("UTF-16")),
            (b"\0{\0}", Some("UTF-16")),
            (b"{}", None),
            (b"", None),
        ] {
            assert_eq!(content(body).foreign_encoding(), name, "{}", body.escape_ascii());
        }
    }
}
