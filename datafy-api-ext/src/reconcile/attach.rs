//! What the EBS volumes of a Datafy volume are attached to.

use super::ec2_object::{Attachment, Ec2Object};
use super::ec2_objects::Ec2Objects;
use super::finding::Finding;
use super::sent_call::SentCall;
use super::settings::{Settings, later};
use super::target::PARTS;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The EBS volumes of a Datafy volume, by their IDs.
type EbsVolumes<'a> = HashMap<&'a str, &'a Ec2Object>;

/// Returns what is known about an attach, unless the call doesn't say of which volume and to which instance.
pub(super) fn finding(
    call: &SentCall,
    objects: &Ec2Objects,
    settings: &Settings,
) -> Option<Finding> {
    let (volume, instance) = (call.key()?, call.subject.instance.as_ref()?);
    // Of a volume that was read twice, the last state counts.
    let volumes = objects.of(PARTS, volume).iter().map(|ebs| (&*ebs.id, ebs));
    let volumes: EbsVolumes<'_> = volumes.collect();
    let finding = state(instance.as_str(), &volumes);
    let look_again_after = match finding {
        // What is attached may have been detached again before the call.
        Finding::Attached => {
            later(call.begun, settings.clock_skew).max(all_shown(call, &volumes, settings))
        }
        Finding::NotAttached | Finding::NoVolumes => settings.window(call.begun, call.ended).1,
        _ => later(call.begun, settings.clock_skew),
    };
    let is_final = objects.fetched >= look_again_after;
    Some(if is_final { finding } else { Finding::NotYetSeen { look_again_after } })
}

/// When EC2 shows all EBS volumes, which appear one by one.
fn all_shown(call: &SentCall, volumes: &EbsVolumes<'_>, settings: &Settings) -> DateTime<Utc> {
    // The volume was created before it could be attached.
    let (_, by_call) = settings.window(call.begun, Some(call.begun));
    // The first EBS volume appeared while the volume was being created.
    let oldest = volumes.values().map(|it| it.time).min();
    let by_age = oldest.map(|oldest| settings.window(oldest, None).1);
    by_age.map_or(by_call, |by_age| by_age.min(by_call))
}

/// Where these EBS volumes of one Datafy volume are attached, seen from `instance`.
fn state(instance: &str, volumes: &EbsVolumes<'_>) -> Finding {
    let gone = |ebs: &Ec2Object| matches!(ebs.state.as_str(), "deleting" | "deleted");
    let volumes: Vec<_> = volumes.values().filter(|ebs| !gone(ebs)).collect();
    let all =
        || volumes.iter().flat_map(|ebs| &ebs.attachments).filter(|it| it.state != "detached");
    let is_attached = |it: &Attachment| it.instance_id == instance && it.state == "attached";
    let attached = volumes.iter().filter(|ebs| ebs.attachments.iter().any(is_attached)).count();
    // The lowest, so that the finding doesn't depend on the order of the volumes.
    let elsewhere = all().filter(|it| it.instance_id != instance);
    let elsewhere = elsewhere.min_by_key(|it| (&it.instance_id, &it.device));
    match elsewhere {
        _ if volumes.is_empty() => Finding::NoVolumes,
        _ if attached == volumes.len() => Finding::Attached,
        _ if all().any(|it| it.instance_id == instance) => {
            Finding::Partly { attached, of: volumes.len() }
        }
        Some(Attachment { instance_id, device, .. }) => {
            let device = device.as_deref().map(Untrusted::local);
            Finding::AttachedElsewhere { instance: Untrusted::local(instance_id), device }
        }
        None => Finding::NotAttached,
    }
}
