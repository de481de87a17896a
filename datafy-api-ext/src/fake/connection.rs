//! Serves one connection: hyper reads the requests, and sends the answers that are whole.

use super::broken::Broken;
use super::fault::Fault;
use super::handler;
use super::reply::Reply;
use super::request::RecordedRequest;
use super::state::Shared;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::Arc;
use tokio::net::TcpStream;

/// Serves the connection with this number until either side closes it.
pub(super) async fn serve(stream: TcpStream, number: usize, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut stream = TokioIo::new(stream);
    loop {
        let service = service_fn(|request| Box::pin(answer(request, number, &shared)));
        // A client that has sent all its requests may shut down its side.
        let mut http = http1::Builder::new()
            .half_close(true)
            .auto_date_header(false)
            .serve_connection(stream, service);
        let Err(error) = (&mut http).await else { return };
        let Some(broken) = error.source().and_then(<dyn Error>::downcast_ref::<Broken>) else {
            return;
        };
        stream = http.into_parts().io;
        if !matches!(broken.send(stream.inner_mut()).await, Ok(true)) {
            return;
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    connection: usize,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, Broken> {
    let request = RecordedRequest::read(request, connection).await;
    let mut request = request.map_err(|_| Broken::closed())?;
    request.fault = shared.next_fault(&request);
    let reply = apply(shared, &mut request);
    shared.report(&request);
    if let Some(broken) = Broken::new(request.fault.as_ref(), &reply) {
        return Err(broken);
    }
    if let Some(Fault::Delay(delay)) = request.fault {
        tokio::time::sleep(delay).await;
    }
    let mut response = Response::new(Full::from(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers);
    Ok(response)
}

/// Applies the request unless its fault forbids it, records it, and returns the reply.
fn apply(shared: &Shared, request: &mut RecordedRequest) -> Reply {
    let mut state = shared.lock();
    let fault = request.fault.clone();
    let without_effect = |fault: &Fault| {
        use Fault::{Answer, ReadThenHang, ReadThenReset, ReadThenSend};
        matches!(fault, Answer(_) | ReadThenHang | ReadThenReset | ReadThenSend(_))
    };
    if !fault.as_ref().is_some_and(without_effect) {
        request.reply = Some(handler::serve(&mut state, request));
    }
    match fault {
        Some(Fault::Answer(reply) | Fault::ApplyThenAnswer(reply)) => request.reply = Some(reply),
        Some(Fault::ApplyThenNameVolume(volume)) => {
            request.reply = request.reply.take().map(|reply| reply.naming(&volume));
        }
        _ => {}
    }
    state.requests.push(request.clone());
    request.reply.clone().unwrap_or_else(|| Reply::status(500))
}
