//! Texts without characters that control or mislead a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal shows something else for this character than a reader expects: control characters, those that set
/// the direction of text, and invisible ones.
fn misleads(letter: char) -> bool {
    // As `{:?}` decides, which escapes quotes and backslashes, too.
    !matches!(letter, '"' | '\'' | '\\') && letter.escape_debug().len() > 1
}

/// A text on one line, with escapes in place of what misleads.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |letter, text| text.extend(letter.escape_debug()))
}

/// JSON, in which such characters can only be parts of strings, with JSON's own escapes.
pub(crate) fn plain_json(json: &str) -> Cow<'_, str> {
    escaped(json, |letter, text| {
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(misleads) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if misleads(letter) { escape(letter, &mut plain) } else { plain.push(letter) }
    }
    plain.into()
}

/// A text as a word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{plain, plain_json};

    #[test]
    fn what_controls_or_misleads_a_terminal_is_escaped() {
        let text = "a\u{1b}]0;x\u{7}\r\nb\u{9b}31m \u{202e}c\u{200b} \"d\" \\ ä ボ 🙂";
        let escaped = r#"a\u{1b}]0;x\u{7}\r\nb\u{9b}31m \u{202e}c\u{200b} "d" \ ä ボ 🙂"#;
        assert_eq!(plain(text), escaped);
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "a\u{1b}\u{9b}\u{202e}\u{e0041}\u{7f}\"\\ ä";
        let json = serde_json::to_string(text).expect("a string");
        let escaped = plain_json(&json);
        assert!(!escaped.contains(['\u{9b}', '\u{202e}', '\u{e0041}', '\u{7f}']), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("JSON"), text);
    }
}
