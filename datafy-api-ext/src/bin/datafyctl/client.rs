//! The client that makes the calls.

use crate::exit::Result;
use clap::Args;
use datafy_api_ext::{Datafy, DatafyBuilder, SubAccountId, Token};
use std::env;
use std::path::PathBuf;

/// Whom the calls are sent to, and for which account.
#[derive(Args)]
#[command(next_help_heading = "Service and account")]
pub(crate) struct Client {
    /// The URL of the service [default: $DATAFY_ENDPOINT, or https://api.datafy.io]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// A file with the token, which is read again when the service refuses it [default: $DATAFY_TOKEN, or the file
    /// $DATAFY_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The sub-account in whose context calls are made, as a header [default: $DATAFY_SUB_ACCOUNT_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) sub_account: Option<SubAccountId>,
    /// The account that an organization token is used for: the query parameter `accounts` of the vendor's current API
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<SubAccountId>,
}

impl Client {
    /// Builds the client. Nothing is sent.
    pub(crate) fn build(&self) -> Result<Datafy> {
        let is_set = |name| env::var_os(name).is_some();
        if self.token_file.is_none() && !is_set("DATAFY_TOKEN") && !is_set("DATAFY_TOKEN_FILE") {
            return Err("there is no token; set DATAFY_TOKEN or DATAFY_TOKEN_FILE, or pass --token-file FILE".into());
        }
        let builder = DatafyBuilder::from_variables(|name| {
            let is_overridden = match name {
                "DATAFY_TOKEN" | "DATAFY_TOKEN_FILE" => self.token_file.is_some(),
                "DATAFY_ENDPOINT" => self.endpoint.is_some(),
                "DATAFY_SUB_ACCOUNT_ID" => self.sub_account.is_some(),
                _ => false,
            };
            env::var_os(name).filter(|_| !is_overridden)
        });
        Ok(self.apply(builder?).build()?)
    }

    fn apply(&self, mut builder: DatafyBuilder) -> DatafyBuilder {
        if let Some(url) = &self.endpoint {
            builder = builder.endpoint(url);
        }
        if let Some(path) = &self.token_file {
            builder = builder.token(Token::file(path));
        }
        if let Some(id) = &self.sub_account {
            builder = builder.sub_account(id.clone());
        }
        if let Some(id) = &self.account {
            builder = builder.query("accounts", id.as_str());
        }
        builder
    }
}
