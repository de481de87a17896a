//! Finds the token in what the service sends back, and replaces it.
//!
//! A fragment of the token is found by its windows: all sequences of [`FRAGMENT`] bytes in it. A longer fragment is a
//! chain of windows. Base64 spells a token in three ways, by its position in the encoded text, so the windows of these
//! are searched for, too.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroizing;
use std::ops::Range;

/// The length of the shortest token that is redacted, in bytes. A shorter one is no secret, and may occur in any
/// text.
const SHORTEST_SECRET: usize = 8;

/// The length of the shortest fragment of a token that is redacted, in bytes; a token that is shorter is redacted
/// as a whole. In base64 it is the length of the encoded fragment.
const FRAGMENT: usize = 12;

/// Replaces a fragment of the token.
const REDACTED: &[u8] = b"[token]";

/// Redacts one token. Building it costs more than a search, so it is kept with the token.
pub(crate) struct Redactor {
    /// The length of a window.
    length: usize,
    /// The windows, sorted. Those of a short token have zeros at the end.
    windows: Zeroizing<Vec<[u8; FRAGMENT]>>,
    /// The pairs of bytes in them, a bit for each.
    pairs: Zeroizing<Vec<u64>>,
}

impl Redactor {
    /// Returns `None` if the token is too short to be a secret.
    pub(crate) fn new(token: &str) -> Option<Self> {
        if token.len() < SHORTEST_SECRET {
            return None;
        }
        let length = token.len().min(FRAGMENT);
        let spellings = spellings(token);
        let mut windows: Zeroizing<Vec<_>> = Zeroizing::new(
            spellings.iter().flat_map(|text| text.windows(length).map(padded)).collect(),
        );
        windows.sort_unstable();
        windows.dedup();
        let mut pairs = Zeroizing::new(vec![0; (1 << 16) / 64]);
        for pair in windows.iter().flat_map(|window| window[..length].windows(2)) {
            let (at, bit) = place(pair);
            pairs[at] |= bit;
        }
        Some(Self { length, windows, pairs })
    }

    /// Returns `text` with each fragment of the token replaced, or `None` if it holds none.
    ///
    /// A fragment is found verbatim, in base64, and with its characters escaped as in JSON, URLs or HTML. The content
    /// of JSON strings is also searched without JSON's escapes, since callers see it that way.
    pub(crate) fn redact(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        self.search(text, |range| found.push(range));
        if memchr::memchr3(b'\\', b'%', b'&', text).is_some() {
            let text = Decoded::of(text);
            let json = text.undo(json);
            let content = [json.undo(self::json), json.undo(percent), json.undo(html)];
            for decoded in [text.undo(percent), text.undo(html), json].iter().chain(&content) {
                self.search(&decoded.bytes, |range| found.push(decoded.origin(&range)));
            }
        }
        if found.is_empty() { None } else { Some(replace(text, found)) }
    }

    /// Calls `found` with each window in `text`.
    ///
    /// If the end of a window is no part of the token, the next one that can be found begins behind the first byte of
    /// that end. Calls took 2 % more of the processor when each window was looked up.
    fn search(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        let mut start = 0;
        while let Some(window) = text.get(start..start + self.length) {
            let (at, bit) = place(&window[self.length - 2..]);
            if self.pairs[at] & bit == 0 {
                start += self.length - 2;
            } else if self.windows.binary_search(&padded(window)).is_ok() {
                found(start..start + self.length);
            }
            start += 1;
        }
    }
}

/// The place of a pair among the bits of all pairs.
fn place(pair: &[u8]) -> (usize, u64) {
    let number = u16::from_be_bytes([pair[0], pair[1]]);
    (usize::from(number / 64), 1 << (number % 64))
}

fn padded(window: &[u8]) -> [u8; FRAGMENT] {
    let mut padded = [0; FRAGMENT];
    padded[..window.len()].copy_from_slice(window);
    padded
}

/// Returns the token, and the characters that it determines in each base64 text that holds it.
fn spellings(token: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut spellings = vec![Zeroizing::new(token.as_bytes().to_vec())];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let bytes = Zeroizing::new([&[0; 3][..before], token.as_bytes()].concat());
            let text = Zeroizing::new(engine.encode(&*bytes).into_bytes());
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            spellings.push(Zeroizing::new(text[own].to_vec()));
        }
    }
    spellings
}

/// A text whose escapes are undone.
struct Decoded {
    bytes: Vec<u8>,
    /// Where each byte begins in the original, and where that ends.
    origins: Vec<usize>,
}

impl Decoded {
    fn of(text: &[u8]) -> Self {
        Self { bytes: text.to_vec(), origins: (0..=text.len()).collect() }
    }

