//! What the EBS volumes of a Datafy volume are attached to.

use super::SOURCE_VOLUME;
use super::ec2::{Ec2Volume, value};
use super::finding::AttachVerdict;
use std::collections::HashMap;

/// The EBS volumes of each of these Datafy volumes. Of a volume that was read twice, the last state counts.
pub(super) fn by_datafy_volume<'a>(
    wanted: impl Iterator<Item = &'a str>,
    volumes: &'a [Ec2Volume],
) -> HashMap<&'a str, HashMap<&'a str, &'a Ec2Volume>> {
    let mut found: HashMap<_, HashMap<_, _>> = wanted.map(|id| (id, HashMap::new())).collect();
    for volume in volumes {
        if let Some(own) = value(&volume.tags, SOURCE_VOLUME).and_then(|id| found.get_mut(id)) {
            own.insert(volume.volume_id.as_str(), volume);
        }
    }
    found
}

/// Where these EBS volumes of one Datafy volume are attached, seen from `instance`.
pub(super) fn verdict<'a>(
    instance: &str,
    volumes: impl Iterator<Item = &'a Ec2Volume>,
) -> AttachVerdict {
    let (mut of, mut attached, mut begun) = (0, 0, false);
    let mut elsewhere: Option<(&str, Option<&String>)> = None;
    let gone = |it: &&Ec2Volume| matches!(it.state.as_deref(), Some("deleting" | "deleted"));
    for volume in volumes.filter(|it| !gone(it)) {
        of += 1;
        let (mut is_attached, mut is_begun) = (false, false);
        for attachment in &volume.attachments {
            let (Some(on), Some(state)) = (&attachment.instance_id, &attachment.state) else {
                continue;
            };
            if state == "detached" {
                continue;
            }
            if on == instance {
                is_attached |= state == "attached";
                is_begun = true;
            } else {
                // The lowest, so that the verdict doesn't depend on the order of the volumes.
                let other = (on.as_str(), attachment.device.as_ref());
                elsewhere = Some(elsewhere.map_or(other, |known| known.min(other)));
            }
        }
        attached += usize::from(is_attached);
        begun |= is_begun;
    }
    match elsewhere {
        _ if of == 0 => AttachVerdict::NoVolumes,
        _ if attached == of => AttachVerdict::Attached,
        _ if begun => AttachVerdict::Partly { attached, of },
        Some((instance, device)) => AttachVerdict::AttachedElsewhere {
            instance: instance.to_owned(),
            device: device.cloned(),
        },
        None => AttachVerdict::NotAttached,
    }
}
