//! Deactivating the autoscaling of a volume.

use crate::call::Call;
use crate::call::operation::{Operation, Scope, call_span, sealed};
use crate::call::success::{Success, Unusable};
use crate::client::Volume;
use crate::id::VolumeId;
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::DEACTIVATE_AUTOSCALING;
use datafy_api::{Client, Error};
use reqwest::Request;

/// Tells Datafy to stop managing a volume. Made by
/// [`Volume::deactivate_autoscaling`](crate::Volume::deactivate_autoscaling).
#[derive(Clone, Debug)]
pub struct DeactivateAutoscaling {
    volume: VolumeId,
}

impl Volume {
    /// Tells Datafy to stop managing the volume.
    pub fn deactivate_autoscaling(&self) -> Call<DeactivateAutoscaling> {
        Call::new(self.datafy().clone(), DeactivateAutoscaling { volume: self.id().clone() })
    }
}

impl Operation for DeactivateAutoscaling {
    type Answer = ();
}

impl sealed::Operation for DeactivateAutoscaling {
    const FACTS: datafy_api::operation::Operation = DEACTIVATE_AUTOSCALING;
    type Content = ();

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(DEACTIVATE_AUTOSCALING, base, Some(self.volume.as_str()))
    }

    fn request(&self, raw: &Client, scope: Scope<'_>) -> Result<Request, Error> {
        raw.deactivate_autoscaling_request(self.volume.as_str(), scope.sub_account())
    }

    fn decode(&self, success: &Success<'_>) -> Result<(), Unusable> {
        success.is_about(&self.volume)?;
        success.no_content()
    }

    fn volume(&self) -> Option<&VolumeId> {
        Some(&self.volume)
    }
}
