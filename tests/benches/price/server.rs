//! The server that all contenders call. It gives every request about a volume the same answer.

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The body of the answer. The volume of the request replaces [`VOLUME`].
const BODY: &str = r#"{"datafySnapshotId":"dsnap-0b9176567fe16f0bd","volumeId":"vol-0b9176567fe16f0bc","status":"pending","startTime":"2026-01-01T00:00:00Z","volumeSizeGb":100,"description":"nightly"}"#;
const VOLUME: &[u8] = b"vol-0b9176567fe16f0bc";

/// The answer to a request that creates a volume.
const CREATED: &str = r#"{"volumeId":"vol-0b9176567fe16f0bc","volumeSizeGB":100}"#;

/// The certificate authority of the server.
pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server on another thread, until the program ends.
pub(crate) struct Server {
    address: SocketAddr,
    /// The certificate of its authority in PEM form, if the server uses TLS.
    pub(crate) authority: Option<String>,
}

impl Server {
    pub(crate) fn start(authority: Option<&Authority>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = authority.map(Authority::acceptor);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    stream.set_nodelay(true).unwrap();
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        match acceptor {
                            None => serve(stream).await,
                            Some(acceptor) => {
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    serve(stream).await;
                                }
                            }
                        }
                    });
                }
            });
        });
        Self { address, authority: authority.map(|authority| authority.certificate.pem()) }
    }

    pub(crate) fn url(&self) -> String {
        match self.authority {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (mut answer, created) = (http(BODY), http(CREATED));
    let at = memchr::memmem::find(&answer, VOLUME).unwrap();
    let mut buffer = Vec::with_capacity(4096);
    loop {
        match stream.read_buf(&mut buffer).await {
            Ok(1..) => {}
            _ => return,
        }
        // Every contender sends a JSON object, and no other brace.
        if buffer.ends_with(b"}") {
            let is_attach = memchr::memmem::find(&buffer, b"/attach ").is_some();
            let answer = match memchr::memmem::find(&buffer, b"vol-").filter(|_| !is_attach) {
                // All volume IDs have the same length.
                Some(volume) => {
                    answer[at..][..VOLUME.len()].copy_from_slice(&buffer[volume..][..VOLUME.len()]);
                    &answer
                }
                None => &created,
            };
            buffer.clear();
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

fn http(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("content-type: application/json\r\ncontent-length: {length}");
    format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").into_bytes()
}
