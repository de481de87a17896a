//! `datafyctl check`: what a call would use.

use crate::cli::after_help;
use crate::client::Client;
use crate::exit::{Exit, Result};
use crate::journals::State;
use crate::print::{Printer, Tone};
use clap::Args;
use datafy_api_ext::datafy_api::reqwest::Url;
use serde_json::json;
use std::env;
use std::time::Instant;

/// Check the settings, the token, the name resolution, the proxy and TLS, without a call
///
/// It opens a connection as a call would, and closes it before anything is sent. So it can't tell whether the service
/// accepts the token. Exits with 1 if the settings can't be used, and with 2 if there is no connection.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Check {
    #[command(flatten)]
    client: Client,
    #[command(flatten)]
    state: State,
}

fn help() -> String {
    after_help(
        "  datafyctl check
  datafyctl check --token-file /etc/datafy/token --json",
    )
}

pub(crate) async fn run(arguments: Check, printer: &Printer) -> Result<Exit> {
    let Check { client, state } = arguments;
    let line = |name: &str, tone: Tone, value: String| {
        let json = json!({ "event": "check", "name": name, "value": value });
        printer.result(tone, &json, &format!("{name:<12} {value}"));
    };
    let datafy = client.build()?;
    let url: Url = datafy.endpoint().parse()?;
    let set = |option: bool, name: &'static str, option_name: &'static str| {
        if option {
            option_name
        } else if env::var_os(name).is_some() {
            name
        } else {
            "the default"
        }
    };
    let source = set(client.endpoint.is_some(), "DATAFY_ENDPOINT", "--endpoint");
    line("endpoint", Tone::Plain, format!("{url}, from {source}"));
    line("token", Tone::Good, token(&client));
    for (name, id) in [("sub-account", datafy.sub_account()), ("account", client.account.as_ref())]
    {
        if let Some(id) = id {
            line(name, Tone::Plain, id.to_string());
        }
    }
    line("journals", Tone::Plain, state.prepare()?.display().to_string());
    let proxy = datafy.proxy();
    line("proxy", Tone::Plain, proxy.clone().unwrap_or_else(|| "none".to_owned()));
    if proxy.is_none()
        && let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default())
    {
        match tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await {
            Ok(addresses) => {
                let mut addresses: Vec<_> = addresses.map(|it| it.ip().to_string()).collect();
                addresses.dedup();
                line("address", Tone::Good, addresses.join(", "));
            }
            Err(error) => line("address", Tone::Bad, format!("{host} is not resolved: {error}")),
        }
    }
    let begun = Instant::now();
    let connected = datafy.connect().await;
    let took = begun.elapsed().as_millis();
    let exit = match connected {
        Ok(()) => {
            let tls = if url.scheme() == "https" { "with TLS" } else { "without TLS" };
            line("connection", Tone::Good, format!("opened {tls} in {took} ms, and closed"));
            Exit::Done
        }
        Err(error) => {
            line("connection", Tone::Bad, format!("{error:#}"));
            printer.error("there is no connection to the service");
            Exit::Failed
        }
    };
    printer.check();
    Ok(exit)
}

/// Where the token is from. It could be read, otherwise there would be no client.
fn token(client: &Client) -> String {
    let from_file = |path: &dyn std::fmt::Display| format!("read from the file {path}");
    if let Some(path) = &client.token_file {
        from_file(&path.display())
    } else if env::var_os("DATAFY_TOKEN").is_some() {
        "from DATAFY_TOKEN".to_owned()
    } else {
        let path = env::var("DATAFY_TOKEN_FILE").unwrap_or_default();
        format!("{}, from DATAFY_TOKEN_FILE", from_file(&path))
    }
}
