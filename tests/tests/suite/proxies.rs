//! The proxies that environment variables name.

use datafy_api_ext::{Datafy, RetryPolicy};
use datafy_tests::Operation;
use std::env;
use std::net::TcpListener;
use std::process::Command;

/// Makes a call in a process with these environment variables, and returns what it prints: the error, with the number of
/// attempts unless the client was not built.
fn call(endpoint: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["proxies::a_call_in_another_process", "--exact", "--ignored", "--nocapture"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    let output = command.env("PROXIES_ENDPOINT", endpoint).envs(variables.iter().copied()).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("result: "));
    line.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[tokio::test]
#[ignore = "the other tests run it"]
async fn a_call_in_another_process() {
    let Ok(endpoint) = env::var("PROXIES_ENDPOINT") else { return };
    let mut retry = RetryPolicy::default();
    retry.base = std::time::Duration::from_millis(1);
    let mut builder = Datafy::builder().endpoint(endpoint).allow_plain_http().token("t");
    if let Ok(configured) = env::var("PROXIES_CONFIGURED") {
        builder = builder.configure_reqwest(move |http| match &*configured {
            "none" => http.no_proxy(),
            "user agent" => http.user_agent("somebody/1"),
            proxy => http.proxy(reqwest::Proxy::all(proxy).unwrap()),
        });
    }
    match builder.retry(retry).build() {
        Err(error) => println!("result: {error:#}"),
        Ok(_) if env::var_os("PROXIES_BUILD").is_some() => println!("result: built"),
        Ok(datafy) => {
            let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
            println!("result: {} {} {error:#}", error.kind(), error.attempts());
        }
    }
}

/// The address of a port at which nothing listens.
fn dead() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_variable_that_names_no_proxy_is_refused_unless_it_is_not_used() {
    let variable = ("HTTPS_PROXY", "htp://user:secret@127.0.0.1:1");
    let endpoint = "https://datafy.invalid";
    for used in [("PROXIES_BUILD", ""), ("PROXIES_CONFIGURED", "user agent")] {
        let refused = call(endpoint, &[variable, used]);
        let expected = "`HTTPS_PROXY` can't be used: the scheme `htp` is not one of a proxy; give";
        assert!(refused.contains(expected) && !refused.contains("secret"), "{refused}");
    }
    let refused = call(endpoint, &[("ALL_PROXY", "http//user:secret@127.0.0.1")]);
    let expected = "the environment variable `ALL_PROXY` can't be used: it is not a URL; give";
    assert!(refused.starts_with(expected) && !refused.contains("secret"), "{refused}");
    let build = ("PROXIES_BUILD", "");
    for unused in [
        ("NO_PROXY", "datafy.invalid"),
        ("PROXIES_CONFIGURED", "none"),
        ("PROXIES_CONFIGURED", "http://127.0.0.1:1"),
    ] {
        assert_eq!(call(endpoint, &[variable, build, unused]), "built", "{unused:?}");
    }
    assert_eq!(call("https://127.0.0.1:1", &[variable, build]), "built");
    assert_eq!(call("http://datafy.invalid", &[variable, build]), "built");
}

#[test]
fn a_proxy_that_makes_no_connection_is_named_without_its_credentials() {
    let address = dead();
    let (tls, plain) = ("https://datafy.invalid", "http://datafy.invalid");
    for (endpoint, variable, scheme, expected) in [
        (tls, "HTTPS_PROXY", "http", "no connection through the proxy http://"),
        (plain, "HTTP_PROXY", "http", "no connection to the proxy http://"),
        (plain, "ALL_PROXY", "http", "no connection to the proxy http://"),
        // A kind that the build lacks.
        (tls, "HTTPS_PROXY", "socks5", "the proxy socks5://"),
        (plain, "ALL_PROXY", "socks5", "the proxy socks5://"),
    ] {
        let shown = call(endpoint, &[(variable, &format!("{scheme}://user:secret@{address}"))]);
        let expected = format!("{expected}{address} of `{variable}` ");
        assert!(shown.contains(&expected) && !shown.contains("secret"), "{shown}");
        let attempts = if scheme == "http" { "proxy 4 " } else { "proxy 1 " };
        assert!(shown.starts_with(attempts), "{shown}");
    }
    let shown = call(plain, &[("PROXIES_CONFIGURED", &format!("http://user:secret@{address}"))]);
    assert!(shown.contains("neither to the service nor to a proxy"), "{shown}");
}
