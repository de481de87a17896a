//! The proxy between the client and the endpoint.

use crate::client::ConfigError;
use datafy_api::base_url::BaseUrl;
use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use std::ffi::OsString;
use std::fmt;

/// The way to the endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Without a proxy.
    Direct,
    /// Through the proxy that an environment variable names.
    Variable(Proxy),
    /// Through the proxies that the caller has configured, whose URLs reqwest doesn't tell.
    Configured,
}

/// A proxy that an environment variable names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    variable: &'static str,
    /// The URL, without credentials.
    url: String,
    /// Whether the proxy opens a connection to the endpoint, and doesn't read requests.
    pub(crate) tunnels: bool,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of `{}`", self.url, self.variable)
    }
}

impl Route {
    /// Returns the way that reqwest takes to `base` with these environment variables. `look_up` returns their values.
    ///
    /// Fails if a variable doesn't hold the URL of a proxy: reqwest would ignore it, and connect directly.
    pub(crate) fn from_variables(
        base: &BaseUrl,
        look_up: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let first = |names: [&'static str; 2]| {
            let found = names.into_iter().find_map(|name| Some((name, look_up(name)?)));
            let text = |(name, value): (_, OsString)| match value.into_string() {
                Ok(text) => Ok((name, text)),
                Err(_) => Err(ConfigError::of_variable(name, "it is not valid Unicode")),
            };
            found.map(text).transpose()
        };
        let scheme = if base.is_https() { "https" } else { "http" };
        let endpoint = format!("{scheme}://{}", base.url().authority());
        let endpoint: Uri = endpoint.parse().expect("the origin of a URL is a URI");
        let exempt = first(["NO_PROXY", "no_proxy"])?.map(|(_, hosts)| hosts).unwrap_or_default();
        let matches = |proxy: &str| {
            Matcher::builder().all(proxy).no(exempt.as_str()).build().intercept(&endpoint)
        };
        // A CGI program has a variable for each header of its request, such as `Proxy`.
        if look_up("REQUEST_METHOD").is_some() || matches("http://any").is_none() {
            return Ok(Self::Direct);
        }
        let own = if base.is_https() {
            ["HTTPS_PROXY", "https_proxy"]
        } else {
            ["HTTP_PROXY", "http_proxy"]
        };
        for names in [own, ["ALL_PROXY", "all_proxy"]] {
            let Some((variable, value)) = first(names)?.filter(|(_, value)| !value.is_empty())
            else {
                continue;
            };
            let Some(proxy) = matches(&value) else {
                let remedy = "give a URL like `http://proxy.example:3128`, or none";
                let reason = format!("{}; {remedy}", problem(&value));
                return Err(ConfigError::of_variable(variable, reason));
            };
            let url = proxy.uri().to_string().trim_end_matches('/').to_owned();
            return Ok(Self::Variable(Proxy { variable, url, tunnels: base.is_https() }));
        }
        Ok(Self::Direct)
    }
}

/// Returns why `value` is not the URL of a proxy, without its credentials.
fn problem(value: &str) -> String {
    match value.split_once("://") {
        Some((scheme, _)) if value.parse::<Uri>().is_ok() => {
            format!("the scheme `{scheme}` is not one of a proxy")
        }
        _ => "it is not a URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Route;
    use crate::ConfigError;
    use std::error::Error;
    use std::ffi::OsString;

    fn route(endpoint: &str, variables: &[(&str, &str)]) -> Result<Route, ConfigError> {
        let base = endpoint.parse().expect("a base URL");
        Route::from_variables(&base, |name| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| OsString::from(value))
        })
    }

    fn proxy(variables: &[(&str, &str)]) -> Option<String> {
        match route("https://api.example.org", variables).expect("valid variables") {
            Route::Variable(proxy) => Some(proxy.to_string()),
            _ => None,
        }
    }

    #[test]
    fn the_proxy_is_named_without_credentials() {
        for (variables, expected) in [
            (&[("HTTPS_PROXY", "http://u:secret@p:3128/x")][..], "http://p:3128 of `HTTPS_PROXY`"),
            (&[("https_proxy", "p:3128")], "http://p:3128 of `https_proxy`"),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "socks5://p")], "socks5://p of `ALL_PROXY`"),
        ] {
            assert_eq!(proxy(variables).as_deref(), Some(expected));
        }
        assert_eq!(proxy(&[("HTTP_PROXY", "http://p")]), None);
        assert_eq!(proxy(&[("HTTPS_PROXY", "http://p"), ("REQUEST_METHOD", "GET")]), None);
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_refused_without_showing_it() {
        for (value, expected) in [
            ("ftp://u:secret@p", "the scheme `ftp` is not one of a proxy"),
            ("http//u:secret@p", "it is not a URL"),
            ("http://", "it is not a URL"),
        ] {
            for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let variables = [(name, value), ("NO_PROXY", "other.example.org")];
                let error = route("https://api.example.org", &variables).expect_err(value);
                assert_eq!(
                    error.to_string(),
                    format!("the environment variable `{name}` can't be used")
                );
                let source = error.source().expect("a cause").to_string();
                assert!(source.starts_with(expected), "{source}");
                assert!(!format!("{error:?}").contains("secret"), "{error:?}");
            }
            assert!(route("http://api.example.org", &[("HTTPS_PROXY", value)]).is_ok());
        }
    }

    #[test]
    fn no_proxy_understands_names_addresses_networks_and_a_single_asterisk() {
        for (no_proxy, endpoint, exempt) in [
            ("example.org", "https://api.example.org", true),
            (".example.org", "https://api.example.org", true),
            ("other, API.example.org", "https://api.example.org", true),
            ("*", "https://api.example.org", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.1.2.3", "https://10.1.2.3:8443", true),
            ("*.example.org", "https://api.example.org", false),
            ("api.example.org:443", "https://api.example.org", false),
            ("api.example.org:8443", "https://api.example.org:8443", false),
            ("https://api.example.org", "https://api.example.org", false),
            ("other api.example.org", "https://api.example.org", false),
            ("ple.org", "https://api.example.org", false),
        ] {
            let variables = [("HTTPS_PROXY", "http://p"), ("NO_PROXY", no_proxy)];
            let route = route(endpoint, &variables).expect("valid variables");
            assert_eq!(route == Route::Direct, exempt, "{no_proxy} {endpoint}");
        }
    }
}
