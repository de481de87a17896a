//! A server that records requests and gives a fixed answer.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Listens on a loopback port, records each request, answers it with given bytes, and closes the connection.
///
/// It is written against the socket, so that it shares no bug with the client or the fake.
pub struct Listener {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The request line.
    pub line: String,
    /// The headers, with names in lower case. The listener panics if one is repeated.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Listener {
    /// Answers every request with these bytes.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::answering_with(move |_| answer.clone())
    }

    /// Answers each request of a call as the service does, and with the same IDs.
    pub fn answering_calls() -> Self {
        Self::answering_with(|request| {
            let body = if request.line.contains("/create-snapshot") {
                r#"{"datafySnapshotId":"dsnap-1"}"#
            } else if request.line.contains("/create-from-snapshots") {
                r#"{"volumeId":"vol-2"}"#
            } else {
                "{}"
            };
            http(200, "application/json", body).into_bytes()
        })
    }

    /// Answers each request with what `answer` returns.
    pub fn answering_with(answer: impl Fn(&Request) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                if let Some(request) = read(&mut stream) {
                    let answer = answer(&request);
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    let _ = stream.write_all(&answer);
                }
            }
        });
        Self { address, requests }
    }

    /// Answers every request with 200 and this JSON text.
    pub fn answering_json(body: &str) -> Self {
        Self::answering(http(200, "application/json", body))
    }

    /// The URL that it listens at.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port, as in the `Host` header.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The text of an HTTP answer.
pub fn http(status: u16, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Reads one request, or returns `None` if the connection ends before it is complete.
fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next()?.to_owned();
            let mut headers = BTreeMap::new();
            for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
                let repeated = headers.insert(name.to_ascii_lowercase(), value.to_owned());
                assert_eq!(repeated, None, "the header {name} came twice");
            }
            let length =
                headers.get("content-length").map_or(0, |length| length.parse().unwrap_or(0));
            if body.len() >= length {
                return Some(Request { line, headers, body: body.to_owned() });
            }
        }
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}
