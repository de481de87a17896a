//! Undoes one layer of escapes, and maps each byte back to its position in the original.

use memchr::memchr;
use std::iter;
use std::ops::Range;

/// Replaces every character that is not ASCII. The byte occurs in no UTF-8 text.
const NOT_ASCII: u8 = 0xFF;

/// A notation of escapes.
#[derive(Clone, Copy)]
pub(crate) struct Notation {
    /// The byte that begins an escape.
    introducer: u8,
    /// Reads the escape at the start of a text: the byte that it encodes, and its length.
    read: fn(&[u8]) -> Option<(u8, usize)>,
}

/// `\u0041`, `\/`, `\n`: the escapes of JSON strings.
pub(crate) const JSON: Notation = Notation { introducer: b'\\', read: json };

/// `%41`: percent-encoding, as in URLs.
pub(crate) const PERCENT: Notation = Notation { introducer: b'%', read: percent };

/// `&amp;`, `&#65;`, `&#x41;`: the character references of HTML.
pub(crate) const HTML: Notation = Notation { introducer: b'&', read: html };

/// All notations.
pub(crate) const NOTATIONS: [Notation; 3] = [JSON, PERCENT, HTML];

/// An escape in a text.
pub(crate) struct Escape {
    start: usize,
    length: usize,
    /// The byte that it encodes.
    pub(crate) byte: u8,
}

/// A text whose escapes are undone.
pub(crate) struct Unescaped {
    pub(crate) text: Vec<u8>,
    /// The position in the original of each byte of the text, and of its end.
    origins: Vec<usize>,
}

impl Notation {
    /// Returns the escapes in `text`, in order.
    pub(crate) fn escapes(self, text: &[u8]) -> impl Iterator<Item = Escape> {
        let mut next = 0;
        iter::from_fn(move || {
            loop {
                let start = next + memchr(self.introducer, &text[next..])?;
                if let Some((byte, length)) = (self.read)(&text[start..]) {
                    next = start + length;
                    return Some(Escape { start, length, byte });
                }
                next = start + 1;
            }
        })
    }

    /// Replaces each escape in `text` by the byte that it encodes.
    pub(crate) fn undo(self, text: &[u8]) -> Unescaped {
        let mut bytes = Vec::with_capacity(text.len());
        let mut origins = Vec::with_capacity(text.len() + 1);
        let mut from = 0;
        for escape in self.escapes(text) {
            bytes.extend_from_slice(&text[from..escape.start]);
            bytes.push(escape.byte);
            origins.extend(from..=escape.start);
            from = escape.start + escape.length;
        }
        bytes.extend_from_slice(&text[from..]);
        origins.extend(from..=text.len());
        Unescaped { text: bytes, origins }
    }
}

impl Unescaped {
    /// Maps `range` back to the original.
    pub(crate) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.origins[range.start]..self.origins[range.end]
    }

    /// Extends `range`, a part of the original, to the ends of the escapes that it cuts.
    pub(crate) fn whole(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.origins.partition_point(|origin| *origin <= range.start) - 1;
        let end = self.origins.partition_point(|origin| *origin < range.end);
        self.origins[start]..self.origins[end]
    }
}

fn json(text: &[u8]) -> Option<(u8, usize)> {
    let byte = match text.get(1)? {
        b'u' => return Some((ascii(number(text.get(2..6)?, 16)?), 6)),
        b'b' => b'\x08',
        b'f' => b'\x0C',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        byte @ (b'"' | b'\\' | b'/') => *byte,
        _ => return None,
    };
    Some((byte, 2))
}

fn percent(text: &[u8]) -> Option<(u8, usize)> {
    let byte = number(text.get(1..3)?, 16)?;
    Some((u8::try_from(byte).ok()?, 3))
}

fn html(text: &[u8]) -> Option<(u8, usize)> {
    let (number_at, radix) = match text.get(1..)? {
        [b'#', b'x' | b'X', ..] => (3, 16),
        [b'#', ..] => (2, 10),
        _ => return named(text),
    };
    let digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let digits = text[number_at..].iter().take_while(digit).count();
    let end = number_at + digits;
    let byte = ascii(number(&text[number_at..end], radix)?);
    // Browsers read a number without its semicolon, too.
    Some((byte, end + usize::from(text.get(end) == Some(&b';'))))
}

