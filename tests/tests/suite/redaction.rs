//! Redaction: the token is not shown, in any encoding that the service may use.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use datafy_api_ext::fake::Fake;
use datafy_api_ext::{Datafy, Error, Snapshot, Token, VolumeId};
use datafy_tests::{Listener, http};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::cell::Cell;
use std::ops::Range;
use std::sync::{Arc, Mutex};

const CANARY: &str = "canary-5e1f0c";

#[tokio::test]
async fn no_debug_output_shows_the_token() {
    let fake = Fake::start().await.unwrap();
    let fake = fake.with_token(CANARY);
    let builder = fake.client().token(CANARY);
    let built = format!("{:?} {:?} {builder:#?}", Token::fixed(CANARY), Token::from(CANARY));
    let datafy = builder.build().unwrap();
    let volume = datafy.volume(VolumeId::new("vol-1").unwrap());
    let call = volume.create_snapshot();
    let called = format!("{datafy:#?} {volume:#?} {call:#?}");
    let error = call.await.unwrap_err();
    let failed = format!("{error:#?} {error} {fake:#?} {:#?}", fake.requests());
    let hooks = datafy_api::hooks::Hooks::bearer(CANARY).unwrap();
    let raw =
        datafy_api::Client::new("http://h".parse().unwrap(), reqwest::Client::new(), hooks.clone());
    let shown = format!("{built} {called} {failed} {hooks:#?} {raw:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(shown.contains("vol-1"), "the output names the volume");
}

#[test]
fn a_text_that_is_no_token_is_rejected_without_being_shown() {
    for token in [format!("\u{FEFF}{CANARY}"), format!("{CANARY}\0"), format!("a\r\nx: {CANARY}")] {
        let error = Datafy::builder().token(token).build().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("the token contains '"), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

/// An encoding of the token in an answer.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    Verbatim,
    Percent,
    Html,
    Json,
    Base64,
}

const SPELLINGS: [Spelling; 5] =
    [Spelling::Verbatim, Spelling::Percent, Spelling::Html, Spelling::Json, Spelling::Base64];

/// A text that holds an encoded token, in pieces that each decode to a character or, in base64, to 6 bits.
struct Spelled {
    pieces: Vec<String>,
    /// The pieces that depend only on the token.
    own: Range<usize>,
    /// The number of pieces of the shortest fragment that must not be shown.
    fragment: usize,
}

/// Encodes `token`. Each of `choices` selects the form of one character.
fn spell(token: &str, spelling: Spelling, choices: &[u8]) -> Spelled {
    let choice = |at: usize| choices[at % choices.len()];
    let fragment = token.len().min(12);
    if let Spelling::Base64 = spelling {
        let before = ["", "Bearer ", "x", "authorization: Bearer "][usize::from(choice(0)) % 4];
        let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        let text = engines[usize::from(choice(1)) % 4].encode(format!("{before}{token}"));
        let own = (before.len() * 8).div_ceil(6)..(before.len() + token.len()) * 8 / 6;
        let fragment = (fragment * 8).div_ceil(6) - 1;
        return Spelled { pieces: text.chars().map(String::from).collect(), own, fragment };
    }
    let piece = |(at, letter): (usize, char)| {
        let code = u32::from(letter);
        match (spelling, choice(at) % 8) {
            (Spelling::Percent, 0..=2) => format!("%{code:02X}"),
            (Spelling::Percent, 3) => format!("%{code:02x}"),
            (Spelling::Percent, _) if letter == '%' => "%25".to_owned(),
            (Spelling::Html, 0) => format!("&#{code};"),
            (Spelling::Html, 1) => format!("&#x{code:x};"),
            (Spelling::Html, 2) => format!("&#X00{code:X};"),
            (Spelling::Html, 3..=5) if letter == '+' => "&plus;".to_owned(),
            (Spelling::Html, _) if letter == '&' => "&amp;".to_owned(),
            (Spelling::Json, 0) => format!("\\u{code:04x}"),
            (Spelling::Json, 1) => format!("\\u{code:04X}"),
            (Spelling::Json, 2..=5) if letter == '/' => "\\/".to_owned(),
            (Spelling::Json, _) if "\"\\".contains(letter) => format!("\\{letter}"),
            _ => letter.to_string(),
        }
    };
    let pieces: Vec<String> = token.chars().enumerate().map(piece).collect();
    Spelled { own: 0..pieces.len(), pieces, fragment }
}

fn tokens() -> impl Strategy<Value = String> {
    // The characters that RFC 6750 allows, and all others that a token may have.
    prop_oneof![4 => "[A-Za-z0-9._~+/-]{8,120}={0,2}", 1 => "[!#-&(-_a-~]{8,60}"]
}

/// Words with escapes in them, each followed by a space. No token contains a space.
fn noise() -> impl Strategy<Value = String> {
    let words = vec![
        "a", "vol-1", "Bearer", "100%", "%20", "&nbsp;", "&amp;", "&", "<p>", "\u{e9}", "/",
        "aGVsbG8=",
    ];
    prop::collection::vec(prop::sample::select(words), 0..5)
        .prop_map(|words| words.iter().flat_map(|word| [word, " "]).collect())
}

/// Where an answer has the token: its status, its media type and its body. `TEXT` stands for the encoded token, `JSON` for
/// the same in a string of JSON, and `<` and `>` for words before and behind it.
const PLACES: [(u16, &str, &str); 8] = [
    (400, "text/plain", "<TEXT>"),
    (400, "application/json", r#"{"message":"<JSON>"}"#),
    (400, "application/json", r#"{"<JSON":1,"message":">"}"#),
    (400, "application/json", r#"{"message":"<JSON"#),
    (
        200,
        "application/json",
        r#"{"datafySnapshotId":"JSON","volumeId":"vol-JSON","status":"JSON","description":"<JSON"}"#,
    ),
    (200, "application/json", r#"{"datafySnapshotId":"JSON","volumeId":"vol-JSON","startTime":"#),
    (200, "application/json", r#"{"volumeSizeGb":"JSON"}"#),
    (200, "TEXT", ""),
];

/// An answer that holds a token, or a part of it.
#[derive(Clone, Debug)]
struct Echo {
    token: String,
    spelling: Spelling,
    choices: Vec<u8>,
    /// The part of the encoded token that is sent, in percent of its length.
    part: (usize, usize),
    noise: (String, String),
    place: (u16, &'static str, &'static str),
}

fn echoes() -> impl Strategy<Value = Echo> {
    let spelled = (tokens(), prop::sample::select(&SPELLINGS));
    let choices = prop::collection::vec(any::<u8>(), 2..40);
    let part = prop_oneof![Just((0, 100)), (0..40_usize, 60..=100_usize)];
    let all = (spelled, choices, part, (noise(), noise()), prop::sample::select(&PLACES));
    all.prop_map(|((token, spelling), choices, part, noise, place)| Echo {
        token,
        spelling,
        choices,
        part,
        noise,
        place,
    })
}

impl Echo {
    fn spelled(&self) -> Spelled {
        spell(&self.token, self.spelling, &self.choices)
    }

    /// The text of the answer.
    fn answer(&self) -> String {
        let text = self.spelled().pieces.concat();
        let (from, to) = self.part;
        let text = &text[text.len() * from / 100..text.len() * to / 100];
        let json = match self.spelling {
            Spelling::Json => text.to_owned(),
            _ => serde_json::to_string(text).unwrap().trim_matches('"').to_owned(),
        };
        let (status, media_type, body) = self.place;
        let media_type = media_type.replace("TEXT", text);
        let (before, behind) = &self.noise;
        let pieces = body.split_inclusive(['<', '>']).map(|piece| {
            let end = if piece.ends_with('<') { before } else { behind };
            piece.trim_end_matches(['<', '>']).replace("TEXT", text).replace("JSON", &json)
                + if piece.ends_with(['<', '>']) { end } else { "" }
        });
        let answer = http(status, &media_type, &pieces.collect::<String>());
        answer.replacen("\r\n\r\n", &format!("\r\nx-request-id: {text}\r\n\r\n"), 1)
    }

    /// Returns what must not be shown: the fragments of the token, plain and encoded, each also as `Debug` escapes it.
    fn secrets(&self) -> Vec<String> {
        let Spelled { pieces, own, fragment } = self.spelled();
        let letters: Vec<String> = self.token.chars().map(String::from).collect();
        let verbatim = letters.windows(letters.len().min(12)).map(<[_]>::concat);
        let spelled = pieces[own].windows(fragment).map(<[_]>::concat);
        let plain: Vec<String> = verbatim.chain(spelled).collect();
        let escaped = plain.iter().map(|secret| secret.escape_debug().to_string());
        escaped.chain(plain.iter().cloned()).collect()
    }
}

/// Returns everything that a caller can see of a result.
fn shown(result: &Result<Snapshot, Error>) -> Vec<String> {
    let mut shown = vec![format!("{result:?}"), format!("{result:#?}")];
    match result {
        Ok(snapshot) => {
            shown.push(serde_json::to_string(snapshot).unwrap());
            shown.push(snapshot.id.to_string());
            shown.extend(snapshot.volume_id.as_ref().map(ToString::to_string));
            shown.extend(snapshot.status.as_ref().map(ToString::to_string));
            shown.extend(snapshot.description.clone());
        }
        Err(error) => {
            let chain =
                std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
            shown.extend(chain.flat_map(|error| [error.to_string(), format!("{error:?}")]));
            shown.extend([format!("{error:#}"), serde_json::to_string(error).unwrap()]);
            shown.extend(error.body().map(|body| String::from_utf8_lossy(body).into_owned()));
            let texts = [error.message(), error.request_id(), error.unusable_id()];
            shown.extend(texts.into_iter().flatten().map(|text| text.as_str().to_owned()));
            shown.extend(error.snapshot_id().map(ToString::to_string));
            shown.extend(error.volume_id().map(ToString::to_string));
        }
    }
    shown
}

/// A server whose next answer can be set, and a runtime for calls to it.
struct Echoing {
    runtime: tokio::runtime::Runtime,
    listener: Listener,
    answer: Arc<Mutex<String>>,
}

impl Echoing {
    fn start() -> Self {
        let answer = Arc::new(Mutex::new(String::new()));
        let next = Arc::clone(&answer);
        let listener = Listener::answering_with(move |_| next.lock().unwrap().clone().into_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, listener, answer }
    }

    fn call(&self, token: &str, answer: String) -> Result<Snapshot, Error> {
        *self.answer.lock().unwrap() = answer;
        let builder = Datafy::builder().endpoint(self.listener.url()).token(token);
        let volume = builder.build().unwrap().volume(VolumeId::new("vol-1").unwrap());
        self.runtime.block_on(volume.create_snapshot().send())
    }
}

/// Runs a test for random cases, which are the same in every run.
fn check<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let rng_seed = RngSeed::Fixed(0x0da7_afe1);
    let config = Config { cases, failure_persistence: None, rng_seed, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, test) {
        panic!("{failure}");
    }
}

#[test]
fn no_fragment_of_the_token_is_shown_in_any_encoding() {
    let server = Echoing::start();
    let redacted = Cell::new(0);
    check(1_000, &echoes(), |echo| {
        let shown = shown(&server.call(&echo.token, echo.answer()));
        for secret in echo.secrets() {
            let leak = shown.iter().find(|text| text.contains(&secret));
            prop_assert!(leak.is_none(), "{secret} is shown: {leak:?}, of {}", echo.answer());
        }
        redacted.set(redacted.get() + u32::from(shown.iter().any(|text| text.contains("[token]"))));
        Ok(())
    });
    assert!(redacted.get() > 700, "only {} of 1,000 answers held the token", redacted.get());
}

#[tokio::test]
async fn no_encoding_of_the_token_gets_into_a_journal() {
    let token = "journal/canary+5e1f0c~7d2a";
    for spelling in SPELLINGS {
        let text = spell(token, spelling, &[0, 9, 5]).pieces.concat();
        let listener = Listener::answering_json(&format!(r#"{{"datafySnapshotId":"{text}"}}"#));
        let datafy = Datafy::builder().endpoint(listener.url()).token(token).build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal.jsonl");
        let fleet = datafy.fleet([VolumeId::new("vol-1").unwrap()]).journal(&journal);
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        run.next().await.unwrap().result.unwrap_err();
        assert!(run.next().await.is_none());
        let written = std::fs::read_to_string(journal).unwrap();
        assert!(written.contains("[token]") && !written.contains(&text), "{written}");
    }
}
