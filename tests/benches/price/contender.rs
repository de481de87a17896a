//! The ways to create a snapshot that the bench compares.

use crate::server::Server;
use chrono::{DateTime, Utc};
use datafy_api::hooks::Hooks;
use datafy_api_ext::{Datafy, SubAccountId, VolumeId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const VOLUME: &str = "vol-0b9176567fe16f0bc";
pub(crate) const ACCOUNT: &str = "1536356a-b26f-4feb-8cd5-56b54b6c51d2";
/// Sent by all contenders, so that their headers are the same.
const USER_AGENT: &str = concat!("datafy-api-ext/", env!("CARGO_PKG_VERSION"));
const TOKEN: &str = "token-0123456789abcdef0123456789abcdef";
/// The name of the contender that the others are compared with.
pub(crate) const BY_HAND: &str = "hand-written reqwest";

#[derive(Serialize)]
struct Request<'a> {
    description: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    datafy_snapshot_id: Option<String>,
    volume_id: Option<String>,
    status: Option<String>,
    start_time: Option<DateTime<Utc>>,
    volume_size_gb: Option<i64>,
    description: Option<String>,
}

impl Snapshot {
    /// Uses every field, as a caller would.
    fn use_fields(&self) {
        assert!(self.datafy_snapshot_id.is_some() && self.volume_id.is_some());
        assert!(self.status.is_some() && self.start_time.is_some());
        assert!(self.volume_size_gb.is_some() && self.description.is_some());
    }
}

/// One way to create a snapshot.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    way: Way,
}

enum Way {
    ByHand(ByHand),
    Raw(datafy_api::Client),
    Ext(Datafy),
}

impl Contender {
    /// All contenders, each with a new client of `server`.
    pub(crate) fn all(server: &Server) -> Vec<Self> {
        let mut all = Vec::new();
        let by_hand = reqwest(server, false);
        let hooks = Hooks::bearer(TOKEN).unwrap();
        // A second client: a shared one would share its open connections.
        let client = reqwest(server, false).client;
        let raw = datafy_api::Client::new(server.url().parse().unwrap(), client, hooks);
        all.push(Self { name: BY_HAND, way: Way::ByHand(by_hand) });
        all.push(Self { name: "datafy-api", way: Way::Raw(raw) });
        all.push(Self { name: "datafy-api-ext", way: Way::Ext(datafy(server, false)) });
        let by_hand = Way::ByHand(reqwest(server, true));
        all.push(Self { name: "hand-written reqwest, fresh connections", way: by_hand });
        let ext = Way::Ext(datafy(server, true));
        all.push(Self { name: "datafy-api-ext, fresh connections (default)", way: ext });
        all
    }

    /// Creates a snapshot, with a token, a sub-account and a description, and reads the answer.
    pub(crate) async fn call(&self) {
        match &self.way {
            Way::ByHand(by_hand) => by_hand.snapshot(VOLUME).await,
            Way::Raw(client) => {
                let body = datafy_api::types::CreateSnapshotRequest {
                    description: Some("nightly".to_owned()),
                    ..Default::default()
                };
                let answer = client.create_snapshot(VOLUME, Some(ACCOUNT), &body).await.unwrap();
                assert!(answer.datafy_snapshot_id.is_some() && answer.start_time.is_some());
            }
            Way::Ext(datafy) => {
                let volume = datafy.volume(VolumeId::new(VOLUME).unwrap());
                let answer = volume.create_snapshot().description("nightly").await.unwrap();
                assert!(answer.start_time.is_some());
            }
        }
    }
}

/// Careful hand-written code around reqwest.
pub(crate) struct ByHand {
    client: reqwest::Client,
    url: String,
}

impl ByHand {
    async fn snapshot(&self, volume: &str) {
        let answer = self
            .client
            .post(format!("{}/api/v1/volumes/{volume}/create-snapshot", self.url))
            .bearer_auth(TOKEN)
            .header("x-datafy-sub-account-id", ACCOUNT)
            .json(&Request { description: "nightly" })
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        answer.json::<Snapshot>().await.unwrap().use_fields();
    }

    /// Creates a snapshot of an owned volume ID.
    pub(crate) async fn snapshot_of(&self, volume: VolumeId) {
        self.snapshot(volume.as_str()).await;
    }
}

/// The settings that make hand-written reqwest as safe as possible: timeouts, no redirects, and no automatic
/// retries.
pub(crate) fn careful(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        .user_agent(USER_AGENT)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(60))
}

pub(crate) fn reqwest(server: &Server, fresh_connections: bool) -> ByHand {
    let mut builder = careful(reqwest::Client::builder()).no_proxy();
    if fresh_connections {
        builder = builder.pool_max_idle_per_host(0);
    }
    if let Some(authority) = &server.authority {
        let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
        builder = builder.tls_certs_merge([authority]);
    }
    ByHand { client: builder.build().unwrap(), url: server.url() }
}

pub(crate) fn datafy(server: &Server, fresh_connections: bool) -> Datafy {
    let account = SubAccountId::new(ACCOUNT).unwrap();
    let mut builder =
        Datafy::builder().endpoint(server.url()).token(TOKEN).sub_account(account).retry_budget(0);
    builder = builder.fresh_connections(fresh_connections);
    if let Some(authority) = &server.authority {
        let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
        builder = builder.configure_reqwest(move |http| http.tls_certs_merge([authority.clone()]));
    }
    builder.build().unwrap()
}