    /// Undoes one layer of escapes. `read` reads the escape at the start of a text: the byte that it encodes, and its
    /// length.
    fn undo(&self, read: fn(&[u8]) -> Option<(u8, usize)>) -> Self {
        let mut undone = Self { bytes: Vec::new(), origins: Vec::new() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let (byte, length) = read(&self.bytes[at..]).unwrap_or((*byte, 1));
            undone.bytes.push(byte);
            undone.origins.push(self.origins[at]);
            at += length;
        }
        undone.origins.extend(self.origins.last());
        undone
    }

    /// Maps `range` back to the original.
    fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.origins[range.start]..self.origins[range.end]
    }
}

/// Returns `text` with a mark in place of these ranges; those that touch each other get one.
fn replace(text: &[u8], ranges: Vec<Range<usize>>) -> Vec<u8> {
    let mut hidden = vec![false; text.len()];
    for range in ranges {
        hidden[range].fill(true);
    }
    // A remaining part of an escape would make a JSON text invalid.
    for escape in Decoded::of(text).undo(json).origins.windows(2) {
        let escape = &mut hidden[escape[0]..escape[1]];
        let cut = escape.contains(&true);
        escape.fill(cut);
    }
    let mut redacted = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if !hidden[at] {
            redacted.push(*byte);
        } else if at == 0 || !hidden[at - 1] {
            redacted.extend_from_slice(REDACTED);
        }
    }
    redacted
}

/// Stands for a character that occurs in no token.
const OTHER: u8 = 0xFF;

/// `\u0041`, `\/`, `\n`: the escapes of JSON strings.
fn json(text: &[u8]) -> Option<(u8, usize)> {
    let byte = match text.strip_prefix(b"\\")?.first()? {
        b'u' => return Some((ascii(number(text.get(2..6)?, 16)?), 6)),
        // The characters that these stand for occur in no token.
        b'b' | b'f' | b'n' | b'r' | b't' => OTHER,
        byte @ (b'"' | b'\\' | b'/') => *byte,
        _ => return None,
    };
    Some((byte, 2))
}

/// `%41`: percent-encoding, as in URLs.
fn percent(text: &[u8]) -> Option<(u8, usize)> {
    let byte = number(text.strip_prefix(b"%")?.get(..2)?, 16)?;
    Some((u8::try_from(byte).ok()?, 3))
}

/// `&amp;`, `&#65;`, `&#x41;`: the character references of HTML.
fn html(text: &[u8]) -> Option<(u8, usize)> {
    let (digits_at, radix) = match text.strip_prefix(b"&")? {
        [b'#', b'x' | b'X', ..] => (3, 16),
        [b'#', ..] => (2, 10),
        name => {
            let end = name.iter().position(|byte| *byte == b';')?;
            let is_named = |known: &&str| known.as_bytes()[1..] == name[..end];
            let known = NAMED.split(' ').find(is_named)?;
            return Some((known.as_bytes()[0], end + 2));
        }
    };
    let digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let end = digits_at + text[digits_at..].iter().take_while(digit).count();
    let byte = ascii(number(&text[digits_at..end], radix)?);
    // Browsers read a number without its semicolon, too.
    Some((byte, end + usize::from(text.get(end) == Some(&b';'))))
}

/// The characters of tokens for which HTML has names, each before its name.
const NAMED: &str = "&AMP >GT ^Hat <LT _UnderBar |VerticalLine &amp *ast \\bsol :colon ,comma @commat $dollar =equals \
    !excl >gt {lbrace [lbrack {lcub _lowbar (lpar [lsqb <lt *midast #num %percnt .period +plus ?quest }rbrace ]rbrack \
    }rcub )rpar ]rsqb ;semi /sol |verbar |vert";

/// Returns the value of `digits`, the largest if it is too large, or `None` if they are not digits.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let add = |sum: u32, digit: &u8| {
        Some(sum.saturating_mul(radix).saturating_add(char::from(*digit).to_digit(radix)?))
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

