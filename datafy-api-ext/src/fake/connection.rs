//! Serves one connection: reads requests, applies them, and answers as the fault demands.

use super::answer::Answer;
use super::fault::Fault;
use super::handler;
use super::request::RecordedRequest;
use super::state::Shared;
use super::wire::{self, ReadError};
use bytes::BytesMut;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the fake waits for the client to close a connection that the fake has closed.
const LINGER: Duration = Duration::from_secs(1);

/// The interim answers of a flood.
const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
                       HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";

/// Serves the connection until either side closes it.
pub(super) async fn serve(mut stream: TcpStream, shared: Shared) {
    let _ = stream.set_nodelay(true);
    let mut buffer = BytesMut::new();
    loop {
        if buffer.is_empty() && !matches!(stream.peek(&mut [0]).await, Ok(1..)) {
            return;
        }
        let fault = shared.next_fault();
        if fault == Some(Fault::ResetBeforeReading) {
            let _ = stream.set_zero_linger();
            return;
        }
        let request = match wire::read(&mut stream, &mut buffer).await {
            Ok(request) => request,
            Err(ReadError::Closed) => return,
            Err(ReadError::Rejected(answer)) => {
                if send(&mut stream, &OnWire::new(&answer, None, None)).await.is_ok() {
                    close(&mut stream).await;
                }
                return;
            }
        };
        let keep_alive = request.keeps_alive();
        let answer = apply(&shared, &request, fault.as_ref());
        match answer_with(&mut stream, &answer, fault).await {
            Ok(true) if keep_alive => {}
            Ok(true) => return close(&mut stream).await,
            _ => return,
        }
    }
}

/// Applies the request unless the fault forbids it, records it, and returns the answer.
fn apply(shared: &Shared, request: &RecordedRequest, fault: Option<&Fault>) -> OnWire {
    let mut state = shared.lock();
    let answer = match fault {
        Some(Fault::Answer(answer)) => answer.clone(),
        Some(Fault::ReadThenReset | Fault::ReadThenHang) => Answer::status(500),
        Some(Fault::ApplyThenAnswer(answer)) => {
            handler::serve(&mut state, request);
            answer.clone()
        }
        Some(Fault::ApplyThenNameVolume(volume)) => {
            handler::serve(&mut state, request).naming(volume)
        }
        _ => handler::serve(&mut state, request),
    };
    let on_wire = OnWire::new(&answer, Some(request), fault);
    state.requests.push(request.clone());
    drop(state);
    let answered = !matches!(fault, Some(Fault::ReadThenReset | Fault::ReadThenHang));
    shared.report(request, answered.then_some(&answer), fault);
    on_wire
}

/// The bytes of an answer.
struct OnWire {
    head: Vec<u8>,
    body: Vec<u8>,
    /// Whether the connection speaks HTTP after this answer.
    http: bool,
}

impl OnWire {
    /// `request`: what is answered, if it could be read.
    fn new(answer: &Answer, request: Option<&RecordedRequest>, fault: Option<&Fault>) -> Self {
        let (framing, body) = match fault {
            Some(Fault::TinyChunks(least)) => {
                (("transfer-encoding", "chunked".to_owned()), tiny_chunks(&answer.body, *least))
            }
            _ => (("content-length", answer.body.len().to_string()), answer.body.clone()),
        };
        let mut extra = Vec::new();
        if answer.can_have_body() {
            extra.push((framing.0, framing.1.as_str()));
        }
        if !request.is_some_and(RecordedRequest::keeps_alive) {
            extra.push(("connection", "close"));
        }
        let head_only = request.is_some_and(|request| request.method() == "HEAD");
        Self {
            head: answer.head(&extra),
            body: if answer.can_have_body() && !head_only { body } else { Vec::new() },
            http: answer.status != 101,
        }
    }
}

/// The body as chunks of one byte, with so many spaces behind it that there are at least `least` chunks.
fn tiny_chunks(body: &[u8], least: usize) -> Vec<u8> {
    let spaces = std::iter::repeat_n(&b' ', least.saturating_sub(body.len()));
    let mut chunks = Vec::new();
    for byte in body.iter().chain(spaces) {
        chunks.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    chunks
}

/// Sends the answer as the fault demands. Returns whether the connection can be used again.
async fn answer_with(
    stream: &mut TcpStream,
    answer: &OnWire,
    fault: Option<Fault>,
) -> io::Result<bool> {
    let OnWire { head, body, http } = answer;
    match fault {
        Some(Fault::ReadThenReset | Fault::ApplyThenReset) => {
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Some(Fault::ReadThenHang | Fault::ApplyThenHang) => {
            closed(stream).await;
            return Ok(false);
        }
        Some(Fault::ApplyThenFlood) => loop {
            stream.write_all(INTERIM.as_bytes()).await?;
            tokio::task::yield_now().await;
        },
        Some(Fault::ApplyThenCutHeaders) => {
            stream.write_all(&head[..head.len() / 2]).await?;
            return Ok(false);
        }
        Some(cut @ (Fault::ApplyThenCutBody | Fault::ApplyThenStallBody)) => {
            stream.write_all(head).await?;
            stream.write_all(&body[..body.len() / 2]).await?;
            if cut == Fault::ApplyThenStallBody {
                closed(stream).await;
            }
            return Ok(false);
        }
        Some(Fault::Drip) => {
            for byte in head.iter().chain(body) {
                stream.write_all(&[*byte]).await?;
                tokio::task::yield_now().await;
            }
            return Ok(true);
        }
        Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::LateDuplicate(delay)) => {
            send(stream, answer).await?;
            tokio::time::sleep(delay).await;
        }
        _ => {}
    }
    send(stream, answer).await?;
    if !http {
        closed(stream).await;
        return Ok(false);
    }
    Ok(fault != Some(Fault::CloseIdle))
}

async fn send(stream: &mut TcpStream, answer: &OnWire) -> io::Result<()> {
    stream.write_all(&[&answer.head[..], &answer.body].concat()).await
}

/// Closes the connection so that the client can read the answer. A socket that is closed with unread
/// input resets the connection, and the client may then lose the answer (RFC 9112, section 9.6).
async fn close(stream: &mut TcpStream) {
    if stream.shutdown().await.is_ok() {
        let _ = timeout(LINGER, closed(stream)).await;
    }
}

/// Discards what the client sends until it closes the connection.
async fn closed(stream: &mut TcpStream) {
    let mut discarded = [0; 4096];
    while matches!(stream.read(&mut discarded).await, Ok(1..)) {}
}
