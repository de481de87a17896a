//! Checks whether a 2xx answer is the service's answer to the request: a gateway or a login page can send one, too.

use super::content::{Content, Object, Text};
use crate::id::{InvalidId, VolumeId};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::str::FromStr;

/// The names of the IDs in answers.
pub(crate) const SNAPSHOT_ID: &str = "datafySnapshotId";
pub(crate) const VOLUME_ID: &str = "volumeId";

/// Messages of API Gateway itself, for requests that it or the backend failed.
const GATEWAY_MESSAGES: [&str; 14] = [
    "Bad Request Exception",
    "Endpoint request timed out",
    "Forbidden",
    "Internal server error",
    "Invalid request body",
    "Limit Exceeded",
    "Missing Authentication Token",
    "Network error communicating with endpoint",
    "Not Found",
    "Service Unavailable",
    "Too Many Requests",
    "Unauthorized",
    "Unsupported Media Type",
    "User is not authorized to access this resource",
];

/// Why a 2xx answer is not a result.
#[derive(Debug)]
pub enum Unusable {
    /// Nothing proves that it is the service's answer to this request, so the effect is unknown.
    Foreign(String),
    /// The service acted, but its answer can't be used.
    Unreadable(String),
}

impl<'a> Content<'a> {
    /// Reads the answer of an operation that creates an object, whose ID is the member `name`.
    ///
    /// The ID decides: an object without any ID is not the service's answer, since gateways send such an object for a
    /// backend that failed.
    pub(crate) fn created<Id, T>(&self, name: &'static str) -> Result<(Id, T), Unusable>
    where
        Id: FromStr<Err = InvalidId>,
        T: DeserializeOwned,
    {
        let foreign = |text: String| Err(Unusable::Foreign(text));
        let unreadable = |text: String| Err(Unusable::Unreadable(text));
        if let Some(media_type) = self.media_type.filter(|it| !is_json(it)) {
            return foreign(format!("the answer is {media_type} and not application/json"));
        }
        self.expect_plain()?;
        let Some(object) = &self.object else {
            return foreign("the answer is not a JSON object".to_owned());
        };
        if [SNAPSHOT_ID, VOLUME_ID].iter().all(|name| object.text(name) == Text::Absent) {
            return foreign(format!("the answer has no `{name}`"));
        }
        let id = match object.text(name) {
            Text::Is(id) => id,
            Text::Absent => return unreadable(format!("the answer has no `{name}`")),
            Text::Several => return unreadable(format!("the answer has several `{name}`")),
            Text::CutOff => return unreadable(format!("the `{name}` is cut off")),
        };
        let id = id.parse().map_err(|error: InvalidId| {
            Unusable::Unreadable(format!("the `{name}` is not usable: {error}"))
        })?;
        if !(self.is_whole && object.is_complete) {
            return unreadable("the answer is cut off".to_owned());
        }
        // As a whole, which is twice as fast, or each field alone.
        let fields = serde_json::from_slice(self.body).or_else(|_| object.fields());
        fields.map(|fields| (id, fields)).map_err(Unusable::Unreadable)
    }

    /// Checks the answer of an operation without documented content.
    ///
    /// The service sends an empty body or JSON. Anything else, such as the login page of a network, is foreign, and so is
    /// JSON that names an error.
    pub(crate) fn no_content(&self) -> Result<(), Unusable> {
        self.expect_plain()?;
        let declared = self.media_type.is_some_and(is_json);
        let empty = self.is_whole && self.body.trim_ascii().is_empty();
        if !declared
            && !empty
            && serde_json::from_slice::<serde::de::IgnoredAny>(self.body).is_err()
        {
            return Err(Unusable::Foreign(match self.media_type {
                Some(media_type) => format!("the answer is {media_type} and not JSON"),
                None => "the answer is not JSON".to_owned(),
            }));
        }
        if self.object.as_ref().is_some_and(names_an_error) {
            return Err(Unusable::Foreign("the answer names an error".to_owned()));
        }
        Ok(())
    }

    fn expect_plain(&self) -> Result<(), Unusable> {
        match self.foreign_encoding() {
            None => Ok(()),
            Some(encoding) => {
                let text = format!("the answer is in {encoding}, which was not asked for");
                Err(Unusable::Foreign(text))
            }
        }
    }

    /// Checks that the answer is not about a snapshot: a late answer to another request would name it.
    pub(crate) fn expect_no_snapshot(&self) -> Result<(), Unusable> {
        match self.texts(SNAPSHOT_ID).next() {
            Some(named) => Err(Unusable::Foreign(format!("the answer names snapshot {named}"))),
            None => Ok(()),
        }
    }

    /// Fails if the answer names another volume than `volume`, as a late answer to another request on a reused
    /// connection does.
    pub(crate) fn expect_volume(&self, volume: &VolumeId) -> Result<(), Unusable> {
        let mut named = self.texts(VOLUME_ID);
        match named.find(|named| !named.is_empty() && named != volume.as_str()) {
            Some(named) => {
                Err(Unusable::Foreign(format!("the answer names volume {named} and not {volume}")))
            }
            None => Ok(()),
        }
    }

    fn texts(&self, name: &'static str) -> impl Iterator<Item = Cow<'a, str>> {
        self.object.iter().flat_map(move |object| object.texts(name))
    }
}

fn is_json(media_type: &str) -> bool {
    media_type.eq_ignore_ascii_case("application/json")
}

fn names_an_error(object: &Object<'_>) -> bool {
    let is_of_the_gateway = |message: Cow<'_, str>| {
        let message = message.trim().trim_end_matches('.');
        GATEWAY_MESSAGES.iter().any(|known| known.eq_ignore_ascii_case(message))
    };
    object.statement(&["error", "errors", "errorMessage"]).is_some()
        || object.statement(&["message", "Message"]).is_some_and(is_of_the_gateway)
}

#[cfg(test)]
mod tests {
    use super::{Content, Unusable};
    use crate::id::{DatafySnapshotId, VolumeId};
    use datafy_api::types;

