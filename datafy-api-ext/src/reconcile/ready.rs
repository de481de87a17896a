//! Whether a volume can be attached.

use super::SOURCE_VOLUME;
use super::ec2::{Ec2Objects, Ec2Volume, value};
use super::query::Query;
use crate::id::VolumeId;
use crate::one_line::OneLine;

/// Why a volume can't be attached yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// EC2 shows no EBS volume of it.
    #[error("EC2 shows no EBS volume of {volume}")]
    NoVolumes {
        /// The Datafy volume.
        volume: VolumeId,
    },
    /// No result of [a query](Query::ebs_volumes) for its EBS volumes was given.
    #[error("no result of a query for the EBS volumes of {volume} was given")]
    NotLookedUp {
        /// The Datafy volume.
        volume: VolumeId,
    },
    /// An EBS volume is in another state.
    #[error("{} is {}", OneLine(volume_id), OneLine(state))]
    State {
        /// The ID of the EBS volume.
        volume_id: String,
        /// Its state.
        state: String,
    },
}

/// Checks that all EBS volumes of a Datafy volume can be attached: for [`ready_when`](crate::Call::ready_when).
///
/// `objects` has the result of [a query](Query::ebs_volumes) for them; others are ignored. There must be one at least,
/// each `available`, or `in-use`: an attach that is repeated finds them so.
///
/// ```no_run
/// use datafy_api_ext::reconcile::{Ec2Objects, Query, volumes_ready};
/// use datafy_api_ext::{DeviceName, InstanceId, Volume, VolumeId};
/// use std::error::Error;
/// use std::time::{Duration, SystemTime};
///
/// async fn check(volume: VolumeId) -> Result<(), Box<dyn Error + Send + Sync>> {
///     let query = Query::ebs_volumes(&volume);
///     let mut found = Ec2Objects::new(SystemTime::now().into());
///     let output = tokio::process::Command::new("aws").args(query.args()).output().await?;
///     found.read(&query, &output.stdout)?;
///     Ok(volumes_ready(&volume, &found)?)
/// }
///
/// # async fn example(volume: Volume, instance: InstanceId, device: DeviceName) -> Result<(), Box<dyn Error>> {
/// volume.attach(instance, device).ready_when(Duration::from_secs(600), check).await?;
/// # Ok(())
/// # }
/// ```
pub fn volumes_ready(volume: &VolumeId, objects: &Ec2Objects) -> Result<(), NotReady> {
    if !objects.has(&Query::ebs_volumes(volume)) {
        return Err(NotReady::NotLookedUp { volume: volume.clone() });
    }
    let own = |it: &&Ec2Volume| value(&it.tags, SOURCE_VOLUME) == Some(volume.as_str());
    let mut own = objects.volumes().iter().filter(own).peekable();
    if own.peek().is_none() {
        return Err(NotReady::NoVolumes { volume: volume.clone() });
    }
    match own.find(|it| !matches!(it.state.as_str(), "available" | "in-use")) {
        None => Ok(()),
        Some(it) => {
            Err(NotReady::State { volume_id: it.volume_id.clone(), state: it.state.clone() })
        }
    }
}
