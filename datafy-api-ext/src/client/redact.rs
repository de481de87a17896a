//! Finds the token in what the service sends back, and replaces it.
//!
//! A fragment of the token is found by its windows: all sequences of [`FRAGMENT`] bytes in it. A longer fragment
//! is a chain of overlapping windows, wherever it was cut. Base64 spells a token in three ways, by its position in
//! the encoded text, so the windows of these are searched for, too.

use crate::client::unescape::{JSON, NOTATIONS, Notation};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memchr3;
use secrecy::zeroize::Zeroizing;
use std::collections::BinaryHeap;
use std::ops::Range;

/// The length of the shortest token that is redacted, in bytes. A shorter one is no secret, and may occur in any
/// text.
const SHORTEST_SECRET: usize = 8;

/// The length of the shortest fragment of a token that is redacted, in bytes; a token that is shorter is redacted
/// as a whole. In base64 it is the length of the encoded fragment.
const FRAGMENT: usize = 12;

/// Separates texts. It occurs in none, since no UTF-8 has it.
const SEPARATOR: u8 = 0xFF;

/// Replaces a fragment of the token.
const REDACTED: &str = "[token]";

/// Redacts one token. Building it costs more than a search, so it is kept with the token.
pub(crate) struct Redactor {
    windows: Windows,
    filter: Filter,
    /// The bytes that an escape may encode for a fragment: those of the token and its base64, and those of another
    /// escape.
    matters: [bool; 256],
}

impl Redactor {
    /// Returns `None` if the token is too short to be a secret.
    pub(crate) fn new(token: &str) -> Option<Self> {
        if token.len() < SHORTEST_SECRET {
            return None;
        }
        let windows = Windows::new(&spellings(token), token.len().min(FRAGMENT));
        let filter = Filter::new(&windows.text);
        let mut matters = [false; 256];
        let escapes = (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').chain(*br"\%&#;");
        escapes
            .chain(windows.text.iter().copied())
            .for_each(|byte| matters[usize::from(byte)] = true);
        Some(Self { windows, filter, matters })
    }

    /// Returns `text` with each fragment of the token replaced, or `None` if it holds none.
    ///
    /// A fragment is found verbatim, in base64, and with its characters escaped as in JSON, URLs or HTML. The content
    /// of JSON strings is also searched without JSON's escapes, since callers see it that way.
    ///
    /// The time is linear in the length of the text. Nothing is allocated unless the text holds a fragment, or an
    /// escape that may be a part of one.
    pub(crate) fn redact(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        self.search(text, &mut |range| found.push(range));
        if memchr3(b'\\', b'%', b'&', text).is_some() {
            self.search_escaped(text, &mut |range| found.push(range));
            if self.suspects(JSON, text) {
                let content = JSON.undo(text);
                self.search_escaped(&content.text, &mut |range| found.push(content.origin(&range)));
            }
        }
        if found.is_empty() { None } else { Some(replace(text, found)) }
    }

    /// Calls `found` with each fragment in one layer of escapes in `text`.
    fn search_escaped(&self, text: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        for notation in NOTATIONS {
            if self.suspects(notation, text) {
                let unescaped = notation.undo(text);
                self.search(&unescaped.text, &mut |range| found(unescaped.origin(&range)));
            }
        }
    }

    /// Whether `text` holds an escape that may be a part of a fragment.
    fn suspects(&self, notation: Notation, text: &[u8]) -> bool {
        notation.escapes(text).any(|escape| self.matters[usize::from(escape.byte)])
    }

    /// Calls `found` with each fragment in `text`.
    ///
    /// No window fits between two samples, so most of the text is skipped. Around a sample that may belong to the
    /// token, all bytes are filtered, and what is left is compared.
    fn search(&self, text: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        let stride = self.windows.length - Filter::GRAM + 1;
        // Every window that begins before this is found.
        let mut begin = 0;
        loop {
            let sample = begin + stride - 1;
            match self.filter.passes(text, sample) {
                None => return,
                Some(false) => begin = sample + 1,
                Some(true) => {
                    let passes = |at: &usize| self.filter.passes(text, *at) == Some(true);
                    let before = (begin..sample).rev().take_while(passes).count();
                    let behind = (sample + 1..text.len()).take_while(passes).count();
                    let part = sample - before..sample + behind + Filter::GRAM;
                    self.windows.find(text, part, found);
                    begin = sample + behind + 2;
                }
            }
        }
    }
}

/// Returns the token, and the characters that it determines in each base64 text that holds it.
fn spellings(token: &str) -> Vec<Zeroizing<String>> {
    let mut spellings = vec![Zeroizing::new(token.to_owned())];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let mut bytes = Zeroizing::new(Vec::with_capacity(before + token.len()));
            bytes.resize(before, 0);
            bytes.extend_from_slice(token.as_bytes());
            let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
            engine.encode_string(&bytes[..], &mut text);
            text.truncate(bytes.len() * 8 / 6);
            text.drain(..(before * 8).div_ceil(6));
            spellings.push(text);
        }
    }
    spellings
}

