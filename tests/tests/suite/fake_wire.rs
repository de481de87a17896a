//! What the fake accepts and sends, seen over a raw socket and by curl: it follows the rules of HTTP/1.1 unless a
//! fault breaks them.

use datafy_api_ext::VolumeId;
use datafy_api_ext::fake::{Answer, Fake, Fault};
use datafy_tests::{note, until};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATH: &str = "/api/v1/volumes/vol-1/create-snapshot";
const JSON: &str = "content-type: application/json\r\n";
const CHUNKED: &str = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";

/// The largest body that the fake reads.
const MAX_BODY: usize = 1 << 20;

/// After this time a test that waits for an answer fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn fake() -> Fake {
    let fake = Fake::start().await.unwrap();
    fake.account().add_volume(VolumeId::new("vol-1").unwrap(), 100);
    fake
}

/// A request with the headers that each one needs, and with `headers`.
fn request(headers: &str, body: &str) -> String {
    let token = Fake::TOKEN;
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{headers}\r\n{body}"
    )
}

fn good() -> String {
    request(&format!("{JSON}content-length: 2\r\n"), "{}")
}

async fn connect(fake: &Fake) -> TcpStream {
    let address = fake.endpoint().replace("http://", "");
    TcpStream::connect(address).await.unwrap()
}

/// Everything that the fake answers to these bytes, one string per answer. Each starts with the status.
async fn answers(fake: &Fake, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let mut stream = connect(fake).await;
    // The fake may answer, and close the connection, before it has read everything.
    let _ = stream.write_all(bytes.as_ref()).await;
    let _ = stream.shutdown().await;
    rest(stream).await
}

async fn rest(mut stream: TcpStream) -> Vec<String> {
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("it is closed").unwrap();
    text.split("HTTP/1.1 ").skip(1).map(str::to_owned).collect()
}

fn statuses(answers: &[String]) -> Vec<u16> {
    answers.iter().map(|answer| answer[..3].parse().unwrap()).collect()
}

/// The statuses of the answers to a request and to a good one behind it on the same connection.
async fn then_good(fake: &Fake, request: &str) -> Vec<u16> {
    statuses(&answers(fake, request.to_owned() + &good()).await)
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let fake = fake().await;
    let unknown = good().replace("vol-1", "vol-2");
    let pipelined = [good(), unknown, good()].concat();
    assert_eq!(statuses(&answers(&fake, &pipelined).await), [200, 404, 200]);

    let mut stream = connect(&fake).await;
    for byte in pipelined.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.shutdown().await.unwrap();
    assert_eq!(statuses(&rest(stream).await), [200, 404, 200]);
    assert_eq!(fake.effects().len(), 4);
}

#[tokio::test]
async fn a_body_without_a_json_content_type_is_rejected_with_415() {
    let fake = fake().await;
    for (content_type, status) in [
        ("", 415),
        ("content-type: text/plain\r\n", 415),
        ("content-type: application/json-patch+json\r\n", 415),
        ("content-type: application/x-www-form-urlencoded\r\n", 415),
        ("content-type: application/json; charset=utf-8\r\n", 200),
        ("Content-Type: Application/JSON ;charset=utf-8\r\n", 200),
    ] {
        let request = request(&format!("{content_type}content-length: 2\r\n"), "{}");
        assert_eq!(then_good(&fake, &request).await, [status, 200], "{content_type}");
    }
}

#[tokio::test]
async fn an_ambiguous_length_is_rejected_with_400_and_closes_the_connection() {
    let fake = fake().await;
    for length in [
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2, 3\r\n",
        "content-length: 2,\r\n",
        "content-length: +2\r\n",
        "content-length: -2\r\n",
        "content-length: two\r\n",
        "content-length:\r\n",
        "content-length: 2\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 2\r\n",
        "transfer-encoding: gzip\r\ncontent-length: 2\r\n",
    ] {
        let answers = answers(&fake, request(&format!("{JSON}{length}"), "{}") + &good()).await;
        assert_eq!(statuses(&answers), [400], "{length}");
        assert!(answers[0].contains("\r\nconnection: close\r\n"), "{}", answers[0]);
    }
    assert_eq!((fake.requests().len(), fake.effects().len()), (0, 0));
    for length in ["content-length: 2\r\ncontent-length: 2\r\n", "content-length: 2, 2\r\n"] {
        let request = request(&format!("{JSON}{length}"), "{}");
        assert_eq!(then_good(&fake, &request).await, [200, 200], "{length}");
    }
}

