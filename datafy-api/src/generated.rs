// Generated from openapi.yaml by `cargo xtask generate`. Do not edit.

#[allow(unused_imports)]
pub use progenitor_client::{ByteStream, ClientInfo, Error, ResponseValue};
#[allow(unused_imports)]
use progenitor_client::{encode_path, ClientHooks, OperationInfo, RequestBuilderExt};
/// Types used as operation parameters and responses.
#[allow(clippy::all)]
pub mod types {
    ///`AttachVolumeRequest`
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
    pub struct AttachVolumeRequest {
        ///The name under which the instance sees the volume.
        #[serde(rename = "deviceName")]
        pub device_name: ::std::string::String,
        ///The instance that the volume is attached to.
        #[serde(rename = "instanceId")]
        pub instance_id: ::std::string::String,
    }
    ///`CreateSnapshotRequest`
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
    pub struct CreateSnapshotRequest {
        ///Whether the snapshot is made only if Datafy manages the volume.
        #[serde(
            rename = "autoscalingOnly",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub autoscaling_only: ::std::option::Option<bool>,
        ///A text kept with the new snapshot.
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub description: ::std::option::Option<::std::string::String>,
    }
    ///`CreateVolumeRequest`
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
    pub struct CreateVolumeRequest {
        pub source: VolumeSource,
    }
    ///A snapshot that Datafy made.
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
    pub struct DatafySnapshotSource {
        ///The id of the snapshot in Datafy.
        #[serde(rename = "datafySnapshotId")]
        pub datafy_snapshot_id: ::std::string::String,
    }
    ///The alternative whose fields the page does not show.
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
    #[serde(transparent)]
    pub struct OtherSource(
        pub ::serde_json::Map<::std::string::String, ::serde_json::Value>,
    );
    impl ::std::ops::Deref for OtherSource {
        type Target = ::serde_json::Map<::std::string::String, ::serde_json::Value>;
        fn deref(
            &self,
        ) -> &::serde_json::Map<::std::string::String, ::serde_json::Value> {
            &self.0
        }
    }
    impl ::std::convert::From<OtherSource>
    for ::serde_json::Map<::std::string::String, ::serde_json::Value> {
        fn from(value: OtherSource) -> Self {
            value.0
        }
    }
    impl ::std::convert::From<
        ::serde_json::Map<::std::string::String, ::serde_json::Value>,
    > for OtherSource {
        fn from(
            value: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        ) -> Self {
            Self(value)
        }
    }
    ///The snapshot that was asked for.
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
    pub struct Snapshot {
        ///The id of the snapshot in Datafy.
        #[serde(
            rename = "datafySnapshotId",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub datafy_snapshot_id: ::std::option::Option<::std::string::String>,
        ///The text kept with the snapshot.
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub description: ::std::option::Option<::std::string::String>,
        ///When the snapshot was started.
        #[serde(
            rename = "startTime",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub start_time: ::std::option::Option<::chrono::DateTime<::chrono::offset::Utc>>,
        ///How far the snapshot is.
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub status: ::std::option::Option<::std::string::String>,
        ///The volume that the snapshot was taken of.
        #[serde(
            rename = "volumeId",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub volume_id: ::std::option::Option<::std::string::String>,
        ///The original size of the source volume.
        #[serde(
            rename = "volumeSizeGb",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub volume_size_gb: ::std::option::Option<i64>,
    }
    ///The volume that was created.
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
    pub struct Volume {
        ///The id of the new volume.
        #[serde(
            rename = "volumeId",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub volume_id: ::std::option::Option<::std::string::String>,
        ///The size of the new volume.
        #[serde(
            rename = "volumeSizeGB",
            skip_serializing_if = "::std::option::Option::is_none"
        )]
        pub volume_size_gb: ::std::option::Option<i64>,
    }
    ///What the volume is created from.
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
    #[serde(untagged)]
    pub enum VolumeSource {
        DatafySnapshotSource(DatafySnapshotSource),
        OtherSource(OtherSource),
    }
    impl ::std::convert::From<DatafySnapshotSource> for VolumeSource {
        fn from(value: DatafySnapshotSource) -> Self {
            Self::DatafySnapshotSource(value)
        }
    }
    impl ::std::convert::From<OtherSource> for VolumeSource {
        fn from(value: OtherSource) -> Self {
            Self::OtherSource(value)
        }
    }
    /// Error types.
    pub mod error {
        /// Error from a `TryFrom` or `FromStr` implementation.
        pub struct ConversionError(::std::borrow::Cow<'static, str>);
        impl ::std::error::Error for ConversionError {}
        impl ::std::fmt::Display for ConversionError {
            fn fmt(
                &self,
                f: &mut ::std::fmt::Formatter<'_>,
            ) -> Result<(), ::std::fmt::Error> {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }
        impl ::std::fmt::Debug for ConversionError {
            fn fmt(
                &self,
                f: &mut ::std::fmt::Formatter<'_>,
            ) -> Result<(), ::std::fmt::Error> {
                ::std::fmt::Debug::fmt(&self.0, f)
            }
        }
        impl From<&'static str> for ConversionError {
            fn from(value: &'static str) -> Self {
                Self(value.into())
            }
        }
        impl From<String> for ConversionError {
            fn from(value: String) -> Self {
                Self(value.into())
            }
        }
    }
}
#[derive(Clone, Debug)]
/**Client for Datafy API

Autoscaling EBS volumes, managed by Datafy.

Version: 1.0.0*/
pub struct Client {
    pub(crate) baseurl: String,
    pub(crate) client: reqwest::Client,
    pub(crate) inner: crate::hooks::Hooks,
}
impl ClientInfo<crate::hooks::Hooks> for Client {
    fn api_version() -> &'static str {
        "1.0.0"
    }
    fn baseurl(&self) -> &str {
        self.baseurl.as_str()
    }
    fn client(&self) -> &reqwest::Client {
        &self.client
    }
    fn inner(&self) -> &crate::hooks::Hooks {
        &self.inner
    }
}
impl ClientHooks<crate::hooks::Hooks> for &Client {}
/// Items consumers will typically use such as the Client.
pub mod prelude {
    #[allow(unused_imports)]
    pub use super::Client;
}
impl Client {
    ///Builds the request that [`create_volume_from_snapshots`](Self::create_volume_from_snapshots) sends, with the token in its headers.
    pub fn create_volume_from_snapshots_request<'a>(
        &'a self,
        x_datafy_sub_account_id: Option<&'a str>,
        body: &'a types::CreateVolumeRequest,
    ) -> Result<reqwest::Request, Error<()>> {
        crate::request::Builder::new(self, &operations::CREATE_VOLUME_FROM_SNAPSHOTS)
            .header("accept", Some("application/json"))
            .header("x-datafy-sub-account-id", x_datafy_sub_account_id)
            .json(Some(body))?
            .build()
    }
    /**Create an autoscaling volume from Datafy snapshots

Sends `POST /api/v1/volumes/create-from-snapshots`.

- `x_datafy_sub_account_id`: The sub-account in whose context the call is made.*/
    pub async fn create_volume_from_snapshots<'a>(
        &'a self,
        x_datafy_sub_account_id: Option<&'a str>,
        body: &'a types::CreateVolumeRequest,
    ) -> Result<ResponseValue<types::Volume>, Error<()>> {
        let request = self
            .create_volume_from_snapshots_request(x_datafy_sub_account_id, body)?;
        let response = self.inner.send(&self.client, request).await?;
        match response.status().as_u16() {
            200u16 => ResponseValue::from_response(response).await,
            _ => Err(Error::UnexpectedResponse(response)),
        }
    }
    ///Builds the request that [`attach_volume`](Self::attach_volume) sends, with the token in its headers.
    pub fn attach_volume_request<'a>(
        &'a self,
        volume_id: &'a str,
        x_datafy_sub_account_id: Option<&'a str>,
        body: &'a types::AttachVolumeRequest,
    ) -> Result<reqwest::Request, Error<()>> {
        crate::request::Builder::new(self, &operations::ATTACH_VOLUME)
            .path("volumeId", Some(volume_id))
            .header("x-datafy-sub-account-id", x_datafy_sub_account_id)
            .json(Some(body))?
            .build()
    }
    /**Attach an autoscaling volume to an instance

Sends `POST /api/v1/volumes/{volumeId}/attach`.

- `volume_id`: The volume ID.

- `x_datafy_sub_account_id`: The sub-account in whose context the call is made.*/
    pub async fn attach_volume<'a>(
        &'a self,
        volume_id: &'a str,
        x_datafy_sub_account_id: Option<&'a str>,
        body: &'a types::AttachVolumeRequest,
    ) -> Result<ResponseValue<()>, Error<()>> {
        let request = self
            .attach_volume_request(volume_id, x_datafy_sub_account_id, body)?;
        let response = self.inner.send(&self.client, request).await?;
        match response.status().as_u16() {
            200u16 => Ok(ResponseValue::empty(response)),
            _ => Err(Error::UnexpectedResponse(response)),
        }
    }
    ///Builds the request that [`create_snapshot`](Self::create_snapshot) sends, with the token in its headers.
    pub fn create_snapshot_request<'a>(
        &'a self,
        volume_id: &'a str,
        x_datafy_sub_account_id: Option<&'a str>,
        body: &'a types::CreateSnapshotRequest,
    ) -> Result<reqwest::Request, Error<()>> {
        crate::request::Builder::new(self, &operations::CREATE_SNAPSHOT)
            .header("accept", Some("application/json"))
            .path("volumeId", Some(volume_id))
            .header("x-datafy-sub-account-id", x_datafy_sub_account_id)
            .json(Some(body))?
            .build()
    }
    /**Create a snapshot of a volume

Sends `POST /api/v1/volumes/{volumeId}/create-snapshot`.

- `volume_id`: The volume ID.

- `x_datafy_sub_account_id`: The sub-account in whose context the call is made.*/
    pub async fn create_snapshot<'a>(
        &'a self,
        volume_id: &'a str,
        x_datafy_sub_account_id: Option<&'a str>,
        body: &'a types::CreateSnapshotRequest,
    ) -> Result<ResponseValue<types::Snapshot>, Error<()>> {
        let request = self
            .create_snapshot_request(volume_id, x_datafy_sub_account_id, body)?;
        let response = self.inner.send(&self.client, request).await?;
        match response.status().as_u16() {
            200u16 => ResponseValue::from_response(response).await,
            _ => Err(Error::UnexpectedResponse(response)),
        }
    }
    ///Builds the request that [`deactivate_autoscaling`](Self::deactivate_autoscaling) sends, with the token in its headers.
    pub fn deactivate_autoscaling_request<'a>(
        &'a self,
        volume_id: &'a str,
        x_datafy_sub_account_id: Option<&'a str>,
    ) -> Result<reqwest::Request, Error<()>> {
        crate::request::Builder::new(self, &operations::DEACTIVATE_AUTOSCALING)
            .path("volumeId", Some(volume_id))
            .header("x-datafy-sub-account-id", x_datafy_sub_account_id)
            .build()
    }
    /**Deactivate the autoscaling of a volume

Sends `POST /api/v1/volumes/{volumeId}/deactivate-autoscaling`.

- `volume_id`: The volume ID.

- `x_datafy_sub_account_id`: The sub-account in whose context the call is made.*/
    pub async fn deactivate_autoscaling<'a>(
        &'a self,
        volume_id: &'a str,
        x_datafy_sub_account_id: Option<&'a str>,
    ) -> Result<ResponseValue<()>, Error<()>> {
        let request = self
            .deactivate_autoscaling_request(volume_id, x_datafy_sub_account_id)?;
        let response = self.inner.send(&self.client, request).await?;
        match response.status().as_u16() {
            200u16 => Ok(ResponseValue::empty(response)),
            _ => Err(Error::UnexpectedResponse(response)),
        }
    }
}
/// The JSON Schema of each of the [`types`], by its name.
#[cfg(feature = "schemars")]
pub fn json_schemas() -> [(&'static str, schemars::Schema); 8usize] {
    [
        ("AttachVolumeRequest", schemars::schema_for!(types::AttachVolumeRequest)),
        ("CreateSnapshotRequest", schemars::schema_for!(types::CreateSnapshotRequest)),
        ("CreateVolumeRequest", schemars::schema_for!(types::CreateVolumeRequest)),
        ("DatafySnapshotSource", schemars::schema_for!(types::DatafySnapshotSource)),
        ("OtherSource", schemars::schema_for!(types::OtherSource)),
        ("Snapshot", schemars::schema_for!(types::Snapshot)),
        ("Volume", schemars::schema_for!(types::Volume)),
        ("VolumeSource", schemars::schema_for!(types::VolumeSource)),
    ]
}
/// The URL of the service: the first of the spec's servers.
pub const SERVER_URL: &str = "https://api.datafy.io";
/// The operations of the API as data.
pub mod operations {
    use crate::operation::Operation;
    ///`POST /api/v1/volumes/create-from-snapshots`
    pub const CREATE_VOLUME_FROM_SNAPSHOTS: Operation = Operation {
        name: "create_volume_from_snapshots",
        method: "POST",
        path: "/api/v1/volumes/create-from-snapshots",
        idempotent: false,
        query: &[],
        headers: &["x-datafy-sub-account-id"],
        body: &["source"],
    };
    ///`POST /api/v1/volumes/{volumeId}/attach`
    pub const ATTACH_VOLUME: Operation = Operation {
        name: "attach_volume",
        method: "POST",
        path: "/api/v1/volumes/{volumeId}/attach",
        idempotent: true,
        query: &[],
        headers: &["x-datafy-sub-account-id"],
        body: &["deviceName", "instanceId"],
    };
    ///`POST /api/v1/volumes/{volumeId}/create-snapshot`
    pub const CREATE_SNAPSHOT: Operation = Operation {
        name: "create_snapshot",
        method: "POST",
        path: "/api/v1/volumes/{volumeId}/create-snapshot",
        idempotent: false,
        query: &[],
        headers: &["x-datafy-sub-account-id"],
        body: &["autoscalingOnly", "description"],
    };
    ///`POST /api/v1/volumes/{volumeId}/deactivate-autoscaling`
    pub const DEACTIVATE_AUTOSCALING: Operation = Operation {
        name: "deactivate_autoscaling",
        method: "POST",
        path: "/api/v1/volumes/{volumeId}/deactivate-autoscaling",
        idempotent: true,
        query: &[],
        headers: &["x-datafy-sub-account-id"],
        body: &[],
    };
    /// All operations.
    pub const ALL: &[Operation] = &[
        CREATE_VOLUME_FROM_SNAPSHOTS,
        ATTACH_VOLUME,
        CREATE_SNAPSHOT,
        DEACTIVATE_AUTOSCALING,
    ];
}
/// Typed mocks of the service, one for each operation.
#[cfg(feature = "httpmock")]
pub mod mocks {
    pub mod operations {
        //! [`When`](::httpmock::When) and [`Then`](::httpmock::Then)
        //! wrappers for each operation. Each can be converted to
        //! its inner type with a call to `into_inner()`. This can
        //! be used to explicitly deviate from permitted values.
        use crate::generated::*;
        pub struct CreateVolumeFromSnapshotsWhen(::httpmock::When);
        impl CreateVolumeFromSnapshotsWhen {
            pub fn new(inner: ::httpmock::When) -> Self {
                Self(
                    inner
                        .method(::httpmock::Method::POST)
                        .path_matches(
                            regex::Regex::new("^/api/v1/volumes/create-from-snapshots$")
                                .unwrap(),
                        ),
                )
            }
            pub fn into_inner(self) -> ::httpmock::When {
                self.0
            }
            pub fn x_datafy_sub_account_id<'a, T>(self, value: T) -> Self
            where
                T: Into<Option<&'a str>>,
            {
                if let Some(value) = value.into() {
                    Self(self.0.header("X-Datafy-Sub-Account-Id", value.to_string()))
                } else {
                    Self(self.0.header_missing("X-Datafy-Sub-Account-Id"))
                }
            }
            pub fn body(self, value: &types::CreateVolumeRequest) -> Self {
                Self(self.0.json_body_obj(value))
            }
        }
        pub struct CreateVolumeFromSnapshotsThen(::httpmock::Then);
        impl CreateVolumeFromSnapshotsThen {
            pub fn new(inner: ::httpmock::Then) -> Self {
                Self(inner)
            }
            pub fn into_inner(self) -> ::httpmock::Then {
                self.0
            }
            pub fn ok(self, value: &types::Volume) -> Self {
                Self(
                    self
                        .0
                        .status(200u16)
                        .header("content-type", "application/json")
                        .json_body_obj(value),
                )
            }
        }
        pub struct AttachVolumeWhen(::httpmock::When);
        impl AttachVolumeWhen {
            pub fn new(inner: ::httpmock::When) -> Self {
                Self(
                    inner
                        .method(::httpmock::Method::POST)
                        .path_matches(
                            regex::Regex::new("^/api/v1/volumes/[^/]*/attach$").unwrap(),
                        ),
                )
            }
            pub fn into_inner(self) -> ::httpmock::When {
                self.0
            }
            pub fn volume_id(self, value: &str) -> Self {
                let re = regex::Regex::new(
                        &format!("^/api/v1/volumes/{}/attach$", value.to_string()),
                    )
                    .unwrap();
                Self(self.0.path_matches(re))
            }
            pub fn x_datafy_sub_account_id<'a, T>(self, value: T) -> Self
            where
                T: Into<Option<&'a str>>,
            {
                if let Some(value) = value.into() {
                    Self(self.0.header("X-Datafy-Sub-Account-Id", value.to_string()))
                } else {
                    Self(self.0.header_missing("X-Datafy-Sub-Account-Id"))
                }
            }
            pub fn body(self, value: &types::AttachVolumeRequest) -> Self {
                Self(self.0.json_body_obj(value))
            }
        }
        pub struct AttachVolumeThen(::httpmock::Then);
        impl AttachVolumeThen {
            pub fn new(inner: ::httpmock::Then) -> Self {
                Self(inner)
            }
            pub fn into_inner(self) -> ::httpmock::Then {
                self.0
            }
            pub fn ok(self) -> Self {
                Self(self.0.status(200u16))
            }
        }
        pub struct CreateSnapshotWhen(::httpmock::When);
        impl CreateSnapshotWhen {
            pub fn new(inner: ::httpmock::When) -> Self {
                Self(
                    inner
                        .method(::httpmock::Method::POST)
                        .path_matches(
                            regex::Regex::new("^/api/v1/volumes/[^/]*/create-snapshot$")
                                .unwrap(),
                        ),
                )
            }
            pub fn into_inner(self) -> ::httpmock::When {
                self.0
            }
            pub fn volume_id(self, value: &str) -> Self {
                let re = regex::Regex::new(
                        &format!(
                            "^/api/v1/volumes/{}/create-snapshot$", value.to_string()
                        ),
                    )
                    .unwrap();
                Self(self.0.path_matches(re))
            }
            pub fn x_datafy_sub_account_id<'a, T>(self, value: T) -> Self
            where
                T: Into<Option<&'a str>>,
            {
                if let Some(value) = value.into() {
                    Self(self.0.header("X-Datafy-Sub-Account-Id", value.to_string()))
                } else {
                    Self(self.0.header_missing("X-Datafy-Sub-Account-Id"))
                }
            }
            pub fn body(self, value: &types::CreateSnapshotRequest) -> Self {
                Self(self.0.json_body_obj(value))
            }
        }
        pub struct CreateSnapshotThen(::httpmock::Then);
        impl CreateSnapshotThen {
            pub fn new(inner: ::httpmock::Then) -> Self {
                Self(inner)
            }
            pub fn into_inner(self) -> ::httpmock::Then {
                self.0
            }
            pub fn ok(self, value: &types::Snapshot) -> Self {
                Self(
                    self
                        .0
                        .status(200u16)
                        .header("content-type", "application/json")
                        .json_body_obj(value),
                )
            }
        }
        pub struct DeactivateAutoscalingWhen(::httpmock::When);
        impl DeactivateAutoscalingWhen {
            pub fn new(inner: ::httpmock::When) -> Self {
                Self(
                    inner
                        .method(::httpmock::Method::POST)
                        .path_matches(
                            regex::Regex::new(
                                    "^/api/v1/volumes/[^/]*/deactivate-autoscaling$",
                                )
                                .unwrap(),
                        ),
                )
            }
            pub fn into_inner(self) -> ::httpmock::When {
                self.0
            }
            pub fn volume_id(self, value: &str) -> Self {
                let re = regex::Regex::new(
                        &format!(
                            "^/api/v1/volumes/{}/deactivate-autoscaling$", value
                            .to_string()
                        ),
                    )
                    .unwrap();
                Self(self.0.path_matches(re))
            }
            pub fn x_datafy_sub_account_id<'a, T>(self, value: T) -> Self
            where
                T: Into<Option<&'a str>>,
            {
                if let Some(value) = value.into() {
                    Self(self.0.header("X-Datafy-Sub-Account-Id", value.to_string()))
                } else {
                    Self(self.0.header_missing("X-Datafy-Sub-Account-Id"))
                }
            }
        }
        pub struct DeactivateAutoscalingThen(::httpmock::Then);
        impl DeactivateAutoscalingThen {
            pub fn new(inner: ::httpmock::Then) -> Self {
                Self(inner)
            }
            pub fn into_inner(self) -> ::httpmock::Then {
                self.0
            }
            pub fn ok(self) -> Self {
                Self(self.0.status(200u16))
            }
        }
    }
    /// An extension trait for [`MockServer`](::httpmock::MockServer) that
    /// adds a method for each operation. These are the equivalent of
    /// type-checked [`mock()`](::httpmock::MockServer::mock) calls.
    pub trait MockServerExt {
        fn create_volume_from_snapshots<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(
                operations::CreateVolumeFromSnapshotsWhen,
                operations::CreateVolumeFromSnapshotsThen,
            );
        fn attach_volume<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(operations::AttachVolumeWhen, operations::AttachVolumeThen);
        fn create_snapshot<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(operations::CreateSnapshotWhen, operations::CreateSnapshotThen);
        fn deactivate_autoscaling<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(
                operations::DeactivateAutoscalingWhen,
                operations::DeactivateAutoscalingThen,
            );
    }
    impl MockServerExt for ::httpmock::MockServer {
        fn create_volume_from_snapshots<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(
                operations::CreateVolumeFromSnapshotsWhen,
                operations::CreateVolumeFromSnapshotsThen,
            ),
        {
            self.mock(|when, then| {
                config_fn(
                    operations::CreateVolumeFromSnapshotsWhen::new(when),
                    operations::CreateVolumeFromSnapshotsThen::new(then),
                )
            })
        }
        fn attach_volume<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(operations::AttachVolumeWhen, operations::AttachVolumeThen),
        {
            self.mock(|when, then| {
                config_fn(
                    operations::AttachVolumeWhen::new(when),
                    operations::AttachVolumeThen::new(then),
                )
            })
        }
        fn create_snapshot<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(operations::CreateSnapshotWhen, operations::CreateSnapshotThen),
        {
            self.mock(|when, then| {
                config_fn(
                    operations::CreateSnapshotWhen::new(when),
                    operations::CreateSnapshotThen::new(then),
                )
            })
        }
        fn deactivate_autoscaling<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
        where
            F: FnOnce(
                operations::DeactivateAutoscalingWhen,
                operations::DeactivateAutoscalingThen,
            ),
        {
            self.mock(|when, then| {
                config_fn(
                    operations::DeactivateAutoscalingWhen::new(when),
                    operations::DeactivateAutoscalingThen::new(then),
                )
            })
        }
    }
}
#[doc(hidden)]
#[macro_export]
macro_rules! expect_fitting_spec {
    () => {};
}
