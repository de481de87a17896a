//! Attach a volume to an instance: `POST /api/v1/volumes/{volumeId}/attach`.

use crate::call::operation::{Operation, call_span};
use crate::call::success::Unusable;
use crate::call::{Call, Content};
use crate::client::Volume;
use crate::id::{DeviceName, InstanceId, VolumeId};
use crate::subject::Subject;
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::ATTACH_VOLUME;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;

/// Attaches an unattached autoscaling volume to an instance. Created by [`Volume::attach`](crate::Volume::attach).
#[derive(Clone, Debug)]
pub struct AttachVolume {
    pub(crate) volume: VolumeId,
    pub(crate) instance: InstanceId,
    pub(crate) device: DeviceName,
}

impl Volume {
    /// Attaches the volume to an instance. It must be an unattached autoscaling volume.
    ///
    /// Idempotent: the call is also retried if an attempt may have been applied.
    pub fn attach(&self, instance: InstanceId, device: DeviceName) -> Call<AttachVolume> {
        let volume = self.id().clone();
        Call::new(self.datafy().clone(), AttachVolume { volume, instance, device })
    }
}

impl Operation for AttachVolume {
    type Answer = ();
    const FACTS: datafy_api::operation::Operation = ATTACH_VOLUME;

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(ATTACH_VOLUME, base, Some(self.volume.as_str()))
    }

    fn request(&self, raw: &Client, sub_account: Option<&str>) -> Result<Request, Error> {
        let body = types::AttachVolumeRequest {
            instance_id: self.instance.clone().into(),
            device_name: self.device.clone().into(),
        };
        raw.attach_volume_request(self.volume.as_str(), sub_account, &body)
    }

    fn decode(&self, content: &Content<'_>) -> Result<(), Unusable> {
        content.expect_volume(&self.volume)?;
        content.expect_no_snapshot()?;
        content.no_content()
    }

    fn subject(&self) -> Subject {
        Subject {
            volume: Some(self.volume.clone()),
            instance: Some(self.instance.clone()),
            device: Some(self.device.clone()),
            ..Subject::default()
        }
    }

    fn object(&self) -> String {
        format!("attach of {} to {} as {}", self.volume, self.instance, self.device)
    }
}
