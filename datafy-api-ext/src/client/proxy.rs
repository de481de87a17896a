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
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::ffi::OsString;

    /// The proxy of an endpoint with these variables, if any.
    fn proxy(endpoint: &str, variables: &[(&str, &str)]) -> Option<String> {
        let route = Route::from_variables(&endpoint.parse().expect("a base URL"), |name| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| OsString::from(value))
        });
        match route.expect("valid variables") {
            Route::Variable(proxy) => Some(proxy.to_string()),
            _ => None,
        }
    }

    #[test]
    fn the_proxy_is_that_of_the_first_variable_that_is_not_empty() {
        for (variables, expected) in [
            (&[("https_proxy", "p:3128")][..], Some("http://p:3128 of `https_proxy`")),
            (
                &[("HTTPS_PROXY", ""), ("ALL_PROXY", "socks5://p")],
                Some("socks5://p of `ALL_PROXY`"),
            ),
            (&[("HTTP_PROXY", "http://p")], None),
            (&[("HTTPS_PROXY", "http://p"), ("REQUEST_METHOD", "GET")], None),
        ] {
            assert_eq!(proxy("https://api.example.org", variables).as_deref(), expected);
        }
    }

    #[test]
    fn the_guide_lists_the_variables() {
        let read = RefCell::new(BTreeSet::new());
        for endpoint in ["https://example.org", "http://example.org"] {
            let endpoint = endpoint.parse().expect("a base URL");
            let look_up = |name: &str| {
                read.borrow_mut().insert(name.to_owned());
                None
            };
            Route::from_variables(&endpoint, look_up).expect("no variable");
        }
        let page = include_str!("../../guide/environment.md").lines();
        let listed = page.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let proxies = listed.filter(|name| name.ends_with("_PROXY"));
        let names = proxies.flat_map(|name| [name.to_owned(), name.to_ascii_lowercase()]);
        let expected = names.chain(["REQUEST_METHOD".to_owned()]).collect();
        assert_eq!(read.into_inner(), expected);
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
            let proxy = proxy(endpoint, &variables);
            assert_eq!(proxy.is_none(), exempt, "{no_proxy} {endpoint}");
        }
    }
}
