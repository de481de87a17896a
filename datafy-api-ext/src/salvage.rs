//! Takes ids out of an answer that can't be read as a whole.

/// The string that stands at `key` in `body`, however broken the body is around it.
pub(crate) fn string(body: &[u8], key: &str) -> Option<String> {
    let quoted = format!("\"{key}\"");
    let mut rest = body;
    loop {
        let at = rest.windows(quoted.len()).position(|window| window == quoted.as_bytes())?;
        rest = &rest[at + quoted.len()..];
        if let Some(value) = rest.trim_ascii_start().strip_prefix(b":") {
            let mut values = serde_json::Deserializer::from_slice(value).into_iter::<String>();
            if let Some(Ok(text)) = values.next() {
                return Some(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn an_id_is_found_wherever_the_body_breaks_off_behind_it() {
        let body = br#"{"volumeId" : "vol-1", "datafySnapshotId":"dsnap-2","status":"pen"#;
        assert_eq!(string(body, "datafySnapshotId").as_deref(), Some("dsnap-2"));
        assert_eq!(string(body, "volumeId").as_deref(), Some("vol-1"));
    }

    #[test]
    fn an_id_that_is_cut_itself_is_not_taken_for_one() {
        assert_eq!(string(br#"{"volumeId":"vol-1"#, "volumeId"), None);
        assert_eq!(string(br#"{"volumeId""#, "volumeId"), None);
        assert_eq!(string(b"<html>", "volumeId"), None);
    }

    #[test]
    fn text_that_quotes_the_key_is_not_taken_for_the_key() {
        let body = br#"{"description":"\"volumeId\":\"vol-1\"","volumeId":"vol-2"}"#;
        assert_eq!(string(body, "volumeId").as_deref(), Some("vol-2"));
        let body = br#"{"description":"volumeId","volumeId":7}"#;
        assert_eq!(string(body, "volumeId"), None);
    }
}
