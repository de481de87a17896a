//! Attach a volume to an instance: `POST /api/v1/volumes/{volumeId}/attach`.

use crate::call::Call;
use crate::call::operation::{Operation, Scope, call_span, sealed};
use crate::call::success::{Success, Unusable};
use crate::client::Volume;
use crate::id::{DeviceName, InstanceId, VolumeId};
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::ATTACH_VOLUME;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;

/// Attaches an unattached autoscaling volume to an instance. Created by [`Volume::attach`](crate::Volume::attach).
#[derive(Clone, Debug)]
pub struct AttachVolume {
    volume: VolumeId,
    body: types::AttachVolumeRequest,
}

impl Volume {
    /// Attaches the volume to an instance. It must be an unattached autoscaling volume.
    ///
    /// Idempotent: the call is also retried if an attempt may have been applied.
    pub fn attach(&self, instance: InstanceId, device: DeviceName) -> Call<AttachVolume> {
        Call::new(self.datafy().clone(), AttachVolume::new(self.id().clone(), instance, device))
    }
}

impl AttachVolume {
    pub(crate) fn new(volume: VolumeId, instance: InstanceId, device: DeviceName) -> Self {
        let body =
            types::AttachVolumeRequest { instance_id: instance.into(), device_name: device.into() };
        Self { volume, body }
    }
}

impl Operation for AttachVolume {
    type Answer = ();
}

impl sealed::Operation for AttachVolume {
    const FACTS: datafy_api::operation::Operation = ATTACH_VOLUME;
    type Content = ();

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(ATTACH_VOLUME, base, Some(self.volume.as_str()))
    }

    fn request(&self, raw: &Client, scope: Scope<'_>) -> Result<Request, Error> {
        raw.attach_volume_request(self.volume.as_str(), scope.sub_account(), &self.body)
    }

    fn decode(&self, success: &Success<'_>) -> Result<(), Unusable> {
        success.expect_volume(&self.volume)?;
        success.no_content()
    }
}
