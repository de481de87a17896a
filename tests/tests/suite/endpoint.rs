//! Where requests go.

use datafy_api_ext::{ConfigError, Datafy, DatafyBuilder, VolumeId};
use datafy_tests::Listener;

fn at(endpoint: &str) -> DatafyBuilder {
    Datafy::builder().token("token-1").endpoint(endpoint)
}

#[tokio::test]
async fn a_slash_at_the_end_and_a_path_prefix_are_taken_as_they_are_meant() {
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
fn plain_http_is_for_this_machine_or_for_who_says_so() {
    for own in ["http://localhost:1", "http://127.0.0.1", "http://127.8.8.8", "http://[::1]:9"] {
        at(own).build().expect(own);
    }
    for other in ["http://api.datafy.io", "http://10.0.0.1", "http://localhost.example.org"] {
        let error = at(other).build().expect_err(other);
        assert!(matches!(error, ConfigError::PlainHttp(_)), "{error}");
        at(other).allow_plain_http().build().expect(other);
        at(&other.replace("http:", "https:")).build().expect(other);
    }
}

#[test]
fn what_is_no_address_of_a_service_is_refused() {
    let wrong = [
        "",
        "api.datafy.io",
        "/api",
        "ftp://host",
        "https://",
        "https://user:secret@host",
        "https://host?x=1",
        "https://host#x",
        "file:///etc/passwd",
    ];
    for endpoint in wrong {
        let error = at(endpoint).build().expect_err(endpoint).to_string();
        assert!(error.starts_with("the endpoint is not a base URL"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