#[tokio::test]
async fn a_chunked_body_is_read() {
    let fake = fake().await;
    let body = r#"{"description":"0123456789"}"#;
    let (first, second) = body.split_at(2);
    for chunks in [
        format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        format!("02\r\n{first}\r\n{:X};a=\"b\"\r\n{second}\r\n0\r\n\r\n", second.len()),
        format!("{:x}\r\n{body}\r\n000;last\r\nchecksum: 1\r\nother: 2\r\n\r\n", body.len()),
        body.chars().fold(String::new(), |sent, byte| sent + "1\r\n" + &byte.to_string() + "\r\n")
            + "0\r\n\r\n",
    ] {
        assert_eq!(then_good(&fake, &request(CHUNKED, &chunks)).await, [200, 200], "{chunks}");
        let requests = fake.requests();
        assert_eq!(requests[requests.len() - 2].body(), body.as_bytes(), "{chunks}");
    }
    assert_eq!(fake.account().snapshots()[0].description.as_deref(), Some("0123456789"));
}

#[tokio::test]
async fn malformed_chunks_are_rejected_with_400_and_close_the_connection() {
    let fake = fake().await;
    let long = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(5000));
    for chunks in [
        "two\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}}\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}xx0\r\n\r\n",
        "2\r\n{}\r\n\r\n\r\n",
        "2\r\n{}\r\n0\r\nno trailer\r\n\r\n",
        &long,
    ] {
        assert_eq!(then_good(&fake, &request(CHUNKED, chunks)).await, [400], "{chunks}");
    }
    assert_eq!(fake.effects(), []);
}

#[tokio::test]
async fn a_transfer_coding_other_than_chunked_is_rejected_with_501() {
    let fake = fake().await;
    for coding in ["gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked"] {
        let headers = format!("{JSON}transfer-encoding: {coding}\r\n");
        let request = request(&headers, "2\r\n{}\r\n0\r\n\r\n");
        assert_eq!(then_good(&fake, &request).await, [501], "{coding}");
    }
    let two_lines = format!("{JSON}transfer-encoding: gzip\r\nTransfer-Encoding: Chunked\r\n");
    assert_eq!(then_good(&fake, &request(&two_lines, "0\r\n\r\n")).await, [501]);
}

#[tokio::test]
async fn the_authentication_scheme_is_read_in_any_case() {
    let fake = fake().await;
    for (authorization, status) in [
        ("bearer fake-token", 200),
        ("BEARER  fake-token", 200),
        ("Basic fake-token", 401),
        ("Bearer", 401),
        ("Bearer FAKE-TOKEN", 401),
        ("Bearer fake-token2", 401),
    ] {
        let request = good().replace("Bearer fake-token", authorization);
        assert_eq!(then_good(&fake, &request).await, [status, 200], "{authorization}");
    }
}