/// All sequences of a length that occur in some texts.
struct Windows {
    length: usize,
    /// The texts, each with a separator behind it.
    text: Zeroizing<Vec<u8>>,
    /// Where the windows begin in it: one of each content, sorted by it.
    starts: Vec<usize>,
}

impl Windows {
    fn new(texts: &[Zeroizing<String>], length: usize) -> Self {
        let total = texts.iter().map(|text| text.len() + 1).sum();
        let mut all = Zeroizing::new(Vec::with_capacity(total));
        for text in texts {
            all.extend_from_slice(text.as_bytes());
            all.push(SEPARATOR);
        }
        let windows = all.windows(length).zip(0..);
        let windows = windows.filter(|(window, _)| !window.contains(&SEPARATOR));
        let mut windows = sorted(windows);
        windows.dedup_by_key(|(window, _)| *window);
        let starts = windows.into_iter().map(|(_, start)| start).collect();
        Self { length, text: all, starts }
    }

    /// Calls `found` with each chain of windows in this part of `text`.
    fn find(&self, text: &[u8], part: Range<usize>, found: &mut dyn FnMut(Range<usize>)) {
        let mut rest = part.start;
        while rest + self.length <= part.end {
            let (window, behind) = text[rest..part.end].split_at(self.length);
            match self.position(window) {
                None => rest += 1,
                Some(at) => {
                    let next = self.text[at + self.length..].iter();
                    let more = next.zip(behind).take_while(|(a, b)| a == b).count();
                    found(rest..rest + self.length + more);
                    rest += more + 1;
                }
            }
        }
    }

    /// Where this window begins in the texts, if it occurs there.
    fn position(&self, window: &[u8]) -> Option<usize> {
        let compare = |start: &usize| self.text[*start..*start + self.length].cmp(window);
        self.starts.binary_search_by(compare).ok().map(|index| self.starts[index])
    }
}

/// A Bloom filter: all short sequences that occur in a text pass, and few others.
struct Filter {
    bits: Zeroizing<Vec<u64>>,
    shift: u32,
}

impl Filter {
    /// The length of the sequences.
    const GRAM: usize = 4;

    fn new(text: &[u8]) -> Self {
        // At most one bit of sixteen is set, so that few other sequences pass.
        let bits = (text.len() * 16).next_power_of_two();
        let shift = u32::BITS.saturating_sub(bits.trailing_zeros());
        let mut filter = Self { bits: Zeroizing::new(vec![0; bits.div_ceil(64)]), shift };
        for gram in text.windows(Self::GRAM).filter_map(<[u8]>::first_chunk) {
            let bit = filter.bit(*gram);
            filter.bits[bit / 64] |= 1 << (bit % 64);
        }
        filter
    }

    /// Whether the sequence in `text` at `at` passes, or `None` if the text ends before its end.
    fn passes(&self, text: &[u8], at: usize) -> Option<bool> {
        let bit = self.bit(*text.get(at..)?.first_chunk()?);
        Some(self.bits[bit / 64] & 1 << (bit % 64) != 0)
    }

    fn bit(&self, gram: [u8; Self::GRAM]) -> usize {
        // Multiplied by 2^32 over the golden ratio, all bits of the sequence reach the highest ones.
        (u32::from_le_bytes(gram).wrapping_mul(0x9E37_79B1) >> self.shift) as usize
    }
}

/// Returns `text` with a mark in place of these ranges; those that overlap get one.
fn replace(text: &[u8], ranges: Vec<Range<usize>>) -> Vec<u8> {
    // A remaining part of an escape would make a JSON text invalid.
    let units = JSON.undo(text);
    let mut redacted = Vec::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in sorted(ranges.into_iter().map(|range| (range.start, range.end))) {
        let range = units.whole(&(start..end));
        if range.start >= done {
            redacted.extend_from_slice(&text[done..range.start]);
            redacted.extend_from_slice(REDACTED.as_bytes());
        }
        done = done.max(range.end);
    }
    redacted.extend_from_slice(&text[done..]);
    redacted
}

