//! Deactivate the autoscaling of a volume: `POST /api/v1/volumes/{volumeId}/deactivate-autoscaling`.

use crate::call::operation::{Operation, call_span};
use crate::call::success::Unusable;
use crate::call::{Call, Content};
use crate::client::Volume;
use crate::id::VolumeId;
use crate::subject::Subject;
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::DEACTIVATE_AUTOSCALING;
use datafy_api::{Client, Error};
use reqwest::Request;

/// Stops Datafy from managing a volume. Created by
/// [`Volume::deactivate_autoscaling`](crate::Volume::deactivate_autoscaling).
#[derive(Clone, Debug)]
pub struct DeactivateAutoscaling {
    volume: VolumeId,
}

impl Volume {
    /// Stops Datafy from managing the volume.
    ///
    /// Idempotent: the call is also retried if an attempt may have been applied.
    pub fn deactivate_autoscaling(&self) -> Call<DeactivateAutoscaling> {
        Call::new(self.datafy().clone(), DeactivateAutoscaling { volume: self.id().clone() })
    }
}

impl Operation for DeactivateAutoscaling {
    type Answer = ();
    const FACTS: datafy_api::operation::Operation = DEACTIVATE_AUTOSCALING;

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(DEACTIVATE_AUTOSCALING, base, Some(self.volume.as_str()))
    }

    fn request(&self, raw: &Client, sub_account: Option<&str>) -> Result<Request, Error> {
        raw.deactivate_autoscaling_request(self.volume.as_str(), sub_account)
    }

    fn decode(&self, content: &Content<'_>) -> Result<(), Unusable> {
        content.expect_volume(&self.volume)?;
        content.expect_no_snapshot()?;
        content.no_content()
    }

    fn subject(&self) -> Subject {
        Subject { volume: Some(self.volume.clone()), ..Subject::default() }
    }

    fn object(&self) -> String {
        format!("autoscaling deactivation of {}", self.volume)
    }
}