#[tokio::test]
async fn a_client_that_expects_100_continue_is_told_to_continue() {
    let fake = fake().await;
    for headers in [format!("{JSON}content-length: 2\r\n"), CHUNKED.to_owned()] {
        let body = if headers == CHUNKED { "2\r\n{}\r\n0\r\n\r\n" } else { "{}" };
        let mut stream = connect(&fake).await;
        let head = request(&format!("{headers}expect: 100-Continue\r\n"), "");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        timeout(PATIENCE, stream.read_exact(&mut interim)).await.expect("it comes").unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(body.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(statuses(&rest(stream).await), [200]);
    }
}

#[tokio::test]
async fn nothing_is_continued_where_no_body_is_awaited() {
    let fake = fake().await;
    let expect = "expect: 100-continue\r\n";
    let body_sent = request(&format!("{JSON}content-length: 2\r\n{expect}"), "{}");
    assert_eq!(then_good(&fake, &body_sent).await, [200, 200]);
    let no_body = request(expect, "");
    assert_eq!(statuses(&answers(&fake, no_body).await), [400]);
    // HTTP/1.0 knows no interim answers.
    let mut stream = connect(&fake).await;
    let old = request(&format!("{JSON}content-length: 2\r\n{expect}"), "").replace("1.1", "1.0");
    stream.write_all(old.as_bytes()).await.unwrap();
    until(|| fake.connections() == 1).await;
    stream.write_all(b"{}").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(statuses(&rest(stream).await), [200]);
}

#[tokio::test]
async fn an_unknown_expectation_is_rejected_with_417() {
    let fake = fake().await;
    for expect in ["200-ok", "100-continue, 200-ok"] {
        let headers = format!("{JSON}content-length: 2\r\nexpect: {expect}\r\n");
        assert_eq!(then_good(&fake, &request(&headers, "{}")).await, [417], "{expect}");
    }
}

#[tokio::test]
async fn http_1_1_needs_exactly_one_host() {
    let fake = fake().await;
    for host in ["", "host: x\r\nhost: x\r\n"] {
        let request = good().replace("host: x\r\n", host);
        assert_eq!(then_good(&fake, &request).await, [400], "{host}");
    }
}

#[tokio::test]
async fn another_method_on_a_known_path_is_rejected_with_405() {
    let fake = fake().await;
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "post"] {
        let request = good().replacen("POST", method, 1);
        let answers = answers(&fake, request + &good()).await;
        assert_eq!(statuses(&answers), [405, 200], "{method}");
        assert!(answers[0].contains("\r\nallow: POST\r\n"), "{}", answers[0]);
    }
    let unknown = good().replacen("POST", "GET", 1).replace("create-snapshot", "nowhere");
    assert_eq!(then_good(&fake, &unknown).await, [404, 200]);
}

#[tokio::test]
async fn an_answer_that_can_have_no_body_has_none() {
    let fake = fake().await;
    let head = good().replacen("POST", "HEAD", 1);
    let answered = answers(&fake, head + &good()).await;
    assert_eq!(statuses(&answered), [405, 200]);
    assert!(answered[0].ends_with("\r\n\r\n"), "{}", answered[0]);
    assert!(!answered[0].contains("\r\ncontent-length: 0\r\n"), "{}", answered[0]);

    for status in [204, 304] {
        fake.inject(Fault::Answer(Answer::status(status)));
        let answered = answers(&fake, good() + &good()).await;
        assert_eq!(statuses(&answered), [status, 200]);
        assert!(answered[0].ends_with("\r\n\r\n"), "{}", answered[0]);
        assert!(!answered[0].contains("content-length"), "{}", answered[0]);
    }
}

#[tokio::test]
async fn a_connection_does_not_speak_http_after_a_101() {
    let fake = fake().await;
    fake.inject(Fault::apply_then_switch_protocols());
    assert_eq!(statuses(&answers(&fake, good() + &good()).await), [101]);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_rejected_with_413() {
    let fake = fake().await;
    let spaces = " ".repeat(MAX_BODY - 2);
    let largest =
        request(&format!("{JSON}content-length: {MAX_BODY}\r\n"), &format!("{{}}{spaces}"));
    assert_eq!(then_good(&fake, &largest).await, [200, 200]);
    let chunks = format!("2\r\n{{}}\r\n{:x}\r\n{spaces}\r\n0\r\n\r\n", spaces.len());
    assert_eq!(then_good(&fake, &request(CHUNKED, &chunks)).await, [200, 200]);

    for length in [(MAX_BODY + 1).to_string(), "9".repeat(40)] {
        let body = format!("{{}} {spaces}");
        let request = request(&format!("{JSON}content-length: {length}\r\n"), &body);
        assert_eq!(then_good(&fake, &request).await, [413], "{length}");
    }
    let chunks = format!("3\r\n{{}} \r\n{:x}\r\n{spaces}\r\n0\r\n\r\n", spaces.len());
    assert_eq!(then_good(&fake, &request(CHUNKED, &chunks)).await, [413]);
    assert_eq!(then_good(&fake, &request(CHUNKED, "ffffffffffffffff\r\n")).await, [413]);
}

#[tokio::test]
async fn a_client_that_is_still_sending_a_rejected_body_is_not_reset() {
    let fake = fake().await;
    let length = 16 * MAX_BODY;
    let head = request(&format!("{JSON}content-length: {length}\r\n"), "");
    let mut stream = connect(&fake).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; length]).await.unwrap();
    assert_eq!(statuses(&rest(stream).await), [413]);
}