fn named(text: &[u8]) -> Option<(u8, usize)> {
    let name = text.iter().take(LONGEST_NAME + 2).position(|byte| *byte == b';')?;
    let (_, byte) = NAMED.iter().find(|(known, _)| known.as_bytes() == &text[1..name])?;
    Some((*byte, name + 1))
}

/// Returns the value of `digits`, the largest if it is too large, or `None` if they are not digits.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let add = |sum: u32, digit: &u8| {
        Some(sum.saturating_mul(radix).saturating_add(char::from(*digit).to_digit(radix)?))
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

fn ascii(code: u32) -> u8 {
    u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(NOT_ASCII)
}

const LONGEST_NAME: usize = "DiacriticalGrave".len();

/// HTML's names for single ASCII characters.
const NAMED: [(&str, u8); 45] = [
    ("AMP", b'&'),
    ("DiacriticalGrave", b'`'),
    ("GT", b'>'),
    ("Hat", b'^'),
    ("LT", b'<'),
    ("NewLine", b'\n'),
    ("QUOT", b'"'),
    ("Tab", b'\t'),
    ("UnderBar", b'_'),
    ("VerticalLine", b'|'),
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("midast", b'*'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("verbar", b'|'),
    ("vert", b'|'),
];

#[cfg(test)]
mod tests {
    use super::{HTML, JSON, NAMED, Notation, PERCENT};

    fn undone(notation: Notation, text: &str) -> Vec<u8> {
        notation.undo(text.as_bytes()).text
    }

    #[test]
    fn every_escape_is_undone_and_every_other_text_is_left() {
        let table: &[(Notation, &str, &[u8])] = &[
            (JSON, r#"\u0041\u006a\u006A\/\\\"\n\r\t\b\f."#, b"Ajj/\\\"\n\r\t\x08\x0C."),
            (JSON, r"\\u0041", b"\\u0041"),
            (JSON, r"\u00e9\ud83d", b"\xFF\xFF"),
            (JSON, r"\x41 \u004 \u+041 \U0041 \", br"\x41 \u004 \u+041 \U0041 \"),
            (PERCENT, "%41%6a%6A%e9%%41", b"Ajj\xE9%A"),
            (PERCENT, "100% %4 %4g %+1 %", b"100% %4 %4g %+1 %"),
            (HTML, "&#65;&#x41;&#X6a;&#x6A;&#0065;&#65.&#x41", b"AAjjAA.A"),
            (HTML, "&amp;amp;&lt;&plus;&sol;&DiacriticalGrave;", b"&amp;<+/`"),
            (HTML, "&#233;&#99999999999;", b"\xFF\xFF"),
            (HTML, "&nbsp;&;&#;&#x;&#xg;a&b;& &amp", b"&nbsp;&;&#;&#x;&#xg;a&b;& &amp"),
        ];
        for (notation, text, expected) in table {
            let expected = String::from_utf8_lossy(expected);
            assert_eq!(String::from_utf8_lossy(&undone(*notation, text)), expected, "{text}");
        }
        for (name, byte) in NAMED {
            assert_eq!(undone(HTML, &format!("&{name};")), [byte]);
        }
    }

    #[test]
    fn a_range_is_mapped_back_to_whole_escapes() {
        let unescaped = JSON.undo(br"a\u0041b\nc");
        assert_eq!(unescaped.text, b"aAb\nc");
        assert_eq!(unescaped.origin(&(0..1)), 0..1);
        assert_eq!(unescaped.origin(&(1..2)), 1..7);
        assert_eq!(unescaped.origin(&(2..5)), 7..11);
        assert_eq!(unescaped.whole(&(0..1)), 0..1);
        assert_eq!(unescaped.whole(&(3..4)), 1..7);
        assert_eq!(unescaped.whole(&(9..11)), 8..11);
        assert_eq!(unescaped.whole(&(0..9)), 0..10);
    }
}
