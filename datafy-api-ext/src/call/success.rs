//! What a 2xx answer proves: not every success on the wire is the service's.

use crate::call::partial_json;
use crate::id::VolumeId;
use serde::de::DeserializeOwned;

/// An answer with a 2xx status, as far as it came.
pub struct Success<'a> {
    /// The media type of the `Content-Type` header, without parameters.
    pub(crate) media_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
    /// Whether the body came whole.
    pub(crate) whole: bool,
}

/// Why a 2xx answer is not a result.
#[derive(Debug)]
pub enum Unusable {
    /// Nothing shows that the service sent it in answer to this request, so nothing is known of the effect.
    Foreign(String),
    /// The service acted, but its answer can't be read.
    Unreadable(String),
}

impl Success<'_> {
    /// Reads the content of an operation that answers JSON.
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

    /// Checks the answer of an operation for which the page documents no content: an empty body or JSON is the
    /// service's, anything else, such as the login page of a network, is not.
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

    /// Checks that the answer is about `volume` if it names one. A late answer to another request has been seen
    /// on reused connections.
    pub(crate) fn is_about(&self, volume: &VolumeId) -> Result<(), Unusable> {
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
    fn only_json_is_read_where_json_is_documented() {
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
    fn an_empty_body_or_json_is_a_success_where_no_content_is_documented() {
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
        assert!(cut.no_content().is_err(), "more was to come");
    }

    #[test]
    fn an_answer_that_names_another_volume_is_not_about_this_one() {
        let volume = VolumeId::new("vol-1").expect("an ID");
        let about = |body| success(None, body).is_about(&volume).is_ok();
        assert!(about(r#"{"volumeId":"vol-1""#) && about("{}") && about(r#"{"volumeId":""}"#));
        assert!(about(r#"{"volumeId":null}"#));
        assert!(!about(r#"{"volumeId":"vol-2"}"#) && !about(r#"{"volumeId":"vol-2","#));
    }
}