#[tokio::test]
async fn headers_that_are_too_large_are_rejected_with_431() {
    let fake = fake().await;
    let many = |count| "a: b\r\n".repeat(count);
    let filler = |length| format!("filler: {}\r\n", "x".repeat(length));
    let length = "content-length: 2\r\n";
    for (headers, status) in [
        // Four more headers are in each request.
        (many(96), 200),
        (many(97), 431),
        (filler(60 << 10), 200),
        (filler(64 << 10), 431),
        (filler(1 << 20), 431),
    ] {
        let request = request(&format!("{JSON}{length}{headers}"), "{}");
        let expected = if status == 200 { vec![200, 200] } else { vec![status] };
        assert_eq!(then_good(&fake, &request).await, expected, "{}", headers.len());
    }
    for trailers in [many(101), filler(80 << 10)] {
        let chunks = format!("2\r\n{{}}\r\n0\r\n{trailers}\r\n");
        assert_eq!(then_good(&fake, &request(CHUNKED, &chunks)).await, [431]);
    }
}

#[tokio::test]
async fn the_connection_is_closed_when_the_client_or_its_version_asks_for_it() {
    let fake = fake().await;
    let old = good().replace("HTTP/1.1", "HTTP/1.0");
    for request in [
        old.clone(),
        old.replace("host: x\r\n", ""),
        request(&format!("{JSON}connection: close\r\ncontent-length: 2\r\n"), "{}"),
        request(&format!("{JSON}Connection: keep-alive, Close\r\ncontent-length: 2\r\n"), "{}"),
    ] {
        let answers = answers(&fake, request.clone() + &good()).await;
        assert_eq!(statuses(&answers), [200], "{request}");
        assert!(answers[0].contains("\r\nconnection: close\r\n"), "{}", answers[0]);
    }
    let kept = answers(&fake, good()).await;
    assert!(!kept[0].contains("connection:"), "{}", kept[0]);

    let chunked = request(CHUNKED, "2\r\n{}\r\n0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(then_good(&fake, &chunked).await, [400], "HTTP/1.0 has no chunks");
    let new = good().replace("HTTP/1.1", "HTTP/2.0");
    assert_eq!(then_good(&fake, &new).await, [505]);
}

#[tokio::test]
async fn a_request_that_ends_early_is_neither_recorded_nor_applied() {
    let fake = fake().await;
    let whole = good();
    let chunked = request(CHUNKED, "2\r\n{}\r\n0\r\n");
    for request in [&whole[..10], &whole[..whole.len() - 1], &chunked] {
        assert_eq!(answers(&fake, request).await, Vec::<String>::new());
    }
    assert_eq!((fake.requests().len(), fake.effects().len()), (0, 0));
}

#[tokio::test]
async fn a_late_duplicate_precedes_the_answer_to_the_next_request() {
    let fake = fake().await;
    fake.inject(Fault::LateDuplicate(Duration::from_millis(1)));
    let answers = answers(&fake, good() + &good()).await;
    assert_eq!(statuses(&answers), [200, 200, 200]);
    assert!(answers[0] == answers[1] && answers[1] != answers[2], "{answers:?}");
    assert_eq!(fake.effects().len(), 2);
}

#[tokio::test]
async fn tiny_chunks_hold_one_byte_each_and_end_like_any_answer() {
    let fake = fake().await;
    fake.inject(Fault::TinyChunks(500));
    let answers = answers(&fake, good() + &good()).await;
    assert_eq!(statuses(&answers), [200, 200]);
    let (head, body) = answers[0].split_once("\r\n\r\n").unwrap();
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"));
    let chunks = body.strip_suffix("0\r\n\r\n").unwrap();
    assert_eq!(chunks.len(), 500 * "1\r\nx\r\n".len());
    let text: String = chunks.as_bytes().chunks(6).map(|chunk| char::from(chunk[3])).collect();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["volumeId"], "vol-1");
}

