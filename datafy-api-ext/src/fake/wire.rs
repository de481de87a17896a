//! HTTP/1.1 as far as the fake needs it: reading requests off a socket.

use std::fmt;
use std::io;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The longest request that is read, in bytes.
const LONGEST: usize = 1 << 20;
const MOST_HEADERS: usize = 64;

/// A request as the fake read it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl RecordedRequest {
    /// The method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path, with the query if there is one; the whole URL if the request came through a proxy.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// All headers in the order in which they came, the names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The value of the first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| {
            (name, if name == "authorization" { "[redacted]" } else { value.as_str() })
        });
        write!(f, "{} {} ", self.method, self.target)?;
        f.debug_map().entries(headers).finish()?;
        write!(f, " {}", String::from_utf8_lossy(&self.body))
    }
}

/// Reads the next request; none if the other side has closed the connection. `buffer` holds what was
/// read of it before, and what was read of the one after.
pub(super) async fn read(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<RecordedRequest>> {
    loop {
        if let Some((request, length)) = parse(buffer)? {
            buffer.drain(..length);
            return Ok(Some(request));
        }
        if buffer.len() > LONGEST {
            return Err(malformed("the request is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// The request at the beginning of `bytes` and its length, once it is there whole.
fn parse(bytes: &[u8]) -> io::Result<Option<(RecordedRequest, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    let mut request = RecordedRequest {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for header in head.headers {
        let value = String::from_utf8_lossy(header.value).into_owned();
        request.headers.push((header.name.to_ascii_lowercase(), value));
    }
    if request.header("transfer-encoding").is_some() {
        return Err(malformed("a body must come with `Content-Length`"));
    }
    let body = match request.header("content-length").map(str::parse::<usize>) {
        Some(Ok(body)) if body <= LONGEST => body,
        Some(_) => return Err(malformed("the `Content-Length` is no number, or too large")),
        None => 0,
    };
    let Some(body) = bytes.get(length..length + body) else { return Ok(None) };
    request.body = body.to_vec();
    let length = length + body.len();
    Ok(Some((request, length)))
}

fn malformed(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
