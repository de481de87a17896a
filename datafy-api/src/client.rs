//! The constructor of the generated client.

use crate::base_url::BaseUrl;
use crate::generated::Client;
use crate::hooks::Hooks;

impl Client {
    /// Creates a client of the service at `base_url` that sends its requests with `http`.
    ///
    /// Timeouts, redirects and TLS are those of `http`.
    ///
    /// ```
    /// use datafy_api::{Client, hooks::Hooks};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let http = reqwest::Client::new();
    /// let client = Client::new("https://api.datafy.io".parse()?, http, Hooks::bearer("a-token")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(base_url: BaseUrl, http: reqwest::Client, hooks: Hooks) -> Self {
        Self { baseurl: base_url.into_text(), client: http, inner: hooks }
    }
}