/// Sorts with a heap, whose code is much smaller than that of `sort`. Each program that makes calls contains it.
fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BinaryHeap<_>>().into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use super::Redactor;

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
            "%64fy_k3y.Q7+x/Z9~a-B%3D",
            // HTML: named, decimal and hexadecimal.
            "dfy&lowbar;k3y&period;Q7&plus;x&sol;Z9~a-B&equals;",
            "&#100;&#102;&#121;_k3y.Q7&#43;x&#47;Z9&#126;a-B&#61;",
            "d&#x66;y&#X5F;k3y.Q7+&#x78;/Z9~a-B&#x3d;",
            // JSON.
            r"dfy_k3y.Q7+x\/Z9~a-B=",
            r"\u0064\u0066\u0079_k3y.Q7\u002Bx\u002fZ9~a-B=",
            // In a JSON string, once more encoded.
            r"dfy_k3y.Q7\u0025\u0032Bx%2FZ9~a-B%3D",
            r"dfy_k3y.Q7\u0026#43;x/Z9~a-B=",
            r"\\u0064fy_k3y.Q7+x\\/Z9~a-B=",
        ];
        for spelling in spellings {
            for (before, behind) in [("", ""), ("<", ">"), (r#"{"a\n":"\""#, r#"\"","100%":"&"#)] {
                let text = format!("{before}{spelling}{behind}");
                let expected = format!("{before}[token]{behind}");
                assert_eq!(redacted(TOKEN, &text).as_deref(), Some(&*expected), "{text}");
            }
            let twice = format!("{spelling} {spelling}");
            assert_eq!(redacted(TOKEN, &twice).as_deref(), Some("[token] [token]"), "{twice}");
        }
    }

    #[test]
    fn an_escape_within_an_escape_is_undone_whatever_character_it_stands_for() {
        // Neither the token nor its base64 holds a 2.
        let (token, text) = ("-".repeat(13), r"%\u0032D".repeat(13));
        assert_eq!(redacted(&token, &text).as_deref(), Some("[token]"));
    }

    #[test]
    fn base64_of_the_token_is_replaced_as_far_as_the_token_determines_it() {
        let token = "ab?>cd?>ef?>gh?>";
        // Of the token, of `Bearer <token>`, and of `: <token>`. The character at an end that is shared with other
        // bytes, or holds two bits of the last one, stays.
        let table = [
            ("YWI/PmNkPz5lZj8+Z2g/Pg==", "[token]g=="),
            ("YWI_PmNkPz5lZj8-Z2g_Pg", "[token]g"),
            ("QmVhcmVyIGFiPz5jZD8+ZWY/PmdoPz4=", "QmVhcmVyIG[token]4="),
            (r"QmVhcmVyIGFiPz5jZD8\u002bZWY\/PmdoPz4=", "QmVhcmVyIG[token]4="),
            ("OiBhYj8+Y2Q/PmVmPz5naD8+", "OiB[token]"),
            ("OiBhYj8%2bY2Q%2FPmVmPz5naD8%2B", "OiB[token]"),
        ];
        for (text, expected) in table {
            assert_eq!(redacted(token, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_fragment_of_twelve_bytes_is_replaced_and_a_shorter_one_stays() {
        for start in 0..=TOKEN.len() - 12 {
            let text = format!("<{}>", &TOKEN[start..start + 12]);
            assert_eq!(redacted(TOKEN, &text).as_deref(), Some("<[token]>"), "{text}");
            let text = format!("<{}>{}", &TOKEN[start..start + 11], &TOKEN[start + 11..]);
            let rest = &TOKEN[start + 11..];
            if rest.len() < 12 {
                assert_eq!(redacted(TOKEN, &text), None, "{text}");
            }
        }
    }

    #[test]
    fn fragments_that_overlap_or_follow_each_other_are_replaced_to_their_ends() {
        let table = [
            // The last character belongs to another fragment than the first.
            ("0123456789ab-X-123456789abc", "<0123456789abc>", "<[token]>"),
            // What precedes the fragment consists of parts of the token, too.
            ("abcdefopRS.RStuvwxyzABCDEF", "###abcdefopRStuvwxyzABCDEF", "###abcdefop[token]"),
        ];
        for (token, text, expected) in table {
            assert_eq!(redacted(token, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_token_of_eight_to_eleven_bytes_is_replaced_as_a_whole_and_a_shorter_one_not_at_all() {
        assert_eq!(redacted("12345678", "0123456789").as_deref(), Some("0[token]9"));
        assert_eq!(redacted("12345678", "1234567 2345678"), None);
        assert_eq!(redacted("12345678901", "%312345678901").as_deref(), Some("[token]"));
        assert!(Redactor::new("1234567").is_none());
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
}