#[tokio::test]
async fn a_flood_holds_interim_answers_only_and_lasts_until_the_client_closes() {
    let fake = fake().await;
    fake.inject(Fault::ApplyThenFlood);
    let mut stream = connect(&fake).await;
    stream.write_all(good().as_bytes()).await.unwrap();
    let mut flood = vec![0; 4 << 20];
    timeout(PATIENCE, stream.read_exact(&mut flood)).await.expect("it does not end").unwrap();
    let flood = String::from_utf8(flood).unwrap();
    let seen: BTreeSet<_> = flood.split("HTTP/1.1 ").filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(seen, BTreeSet::from(["100", "102", "103"]));
    assert_eq!(fake.effects().len(), 1);
    drop(stream);
    timeout(PATIENCE, until(|| fake.connections() == 0)).await.expect("the flood has ended");
}

/// What curl writes with these arguments: the body and the status, and its log. `None` without curl.
async fn curl(fake: &Fake, arguments: &[&str]) -> Option<(String, String)> {
    let url = format!("{}{PATH}", fake.endpoint());
    let authorization = format!("authorization: Bearer {}", Fake::TOKEN);
    let mut curl = Command::new("curl");
    curl.args(["-q", "-sv", "-m", "20", "-w", " %{http_code}", "-H", &authorization, &url]);
    curl.args(arguments);
    let output = tokio::task::spawn_blocking(move || curl.output()).await.unwrap();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            note("skipped: there is no curl on this machine");
            None
        }
        output => {
            let output = output.unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            Some((text(output.stdout), text(output.stderr)))
        }
    }
}

#[tokio::test]
async fn curl_is_served() {
    let fake = fake().await;
    let json = ["-H", "content-type: application/json"];
    let chunked = [&json[..], &["-H", "Transfer-Encoding: chunked", "-d", "{}"]].concat();
    let Some((answer, log)) = curl(&fake, &chunked).await else { return };
    assert!(
        answer.contains("\"volumeId\":\"vol-1\"") && answer.ends_with(" 200"),
        "{answer}\n{log}"
    );
    assert_eq!(fake.requests()[0].header("transfer-encoding"), Some("chunked"));
    assert_eq!(fake.requests()[0].body(), b"{}");

    // curl waits this long for the interim answer, and is stopped before.
    let expect = ["-H", "Expect: 100-continue", "--expect100-timeout", "30", "-d", "{}"];
    let (answer, log) = curl(&fake, &[&json[..], &expect].concat()).await.unwrap();
    assert!(answer.ends_with(" 200") && log.contains("HTTP/1.1 100 Continue"), "{answer}\n{log}");

    let form = curl(&fake, &["-d", "{}"]).await.unwrap();
    assert!(form.0.ends_with(" 415"), "{form:?}");
    let old = curl(&fake, &[&json[..], &["--http1.0", "-d", "{}"]].concat()).await.unwrap();
    assert!(old.0.ends_with(" 200"), "{old:?}");
    let head = curl(&fake, &["-I"]).await.unwrap();
    assert!(head.0.contains("allow: POST") && head.0.ends_with(" 405"), "{head:?}");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), " ".repeat(4 * MAX_BODY)).unwrap();
    let data = format!("@{}", file.path().display());
    let (answer, log) =
        curl(&fake, &[&json[..], &["--data-binary", &data]].concat()).await.unwrap();
    assert!(answer.ends_with(" 413"), "{answer}\n{log}");
    assert_eq!(fake.effects().len(), 3);
}
