//! The endpoint: its path prefix, its scheme, and what is rejected.

use datafy_api_ext::{Datafy, DatafyBuilder, ErrorKind, Token, VolumeId};
use datafy_tests::Listener;

fn at(endpoint: &str) -> DatafyBuilder {
    Datafy::builder().token("token-1").endpoint(endpoint)
}

#[tokio::test]
async fn a_trailing_slash_is_ignored_and_a_path_prefix_is_kept() {
    let table =
        [("", ""), ("/", ""), ("/proxy", "/proxy"), ("/proxy/", "/proxy"), ("/a/b//", "/a/b")];
    for (suffix, prefix) in table {
        let listener = Listener::answering_json("");
        let datafy = at(&format!("{}{suffix}", listener.url())).build().unwrap();
        let volume = VolumeId::new("vol-1").unwrap();
        datafy.volume(volume).deactivate_autoscaling().await.unwrap();
        let line = format!("POST {prefix}/api/v1/volumes/vol-1/deactivate-autoscaling HTTP/1.1");
        assert_eq!(listener.requests()[0].line, line);
    }
}

#[test]
fn plain_http_is_rejected_unless_the_host_is_loopback_or_it_is_allowed() {
    for own in ["http://localhost:1", "http://127.0.0.1", "http://127.8.8.8", "http://[::1]:9"] {
        at(own).build().expect(own);
    }
    for other in ["http://api.datafy.io", "http://10.0.0.1", "http://localhost.example.org"] {
        let error = at(other).build().expect_err(other);
        assert!(error.to_string().starts_with("plain `http` to "), "{error}");
        at(other).allow_plain_http().build().expect(other);
        at(&other.replace("http:", "https:")).build().expect(other);
    }
}

#[test]
fn an_endpoint_with_the_beginning_of_the_paths_is_rejected() {
    for (endpoint, end) in [
        ("https://api.datafy.io/api/v1/", "/api/v1"),
        ("https://gateway/datafy/api/v1", "/api/v1"),
        (
            "https://gateway/api/v1/volumes/create-from-snapshots",
            "/api/v1/volumes/create-from-snapshots",
        ),
    ] {
        let error = at(endpoint).build().expect_err(endpoint);
        assert!(format!("{error:#}").contains(&format!("it ends in `{end}`")), "{error:#}");
    }
    for endpoint in ["https://gateway/api", "https://gateway/v1", "https://gateway/api/v2"] {
        at(endpoint).build().expect(endpoint);
    }
}

#[test]
fn an_endpoint_that_is_not_a_base_url_is_rejected_without_showing_a_password() {
    let wrong = [
        "",
        "api.datafy.io",
        "ftp://host",
        "https://",
        "https://user:secret@host",
        "https://user:secret@bad host/",
        "user:secret@host",
        "https://host?key=secret",
        "https://host#x",
    ];
    for endpoint in wrong {
        let builder = format!("{:?}", at(endpoint));
        let error = at(endpoint).build().expect_err(endpoint);
        assert_eq!(format!("{error}"), "the endpoint is not valid");
        assert!(!format!("{builder} {error:#} {error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_without_a_call_is_closed_before_a_byte_is_written() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let datafy = at(&endpoint).build().unwrap();
    let read = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await.unwrap();
        bytes
    };
    let (connected, bytes) = tokio::join!(datafy.connect(), read);
    connected.unwrap();
    assert_eq!(bytes, b"");
    drop(listener);
    assert_eq!(datafy.connect().await.unwrap_err().kind(), ErrorKind::Connect);
    // It also gets a token.
    let sealed = Token::provider(|| async { Err::<String, _>("the vault is sealed") });
    let datafy = at("http://127.0.0.1:1").token(sealed).build().unwrap();
    assert_eq!(datafy.connect().await.unwrap_err().kind(), ErrorKind::Token);
}
