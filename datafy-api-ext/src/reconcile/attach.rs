//! What the EBS volumes of a Datafy volume are attached to.

use super::SOURCE_VOLUME;
use super::ec2::{Ec2Volume, value};
use super::finding::Finding;
use super::sent_call::SentCall;
use super::settings::{Settings, later};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The EBS volumes of a Datafy volume, by their IDs.
pub(super) type EbsVolumes<'a> = HashMap<&'a str, &'a Ec2Volume>;

/// The EBS volumes of each of these Datafy volumes. Of a volume that was read twice, the last state counts.
pub(super) fn by_datafy_volume<'a>(
    wanted: impl Iterator<Item = &'a str>,
    volumes: &'a [Ec2Volume],
) -> HashMap<&'a str, EbsVolumes<'a>> {
    let mut found: HashMap<_, HashMap<_, _>> = wanted.map(|id| (id, HashMap::new())).collect();
    for volume in volumes {
        if let Some(own) = value(&volume.tags, SOURCE_VOLUME).and_then(|id| found.get_mut(id)) {
            own.insert(volume.volume_id.as_str(), volume);
        }
    }
    found
}

/// What is known about an attach to `instance`, from the EBS volumes of its volume at the time `fetched`.
pub(super) fn finding(
    call: &SentCall,
    instance: &str,
    volumes: &EbsVolumes<'_>,
    fetched: DateTime<Utc>,
    settings: &Settings,
) -> Finding {
    let finding = state(instance, volumes.values().copied());
    let (_, window_end) = settings.window(call.begun, call.ended);
    let look_again_after = match finding {
        // What is attached may have been detached again before the call.
        Finding::Attached => {
            later(call.begun, settings.clock_skew).max(all_shown(call, volumes, settings))
        }
        Finding::NotAttached | Finding::NoVolumes => window_end,
        _ => later(call.begun, settings.clock_skew),
    };
    if fetched < look_again_after { Finding::NotYetSeen { look_again_after } } else { finding }
}

/// When EC2 shows all EBS volumes, which appear one by one.
fn all_shown(call: &SentCall, volumes: &EbsVolumes<'_>, settings: &Settings) -> DateTime<Utc> {
    // The volume was created before it could be attached.
    let (_, by_call) = settings.window(call.begun, Some(call.begun));
    // The first EBS volume appeared while the volume was being created.
    let oldest = volumes.values().map(|it| it.create_time).min();
    let by_age = oldest.map(|oldest| settings.window(oldest, None).1);
    by_age.map_or(by_call, |by_age| by_age.min(by_call))
}

/// Where these EBS volumes of one Datafy volume are attached, seen from `instance`.
fn state<'a>(instance: &str, volumes: impl Iterator<Item = &'a Ec2Volume>) -> Finding {
    let (mut of, mut attached, mut begun) = (0, 0, false);
    let mut elsewhere: Option<(&str, Option<&String>)> = None;
    let gone = |it: &&Ec2Volume| matches!(it.state.as_str(), "deleting" | "deleted");
    for volume in volumes.filter(|it| !gone(it)) {
        of += 1;
        let (mut is_attached, mut is_begun) = (false, false);
        for attachment in volume.attachments.iter().filter(|it| it.state != "detached") {
            if attachment.instance_id == instance {
                is_attached |= attachment.state == "attached";
                is_begun = true;
            } else {
                // The lowest, so that the finding doesn't depend on the order of the volumes.
                let other = (attachment.instance_id.as_str(), attachment.device.as_ref());
                elsewhere = Some(elsewhere.map_or(other, |known| known.min(other)));
            }
        }
        attached += usize::from(is_attached);
        begun |= is_begun;
    }
    match elsewhere {
        _ if of == 0 => Finding::NoVolumes,
        _ if attached == of => Finding::Attached,
        _ if begun => Finding::Partly { attached, of },
        Some((instance, device)) => {
            Finding::AttachedElsewhere { instance: instance.to_owned(), device: device.cloned() }
        }
        None => Finding::NotAttached,
    }
}
