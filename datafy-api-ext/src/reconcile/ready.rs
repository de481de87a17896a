//! Whether a volume can be attached.

use super::ec2_objects::Ec2Objects;
use super::query::Query;
use super::target::PARTS;
use crate::id::VolumeId;
use crate::one_line::OneLine;

/// Checks that all EBS volumes of a Datafy volume can be attached: for [`ready_when`](crate::Call::ready_when).
///
/// `objects` has the result of [a query](Query::ebs_volumes) for them; others are ignored. There must be one at least,
/// each `available`, or `in-use`: an attach that is repeated finds them so. Otherwise fails with the reason.
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
pub fn volumes_ready(volume: &VolumeId, objects: &Ec2Objects) -> Result<(), String> {
    let query = Query::ebs_volumes(volume);
    if !objects.has_all(&query) {
        return Err(format!("no result of a query for the EBS volumes of {volume} was given"));
    }
    let volumes = objects.of(PARTS, volume.as_str());
    if volumes.is_empty() {
        return Err(format!("EC2 shows no EBS volume of {volume}"));
    }
    match volumes.iter().find(|it| !matches!(it.state.as_str(), "available" | "in-use")) {
        None => Ok(()),
        Some(it) => Err(format!("{} is {}", OneLine(&it.id), OneLine(&it.state))),
    }
}
