//! What a token consists of: visible ASCII characters, without quotes.

/// Checks `token`, without the white space around it. Fails with the reason, which doesn't show the token.
///
/// To any other text, a service can only answer 401.
pub(crate) fn check(token: &str) -> Result<(), String> {
    let scheme = token.split_once(char::is_whitespace).map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")) {
        return Err("begins with `Bearer`, which the client adds; leave it out".to_owned());
    }
    let unfit = |letter: &char| !letter.is_ascii_graphic() || matches!(letter, '"' | '\'' | '`');
    let Some((letter, position)) = token.chars().zip(1..).find(|(letter, _)| unfit(letter)) else {
        return Ok(());
    };
    let (name, code) = (name(letter), u32::from(letter));
    Err(format!("contains {name} (U+{code:04X}) as its character {position}; remove it"))
}

fn name(letter: char) -> &'static str {
    match letter {
        ' ' => "a space",
        '\t' => "a tab",
        '\n' | '\r' => "a line break",
        '"' | '\'' | '`' => "a quotation mark",
        '\u{FEFF}' => "a byte order mark",
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' => "an invisible character",
        _ if letter.is_control() => "a control character",
        _ => "a character that is not ASCII",
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_is_no_token_is_refused_with_the_reason_and_the_place() {
        for (text, expected) in [
            ("\u{FEFF}secret", "contains a byte order mark (U+FEFF) as its character 1; remove it"),
            (
                "secret\u{200B}",
                "contains an invisible character (U+200B) as its character 7; remove it",
            ),
            ("sec ret", "contains a space (U+0020) as its character 4; remove it"),
            ("sec\tret", "contains a tab (U+0009) as its character 4; remove it"),
            ("sec\r\nret", "contains a line break (U+000D) as its character 4; remove it"),
            ("sec\0ret", "contains a control character (U+0000) as its character 4; remove it"),
            (
                "sécret",
                "contains a character that is not ASCII (U+00E9) as its character 2; remove it",
            ),
            ("\"secret\"", "contains a quotation mark (U+0022) as its character 1; remove it"),
            ("'secret'", "contains a quotation mark (U+0027) as its character 1; remove it"),
            ("Bearer secret", "begins with `Bearer`, which the client adds; leave it out"),
            ("bearer\tsecret", "begins with `Bearer`, which the client adds; leave it out"),
        ] {
            assert_eq!(check(text).expect_err(text), expected);
        }
        for token in ["bearer", "Bearer.x", "!#$%&()*+,-./09:;<=>?@AZ[\\]^_az{|}~"] {
            assert_eq!(check(token), Ok(()), "{token}");
        }
    }
}
