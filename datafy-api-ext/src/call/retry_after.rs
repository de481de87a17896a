//! The `Retry-After` header (RFC 9110, section 10.2.3).

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// Returns how long the service asks the client to wait.
///
/// A date is compared with the `Date` of the answer or, without one, with `date`; if it has passed, the wait is zero. A
/// value that is neither seconds nor a date is ignored.
pub(crate) fn read(headers: &HeaderMap, date: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than fit into a `u64` still mean a long wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = headers.get(DATE).and_then(|now| httpdate::parse_http_date(now.to_str().ok()?).ok());
    Some(until.duration_since(now.unwrap_or_else(date)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::read;
    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
    use std::time::{Duration, SystemTime};

    fn at(text: &str) -> Option<Duration> {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let value = HeaderValue::from_bytes(text.as_bytes()).expect("a header value");
        read(&HeaderMap::from_iter([(RETRY_AFTER, value)]), || date)
    }

    #[test]
    fn seconds_and_every_form_of_date_are_read_and_anything_else_is_ignored() {
        for (text, expected) in [
            ("10", Some(10)),
            (" 10 ", Some(10)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("Sun Nov  6 08:49:47 1994", Some(10)),
            // The date has passed.
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
        ] {
            assert_eq!(at(text), expected.map(Duration::from_secs), "{text}");
        }
        for garbage in ["", "soon", "-1", "1.5", "+3", "10 s", "Sun, 06 Nov", "\u{fc}"] {
            assert_eq!(at(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn a_date_is_compared_with_the_clock_of_the_service() {
        let headers = HeaderMap::from_iter([
            (DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT")),
            (RETRY_AFTER, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:47 GMT")),
        ]);
        assert_eq!(read(&headers, || SystemTime::UNIX_EPOCH), Some(Duration::from_secs(10)));
    }
}
