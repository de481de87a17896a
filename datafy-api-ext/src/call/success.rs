//! Checks whether a 2xx answer is the service's answer to the request: a gateway or a login page can send one, too.

use crate::call::partial_json;
use crate::id::VolumeId;
use serde::de::DeserializeOwned;

/// An answer with a 2xx status, as far as it arrived.
pub struct Success<'a> {
    /// The media type of the `Content-Type` header, without parameters.
    pub(crate) media_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
    /// Whether the body is complete.
    pub(crate) whole: bool,
}

/// Why a 2xx answer is not a result.
#[derive(Debug)]
pub enum Unusable {
    /// Nothing proves that it is the service's answer to this request, so the effect is unknown.
    Foreign(String),
    /// The service acted, but its answer can't be read.
    Unreadable(String),
}

impl Success<'_> {
    /// Reads the content of an operation whose answer is documented as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Unusable> {
        match self.media_type {
            Some(media_type) if !is_json(media_type) => {
                return Err(Unusable::Foreign(format!(
                    "the answer is {media_type} and not application/json"
                )));
            }
            None if !self.body.trim_ascii_start().starts_with(b"{") => {
                return Err(Unusable::Foreign("the answer is not JSON".to_owned()));
            }
            _ => {}
        }
        let body = if self.whole { self.body } else { &[] };
        serde_json::from_slice(body).map_err(|error| Unusable::Unreadable(error.to_string()))
    }

    /// Checks the answer of an operation without documented content.
    ///
    /// The service sends an empty body or JSON. Anything else, such as the login page of a network, is foreign.
    pub(crate) fn no_content(&self) -> Result<(), Unusable> {
        let declared = self.media_type.is_some_and(is_json);
        let empty = self.whole && self.body.trim_ascii().is_empty();
        if declared || empty || serde_json::from_slice::<serde::de::IgnoredAny>(self.body).is_ok() {
            return Ok(());
        }
        Err(Unusable::Foreign(match self.media_type {
            Some(media_type) => format!("the answer is {media_type} and not JSON"),
            None => "the answer is not JSON".to_owned(),
        }))
    }

    /// Checks that the answer is not about a snapshot: a late answer to another request would name the volume of that.
    pub(crate) fn expect_no_snapshot(&self) -> Result<(), Unusable> {
        match partial_json::string(self.body, "datafySnapshotId") {
            Some(named) => Err(Unusable::Foreign(format!("the answer names snapshot {named}"))),
            None => Ok(()),
        }
    }

    /// Fails if the answer names another volume than `volume`, as a late answer to another request on a reused
    /// connection does.
    pub(crate) fn expect_volume(&self, volume: &VolumeId) -> Result<(), Unusable> {
        match partial_json::string(self.body, "volumeId") {
            Some(named) if !named.is_empty() && named != volume.as_str() => {
                Err(Unusable::Foreign(format!("the answer names volume {named} and not {volume}")))
            }
            _ => Ok(()),
        }
    }
}

fn is_json(media_type: &str) -> bool {
    media_type.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::{Success, Unusable};
    use crate::id::VolumeId;
    use serde_json::Value;

    fn success<'a>(media_type: Option<&'a str>, body: &'a str) -> Success<'a> {
        Success { media_type, body: body.as_bytes(), whole: true }
    }

    #[test]
    fn only_json_is_accepted_where_json_is_documented() {
        for (media_type, body) in [
            (Some("text/html"), "<html>"),
            (Some("text/html"), "{}"),
            (Some("application/problem+json"), "{}"),
            (None, "<html>"),
            (None, ""),
        ] {
            let read = success(media_type, body).json::<Value>();
            assert!(matches!(read, Err(Unusable::Foreign(_))), "{media_type:?} {body}");
        }
        for (media_type, body) in [(Some("Application/JSON"), "{"), (Some("application/json"), "")]
        {
            let read = success(media_type, body).json::<Value>();
            assert!(matches!(read, Err(Unusable::Unreadable(_))), "{media_type:?} {body}");
        }
        for media_type in [Some("application/json"), None] {
            assert!(success(media_type, " {}").json::<Value>().is_ok(), "{media_type:?}");
        }
    }

    #[test]
    fn an_empty_body_or_json_is_accepted_where_no_content_is_documented() {
        for (media_type, body) in [
            (None, ""),
            (Some("text/plain"), "\r\n"),
            (Some("text/plain"), "{\"message\":\"\"}"),
            (Some("application/json"), "{"),
        ] {
            assert!(success(media_type, body).no_content().is_ok(), "{media_type:?} {body}");
        }
        for (media_type, body) in [(Some("text/html"), "<html>"), (None, "<html>"), (None, "OK")] {
            assert!(success(media_type, body).no_content().is_err(), "{media_type:?} {body}");
        }
        let cut = Success { media_type: Some("text/html"), body: b"", whole: false };
        assert!(cut.no_content().is_err(), "the body is incomplete");
    }

    #[test]
    fn an_answer_that_names_another_volume_is_foreign() {
        let volume = VolumeId::new("vol-1").expect("an ID");
        let accepted = |body| success(None, body).expect_volume(&volume).is_ok();
        assert!(
            accepted(r#"{"volumeId":"vol-1""#) && accepted("{}") && accepted(r#"{"volumeId":""}"#)
        );
        assert!(accepted(r#"{"volumeId":null}"#));
        assert!(!accepted(r#"{"volumeId":"vol-2"}"#) && !accepted(r#"{"volumeId":"vol-2","#));
    }
}
