//! A call is not sent to a server whose certificate is not valid.

use datafy_api_ext::{Datafy, DatafyBuilder, ErrorKind, Outcome, RetryPolicy, Timeouts};
use datafy_tests::{Listener, Operation, Stage, http};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A TLS server whose certificate is issued by a new authority.
struct Server {
    port: u16,
    authority: String,
}

impl Server {
    /// Starts a server whose certificate is for `name`, with the parameters that `change` sets.
    async fn start(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let answer = http(200, "application/json", "");
        Self::speaking(rustls::ALL_VERSIONS, name, change, "", answer).await
    }

    /// As [`start`](Self::start), with these versions of TLS and this answer: a beginning, and the rest until the client closes.
    async fn speaking(
        versions: &[&'static rustls::SupportedProtocolVersion],
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        beginning: &'static str,
        answer: String,
    ) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);

        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();

        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                let answer = answer.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    // The request of a test fits into one read.
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(beginning.as_bytes()).await;
                    while stream.write_all(answer.as_bytes()).await.is_ok() {}
                });
            }
        });
        Self { port, authority: authority_pem }
    }

    fn client(&self) -> DatafyBuilder {
        Datafy::builder().endpoint(format!("https://localhost:{}", self.port)).token("t")
    }

    /// A client that trusts the authority of this server.
    fn trusting(&self) -> DatafyBuilder {
        trusting(self.client(), &self.authority)
    }
}

/// Trusts the certificate authority in `pem`.
fn trusting(builder: DatafyBuilder, pem: &str) -> DatafyBuilder {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, pem).unwrap();
    builder.root_certificates_file(&file)
}

/// Makes a call that must end `NotSent` after one attempt, with `why` among its causes.
async fn not_sent(builder: DatafyBuilder, why: &str) {
    let clock = datafy_api_ext::fake::SkipPauses::default();
    let error =
        Operation::Deactivate.call(&builder.clock(clock).build().unwrap(), 0).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    assert_eq!(error.attempts(), 1, "a retry can't succeed: {error}");
    assert!(format!("{error:#}").contains(why), "{error:#}");
}

#[tokio::test]
async fn a_custom_root_is_trusted() {
    let server = Server::start("localhost", |_| {}).await;
    Operation::Deactivate.call(&server.trusting().build().unwrap(), 0).await.unwrap();
}

#[tokio::test]
async fn a_connection_without_a_call_checks_the_certificate() {
    let server = Server::start("localhost", |_| {}).await;
    server.trusting().build().unwrap().connect().await.unwrap();
    let error = server.client().build().unwrap().connect().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Tls, Outcome::NotSent), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_not_secure_is_reported_and_nothing_is_sent() {
    let server = Server::start("localhost", |_| {}).await;
    not_sent(server.client(), "invalid peer certificate: UnknownIssuer").await;
    let other = Server::start("localhost", |_| {}).await;
    not_sent(trusting(server.client(), &other.authority), "invalid peer certificate").await;
    let expired = Server::start("localhost", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    not_sent(expired.await.trusting(), "invalid peer certificate: certificate expired").await;
    let elsewhere = Server::start("api.example.org", |_| {}).await;
    not_sent(elsewhere.trusting(), "certificate not valid for name \"localhost\"").await;

    let versions = [&rustls::version::TLS13];
    let server = Server::speaking(&versions, "localhost", |_| {}, "", String::new()).await;
    let older = |http: reqwest::ClientBuilder| http.tls_version_max(reqwest::tls::Version::TLS_1_2);
    not_sent(server.client().configure_reqwest(older), "ProtocolVersion").await;

    let stage = Stage::of(1).await;
    let endpoint = stage.fake.endpoint().replace("http:", "https:");
    not_sent(stage.builder().endpoint(endpoint), "received corrupt message").await;
    assert_eq!(stage.fake.requests(), []);
}

#[tokio::test]
async fn a_token_that_a_certificate_holds_as_a_host_name_is_not_shown() {
    let token = "tok3n-canary-5e1f0c7d2a.example.org";
    let server = Server::start(token, |_| {}).await;
    let datafy = server.trusting().token(token).build().unwrap();
    let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
    let json = serde_json::to_string(&error).unwrap();
    for shown in [format!("{error:#}"), format!("{error:?}"), json] {
        assert!(shown.contains("[token]") && !shown.contains("tok3n-canary"), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_whose_head_or_chunk_size_never_ends_does_not_stretch_the_deadline() {
    let limit = Duration::from_secs(2);
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n";
    for (head, flood, kind) in
        [("", interim, ErrorKind::Timeout), (head, "0".repeat(250_000), ErrorKind::Body)]
    {
        let server = Server::speaking(rustls::ALL_VERSIONS, "localhost", |_| {}, head, flood).await;
        let timeouts = Timeouts::operation(limit);
        let builder = server.trusting().timeouts(timeouts).retry(RetryPolicy::none());
        let begun = Instant::now();
        let result = Operation::CreateSnapshot.call(&builder.build().unwrap(), 0).await;
        let (error, took) = (result.unwrap_err(), begun.elapsed());
        assert_eq!(error.kind(), kind, "{error}");
        // The flood never ends. The margin is for a machine that is busy with other tests.
        assert!(limit <= took && took < 2 * limit, "{took:?}");
        // The connection is dropped with the call, so nothing keeps the runtime busy.
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(begun.elapsed() < limit / 2, "{:?}", begun.elapsed());
    }
}

/// A client of an absent service through this proxy.
fn through(proxy: &str, builder: DatafyBuilder) -> DatafyBuilder {
    let proxy = reqwest::Proxy::all(proxy).unwrap();
    let builder = builder.endpoint("https://datafy.invalid").token("t");
    builder.configure_reqwest(move |http| http.proxy(proxy.clone()))
}

#[tokio::test]
async fn a_proxy_that_makes_no_connection_is_reported_and_nothing_is_sent() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let listener = Listener::answering(answer);
    not_sent(through(&listener.url(), Datafy::builder()), "proxy authorization required").await;
    assert_eq!(listener.requests().len(), 1);

    let server = Server::start("localhost", |_| {}).await;
    let secure = through(&format!("https://localhost:{}", server.port), Datafy::builder());
    not_sent(secure, "invalid peer certificate: UnknownIssuer").await;

    // One that accepts no connection is not said to have refused it.
    let stage = Stage::of(0).await;
    let datafy = through(&stage.fake.endpoint(), stage.builder()).build().unwrap();
    let _outage = stage.fake.outage().await;
    let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
    let facts = (error.outcome(), error.kind(), error.attempts());
    assert_eq!(facts, (Outcome::NotSent, ErrorKind::Proxy, 4), "{error:#}");
}

#[test]
fn a_root_certificate_that_can_not_be_used_is_named() {
    let key = KeyPair::generate().unwrap();
    let good = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cut = good.split_at(40).0;
    for (pem, which) in [
        (String::new(), "the file "),
        (format!("{good}{bad}{good}"), "certificate 2 of "),
        (format!("# a comment: é\n{good}{good}{cut}"), "certificate 3 of "),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, pem).unwrap();
        let named = format!("{which}{} can't be used as root certificate", file.path().display());
        for endpoint in ["https://api.datafy.io", "http://localhost:1"] {
            let builder = Datafy::builder().token("t").endpoint(endpoint);
            let error = builder.root_certificates_file(&file).build().unwrap_err();
            assert!(error.source().is_some() && error.to_string() == named, "{error:#}");
        }
    }
}