fn ascii(code: u32) -> u8 {
    u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::{NAMED, Redactor};

    const TOKEN: &str = "dfy_k3y.Q7+x/Z9~a-B=";

    fn redacted(token: &str, text: &str) -> Option<String> {
        let redacted = Redactor::new(token)?.redact(text.as_bytes())?;
        Some(String::from_utf8(redacted).expect("a text stays one"))
    }

    #[test]
    fn every_spelling_of_the_token_is_replaced_and_the_text_around_it_stays() {
        let spellings = [
            TOKEN,
            // Percent-encoded: what a URL needs, everything, and in lower case.
            "dfy_k3y.Q7%2Bx%2FZ9~a-B%3D",
            "%64%66%79%5F%6B%33%79%2E%51%37%2B%78%2F%5A%39%7E%61%2D%42%3D",
            "%64fy%5f%6b3y%2e%517%2bx/Z9%7ea-B=",
            // HTML: named, decimal and hexadecimal.
            "dfy&lowbar;k3y&period;Q7&plus;x&sol;Z9~a-B&equals;",
            "&#100;&#102;&#121;_k3y.Q7&#43;x&#47;Z9&#126;a-B&#61;",
            "d&#x66;y&#X5F;k3y.Q7+&#x78;/Z9~a-B&#x3d;",
            // JSON, also once more encoded.
            r"\u0064\u0066\u0079_k3y.Q7\u002Bx\/Z9~a-B=",
            r"dfy_k3y.Q7\u0025\u0032Bx%2FZ9~a-B%3D",
            r"dfy_k3y.Q7\u0026#43;x/Z9~a-B=",
            r"\\u0064fy_k3y.Q7+x\\/Z9~a-B=",
        ];
        for spelling in spellings {
            for (before, behind) in [("", " "), ("<", ">"), (r#"{"a\n":"\""#, r#"\"","100%":"&"#)] {
                let text = format!("{before}{spelling}{behind}{spelling}");
                let expected = format!("{before}[token]{behind}[token]");
                assert_eq!(redacted(TOKEN, &text).as_deref(), Some(&*expected), "{text}");
            }
        }
        for start in 0..=TOKEN.len() - 12 {
            let fragment = &TOKEN[start..start + 12];
            assert_eq!(redacted(TOKEN, &format!("<{fragment}>")).as_deref(), Some("<[token]>"));
            assert_eq!(redacted(TOKEN, &format!("<{}>", &fragment[1..])), None, "{fragment}");
        }
    }

    #[test]
    fn fragments_are_replaced_to_their_ends_and_short_tokens_as_a_whole() {
        let encoded = "ab?>cd?>ef?>gh?>";
        for (token, text, expected) in [
            // In base64 alone, of `Bearer <token>`, and of `: <token>`. The character at an end that is shared with other
            // bytes, or holds two bits of the last one, stays.
            (encoded, "YWI/PmNkPz5lZj8+Z2g/Pg==", Some("[token]g==")),
            (encoded, "YWI_PmNkPz5lZj8-Z2g_Pg", Some("[token]g")),
            (encoded, r"QmVhcmVyIGFiPz5jZD8\u002bZWY\/PmdoPz4=", Some("QmVhcmVyIG[token]4=")),
            (encoded, "OiBhYj8%2bY2Q%2FPmVmPz5naD8%2B", Some("OiB[token]")),
            // The last character belongs to another fragment than the first.
            ("0123456789ab-X-123456789abc", "<0123456789abc>", Some("<[token]>")),
            // What precedes the fragment consists of parts of the token, too.
            (
                "abcdefopRS.RStuvwxyzABCDEF",
                "###abcdefopRStuvwxyzABCDEF",
                Some("###abcdefop[token]"),
            ),
            // An escape within an escape. Neither the token nor its base64 holds a 2.
            ("-------------", &r"%\u0032D".repeat(13), Some("[token]")),
            ("12345678", "0123456789", Some("0[token]9")),
            ("12345678", "1234567 2345678", None),
            ("12345678901", "%312345678901", Some("[token]")),
            ("1234567", "1234567", None),
        ] {
            assert_eq!(redacted(token, text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_json_escape_before_a_fragment_is_not_cut() {
        // The first character of the fragment may also be read as the end of the escape.
        for escape in [r"\n", r"\u00e9"] {
            let token = format!("{}abcdefghijklmnop", &escape[1..]);
            let text = format!(r#""{escape}abcdefghijklmnop""#);
            let shown = redacted(&token, &text).expect("a fragment");
            assert_eq!(shown, "\"[token]\"");
            serde_json::from_str::<String>(&shown).expect("still JSON");
        }
    }

    #[test]
    fn a_text_without_the_token_is_not_changed() {
        let texts = [
            "",
            "dfy",
            r#"{"message":"Volume \"vol-1\" isn't managed\nby Datafy \u00e9 \ud83d\ude00 \/"}"#,
            "<p>a&nbsp;&amp;&#100;&#x66;&#;&unknown;</p>%20%64%66%79%5F%zz%",
            "dfy_k3y.Q7+ dfy_k3y.Q7- /Z9~a-B= k3y.Q7+x/Z8",
            "ZGZ5X2szeS5 ZGZ5X2szeS",
        ];
        for text in texts {
            assert_eq!(redacted(TOKEN, text), None, "{text}");
        }
    }

    #[test]
    fn every_character_that_html_has_a_name_for_is_read_by_it() {
        let (token, text): (String, String) = NAMED
            .split(' ')
            .map(|known| (&known[..1], format!("&{};", &known[1..])))
            .map(|(letter, name)| (letter.to_owned(), name))
            .unzip();
        assert_eq!(redacted(&token, &text).as_deref(), Some("[token]"));
    }
}