    fn content<'a>(media_type: Option<&'a str>, body: &'a str) -> Content<'a> {
        Content::read(media_type, body.as_bytes(), true)
    }

    fn created(content: &Content<'_>) -> Result<(DatafySnapshotId, types::Snapshot), Unusable> {
        content.created("datafySnapshotId")
    }

    #[test]
    fn only_an_object_with_an_id_is_the_answer_to_a_create() {
        let id = r#"{"datafySnapshotId":"dsnap-1"}"#;
        for (media_type, body) in [
            (Some("text/html"), "<html>"),
            (Some("text/html"), id),
            (Some("application/problem+json"), id),
            (None, "<html>"),
            (None, ""),
            (None, r#"["dsnap-1","vol-1"]"#),
            (None, "{}"),
            (None, r#"{"message":"Internal server error"}"#),
            (None, r#"{"data":{"datafySnapshotId":"dsnap-1"}}"#),
            (None, r#"{"datafySnapshotId":null,"volumeId":7}"#),
            (None, r#"{"datafySnapshotId":"#),
        ] {
            let read = created(&content(media_type, body));
            assert!(matches!(read, Err(Unusable::Foreign(_))), "{media_type:?} {body}: {read:?}");
        }
        for body in [
            r#"{"datafySnapshotId":""}"#,
            r#"{"datafySnapshotId":"vol-1"}"#,
            r#"{"datafySnapshotId":"dsnap-1","datafySnapshotId":"dsnap-2"}"#,
            r#"{"volumeId":"vol-1"}"#,
            r#"{"datafySnapshotId":"d"#,
            r#"{"datafySnapshotId":"dsnap-1","#,
            r#"{"datafySnapshotId":"dsnap-1"}{}"#,
        ] {
            let read = created(&content(Some("Application/JSON"), body));
            assert!(matches!(read, Err(Unusable::Unreadable(_))), "{body}: {read:?}");
        }
        let zipped = Content::read(Some("application/json"), b"\x1F\x8B\x08", true);
        assert!(matches!(created(&zipped), Err(Unusable::Foreign(_))));
        assert!(matches!(zipped.no_content(), Err(Unusable::Foreign(_))));
        for media_type in [Some("application/json"), None] {
            let (id, _) = created(&content(media_type, &format!(" {id}"))).expect("usable");
            assert_eq!(id.as_str(), "dsnap-1");
        }
    }

    #[test]
    fn an_empty_body_or_json_is_accepted_where_no_content_is_documented() {
        for (media_type, body) in [
            (None, ""),
            (Some("text/plain"), "\r\n"),
            (Some("text/plain"), "\u{feff}{\"message\":\"\"}"),
            (Some("application/json"), "{"),
            (Some("application/json"), r#"{"message":"attached","error":null,"errors":[]}"#),
            (Some("application/json"), r#"{"error":false,"errorMessage":""}"#),
            (None, "[]"),
        ] {
            assert!(content(media_type, body).no_content().is_ok(), "{media_type:?} {body}");
        }
        for (media_type, body) in [(Some("text/html"), "<html>"), (None, "<html>"), (None, "OK")] {
            assert!(content(media_type, body).no_content().is_err(), "{media_type:?} {body}");
        }
        let cut = Content::read(Some("text/html"), b"", false);
        assert!(cut.no_content().is_err(), "the body is incomplete");
    }

    #[test]
    fn json_that_names_an_error_is_foreign_where_no_content_is_documented() {
        for body in [
            r#"{"error":"x"}"#,
            r#"{"error":true}"#,
            r#"{"error":{"code":1}}"#,
            r#"{"errors":[1]}"#,
            r#"{"errorMessage":"x","errorType":"y"}"#,
            r#"{"error":"cut o"#,
            r#"{"message":"Internal server error"}"#,
            r#"{"message":"Endpoint request timed out."}"#,
            r#"{"Message":"User is not authorized to access this resource"}"#,
        ] {
            assert!(content(Some("application/json"), body).no_content().is_err(), "{body}");
        }
    }

    #[test]
    fn an_answer_that_names_another_volume_is_foreign() {
        let volume = VolumeId::new("vol-1").expect("an ID");
        let accepted = |body| content(None, body).expect_volume(&volume).is_ok();
        assert!(
            accepted(r#"{"volumeId":"vol-1""#) && accepted("{}") && accepted(r#"{"volumeId":""}"#)
        );
        assert!(accepted(r#"{"volumeId":null}"#));
        assert!(!accepted(r#"{"volumeId":"vol-2"}"#) && !accepted(r#"{"volumeId":"vol-2","#));
        assert!(!accepted(r#"{"volumeId":"vol-1","volumeId":"vol-2"}"#));
    }
}
