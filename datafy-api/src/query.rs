//! Lists in the query of a request.
#![allow(dead_code, unreachable_pub, reason = "used if the spec has a list in a query")]

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use std::fmt::Display;

/// All characters but the unreserved ones (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A list of values: made of a slice or an array, or of one value or none as an `Option`.
#[derive(Clone, Copy, Debug)]
pub enum List<'a, T> {
    /// One value or none.
    AtMostOne(Option<T>),
    /// Any number of values.
    Slice(&'a [T]),
}

impl<T> List<'_, T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::AtMostOne(value) => value.as_slice(),
            Self::Slice(values) => values,
        }
    }
}

impl<T> From<Option<T>> for List<'_, T> {
    fn from(value: Option<T>) -> Self {
        Self::AtMostOne(value)
    }
}

impl<'a, T> From<&'a [T]> for List<'a, T> {
    fn from(values: &'a [T]) -> Self {
        Self::Slice(values)
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for List<'a, T> {
    fn from(values: &'a [T; N]) -> Self {
        Self::Slice(values)
    }
}

/// Returns `url` with a list added to its query, as `style: form` of OpenAPI: each item as a parameter if `exploded`,
/// otherwise all in one parameter, separated by commas. An empty list is not sent.
pub(crate) fn with_list<'a, T: Display + 'a>(
    mut url: Url,
    name: &str,
    exploded: bool,
    list: impl Into<List<'a, T>>,
) -> Url {
    let list = list.into();
    let list = list.as_slice();
    if list.is_empty() {
        return url;
    }
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let name = encode(name);
    let items = list.iter().map(|item| encode(&item.to_string()));
    let own = if exploded {
        items.map(|item| format!("{name}={item}")).collect::<Vec<_>>().join("&")
    } else {
        format!("{name}={}", items.collect::<Vec<_>>().join(","))
    };
    let query = match url.query() {
        Some(query) => format!("{query}&{own}"),
        None => own,
    };
    url.set_query(Some(&query));
    url
}

/// Expects a list in the query, or no such parameter if the list is empty.
#[cfg(feature = "httpmock")]
pub(crate) fn expect_list<'a, T: Display + 'a>(
    when: httpmock::When,
    name: &str,
    exploded: bool,
    list: impl Into<List<'a, T>>,
) -> httpmock::When {
    let list = list.into();
    let list = list.as_slice();
    let items = list.iter().map(ToString::to_string);
    if list.is_empty() {
        when.query_param_missing(name)
    } else if exploded {
        items.fold(when, |when, item| when.query_param(name, item))
    } else {
        when.query_param(name, items.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::with_list;

    #[test]
    fn a_list_is_one_parameter_or_one_for_each_item() {
        let table = [
            ("http://h/p", false, &["a", "b"][..], "http://h/p?ids=a,b"),
            ("http://h/p", true, &["a", "b"], "http://h/p?ids=a&ids=b"),
            ("http://h/p?x=1", false, &["a"], "http://h/p?x=1&ids=a"),
            (
                "http://h/p",
                false,
                &["a,b", "c d&e=f", "é#"],
                "http://h/p?ids=a%2Cb,c%20d%26e%3Df,%C3%A9%23",
            ),
            ("http://h/p", false, &["", "-._~"], "http://h/p?ids=,-._~"),
            ("http://h/p", false, &[], "http://h/p"),
            ("http://h/p?x=1", true, &[], "http://h/p?x=1"),
        ];
        for (url, exploded, list, expected) in table {
            let url = with_list(url.parse().expect("a URL"), "ids", exploded, list);
            assert_eq!(url.as_str(), expected);
        }
        let of =
            |list: Option<&str>| with_list("http://h".parse().expect("a URL"), "id", false, list);
        assert_eq!([of(Some("a")), of(None)].map(String::from), ["http://h/?id=a", "http://h/"]);
    }
}
