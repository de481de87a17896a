//! Reads requests from a connection, by the rules of HTTP/1.1 (RFC 9112).

use super::answer::Answer;
use super::handler::refusal;
use super::request::RecordedRequest;
use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest request line and headers that are read, in bytes. Also the limit for trailers.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// The largest body that is read, in bytes.
const MAX_BODY: usize = 1 << 20;
/// The longest line that gives the size of a chunk, in bytes.
const MAX_CHUNK_LINE: usize = 4 << 10;
/// How much is read at a time, in bytes.
const BLOCK: usize = 8 << 10;

/// Why a request could not be read.
pub(super) enum ReadError {
    /// The connection has ended.
    Closed,
    /// The request breaks the rules of HTTP or exceeds a limit. Where the next request begins is not
    /// known, so the connection is closed after this answer.
    Rejected(Answer),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

fn rejected<T>(status: u16, message: &str) -> Result<T, ReadError> {
    Err(ReadError::Rejected(refusal(status, message)))
}

/// Reads the next request. `buffer` holds what has been received and not been used yet.
pub(super) async fn read(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
) -> Result<RecordedRequest, ReadError> {
    let mut request = read_head(stream, buffer).await?;
    let framing = framing(&request)?;
    if expects_continue(&request)? && framing != Framing::Length(0) && buffer.is_empty() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    request.body = match framing {
        Framing::Length(length) => {
            receive(stream, buffer, length).await?;
            buffer.split_to(length).to_vec()
        }
        Framing::Chunked => read_chunks(stream, buffer).await?,
    };
    Ok(request)
}

async fn read_head(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
) -> Result<RecordedRequest, ReadError> {
    loop {
        if let Some((request, length)) = parse_head(buffer)? {
            buffer.advance(length);
            if request.minor_version > 0 && request.values("host").count() != 1 {
                return rejected(400, "the request must have exactly one `Host`");
            }
            return Ok(request);
        }
        receive_some(stream, buffer).await?;
    }
}

/// The head at the beginning of `bytes` and its length; `None` while the end of the head is missing.
fn parse_head(bytes: &[u8]) -> Result<Option<(RecordedRequest, usize)>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => length,
        Ok(httparse::Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => {
            return rejected(431, "the request line and the headers are too large");
        }
        Err(httparse::Error::Version) => {
            return rejected(505, "the version of HTTP is not supported");
        }
        Err(error) => return rejected(400, &format!("the request is malformed: {error}")),
    };
    let headers = head.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_ascii_lowercase(), value)
    });
    let request = RecordedRequest {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        minor_version: head.version.unwrap_or_default(),
        headers: headers.collect(),
        body: Vec::new(),
    };
    Ok(Some((request, length)))
}

/// How the end of the body is found.
#[derive(PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

/// RFC 9112, sections 6.1 and 6.3: a request whose end is ambiguous is rejected.
fn framing(request: &RecordedRequest) -> Result<Framing, ReadError> {
    let mut lengths = request.members("content-length");
    let mut codings = request.members("transfer-encoding");
    let (length, coding) = (lengths.next(), codings.next());
    match (length, coding) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => {
            rejected(400, "`Content-Length` and `Transfer-Encoding` exclude each other")
        }
        (None, Some(_)) if request.minor_version == 0 => {
            rejected(400, "HTTP/1.0 has no `Transfer-Encoding`")
        }
        (None, Some(coding))
            if coding.eq_ignore_ascii_case("chunked") && codings.next().is_none() =>
        {
            Ok(Framing::Chunked)
        }
        (None, Some(_)) => rejected(501, "the only supported `Transfer-Encoding` is `chunked`"),
        (Some(length), None) => {
            if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return rejected(400, "`Content-Length` is not a number");
            }
            if lengths.any(|other| other != length) {
                return rejected(400, "there are different values of `Content-Length`");
            }
            match length.parse() {
                Ok(length) if length <= MAX_BODY => Ok(Framing::Length(length)),
                _ => rejected(413, "the body is too large"),
            }
        }
    }
}

/// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1).
fn expects_continue(request: &RecordedRequest) -> Result<bool, ReadError> {
    // HTTP/1.0 has no expectations.
    if request.minor_version == 0 {
        return Ok(false);
    }
    let mut expectations = request.members("expect").peekable();
    let any = expectations.peek().is_some();
    if expectations.all(|expectation| expectation.eq_ignore_ascii_case("100-continue")) {
        Ok(any)
    } else {
        rejected(417, "the only supported expectation is `100-continue`")
    }
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    loop {
        let size = read_chunk_size(stream, buffer).await?;
        if size == 0 {
            skip_trailers(stream, buffer).await?;
            return Ok(body);
        }
        let size = match usize::try_from(size) {
            Ok(size) if size <= MAX_BODY - body.len() => size,
            _ => return rejected(413, "the body is too large"),
        };
        receive(stream, buffer, size + 2).await?;
        body.extend_from_slice(&buffer[..size]);
        if &buffer[size..size + 2] != b"\r\n" {
            return rejected(400, "a chunk is longer than its size says");
        }
        buffer.advance(size + 2);
    }
}

async fn read_chunk_size(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<u64, ReadError> {
    loop {
        // httparse reads an empty line as a size of 0.
        let empty = buffer.first() == Some(&b'\r');
        match httparse::parse_chunk_size(buffer) {
            Ok(httparse::Status::Complete((length, size)))
                if !empty && length <= MAX_CHUNK_LINE =>
            {
                buffer.advance(length);
                return Ok(size);
            }
            Ok(httparse::Status::Partial) if buffer.len() <= MAX_CHUNK_LINE => {
                receive_some(stream, buffer).await?;
            }
            _ => return rejected(400, "the size of a chunk is malformed"),
        }
    }
}

async fn skip_trailers(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<(), ReadError> {
    loop {
        let mut trailers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(buffer, &mut trailers) {
            Ok(httparse::Status::Complete((length, _))) if length <= MAX_HEAD => {
                buffer.advance(length);
                return Ok(());
            }
            Ok(httparse::Status::Partial) if buffer.len() <= MAX_HEAD => {
                receive_some(stream, buffer).await?;
            }
            Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                return rejected(431, "the trailers are too large");
            }
            Err(error) => return rejected(400, &format!("a trailer is malformed: {error}")),
        }
    }
}

/// Receives until `buffer` holds at least `length` bytes.
async fn receive(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    length: usize,
) -> Result<(), ReadError> {
    while buffer.len() < length {
        receive_some(stream, buffer).await?;
    }
    Ok(())
}

async fn receive_some(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<(), ReadError> {
    buffer.reserve(BLOCK);
    match stream.read_buf(buffer).await? {
        0 => Err(ReadError::Closed),
        _ => Ok(()),
    }
}
