//! Shows untrusted text on one line.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use std::fmt::{self, Write};

/// The length of the part of a text that is shown, in characters.
const SHOWN: usize = 300;

/// Shows a text of the service on one line, shortened, without characters that mislead a reader.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, letter) in self.0.chars().enumerate() {
            if at == SHOWN {
                return f.write_char('…');
            }
            // Replaced, not removed: otherwise the text on both sides would form a new word.
            f.write_char(if misleads(letter) { ' ' } else { letter })?;
        }
        Ok(())
    }
}

/// Whether a character ends a line, or makes a text look different from what it is.
///
/// These are the control characters, the line and paragraph separators, and the characters that Unicode has programs
/// ignore when they can't show them. Among those are all that set the direction of text, and also the soft hyphen,
/// joiners and variation selectors: without them a text stays readable.
pub(crate) fn misleads(letter: char) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') || ignorable.contains(letter)
}

#[cfg(test)]
mod tests {
    use super::OneLine;

    #[test]
    fn a_text_of_the_service_is_shown_on_one_line_without_misleading_characters() {
        let text = "a\r\nb\tc\u{1b}[31m\u{85}d\u{2028}e\u{2029}f\u{202e}g\u{2066}h\u{200f}i\u{61c}j\u{feff}k\u{200b}l\
            \u{200d}m\u{ad}n\u{e0041}o\u{fe0f}p\u{3164}q";
        let shown = "a  b c [31m d e f g h i j k l m n o p q";
        assert_eq!(OneLine(text).to_string(), shown);
        let other = "Der Datenträger wird verwaltet: حجم, ボリューム, e\u{301} 🙂";
        assert_eq!(OneLine(other).to_string(), other);
    }
}
