//! Reads strings from an answer that is incomplete or not valid JSON.

use serde::Deserialize;
use std::borrow::Cow;

/// Returns the string value of the top-level `key` of the object `body`, which may be invalid or cut off after it.
pub(crate) fn string<'b>(body: &'b [u8], key: &str) -> Option<Cow<'b, str>> {
    let mut rest = body.trim_ascii_start();
    if !rest.starts_with(b"{") {
        return None;
    }
    let mut depth = 0;
    loop {
        match rest.split_first()? {
            (b'{' | b'[', _) => depth += 1,
            (b'}' | b']', _) => depth -= 1,
            (b'"', _) => {
                let (text, after) = leading_string(rest)?;
                rest = after;
                if depth == 1
                    && text == key
                    && let Some(value) = rest.trim_ascii_start().strip_prefix(b":")
                {
                    return leading_string(value.trim_ascii_start()).map(|(value, _)| value);
                }
                continue;
            }
            _ => {}
        }
        rest = &rest[1..];
    }
}

/// Returns the JSON string at the start of `text`, and the rest of the text.
fn leading_string(text: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    /// Borrows the text unless it contains escapes.
    #[derive(Deserialize)]
    struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

    let mut strings = serde_json::Deserializer::from_slice(text).into_iter::<Text<'_>>();
    let Text(string) = strings.next()?.ok()?;
    Some((string, &text[strings.byte_offset()..]))
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn an_id_is_found_wherever_the_body_is_cut_off_after_it() {
        let body = br#"{"volumeId" : "vol-1", "datafySnapshotId":"dsnap-2","status":"pen"#;
        assert_eq!(string(body, "datafySnapshotId").as_deref(), Some("dsnap-2"));
        assert_eq!(string(body, "volumeId").as_deref(), Some("vol-1"));
    }

    #[test]
    fn an_id_that_is_cut_off_itself_is_not_found() {
        assert_eq!(string(br#"{"volumeId":"vol-1"#, "volumeId"), None);
        assert_eq!(string(br#"{"volumeId""#, "volumeId"), None);
        assert_eq!(string(b"<html>", "volumeId"), None);
    }

    #[test]
    fn a_key_quoted_in_a_text_is_not_found() {
        let body = br#"{"description":"\"volumeId\":\"vol-1\"","volumeId":"vol-2"}"#;
        assert_eq!(string(body, "volumeId").as_deref(), Some("vol-2"));
        let body = br#"{"description":"volumeId","volumeId":7}"#;
        assert_eq!(string(body, "volumeId"), None);
    }

    #[test]
    fn a_nested_id_is_not_found() {
        let body =
            br#"{"source":{"volumeId":"vol-1"},"list":[{"volumeId":"vol-2"}],"volumeId":"vol-3""#;
        assert_eq!(string(body, "volumeId").as_deref(), Some("vol-3"));
        assert_eq!(string(&body[..60], "volumeId"), None);
    }

    #[test]
    fn only_an_object_is_searched() {
        assert_eq!(string(b" {\"volumeId\":\"vol-1\"", "volumeId").as_deref(), Some("vol-1"));
        for body in [
            r#"["volumeId","vol-1"]"#,
            r#"[{"volumeId":"vol-1"}]"#,
            r#"<script>var answer = {"volumeId":"vol-1"}</script>"#,
        ] {
            assert_eq!(string(body.as_bytes(), "volumeId"), None, "{body}");
        }
    }
}
