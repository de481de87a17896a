//! Finds out what calls did.

use super::creates::{self, Object};
use super::ec2::{Ec2Objects, value};
use super::finding::{AttachVerdict, Finding};
use super::query::Query;
use super::sent_call::{SentCall, Target};
use super::settings::Settings;
use super::{RESTORED_FROM, SNAPSHOT, SOURCE_VOLUME, attach};
use chrono::{DateTime, Utc};

/// Finds out what calls did from the objects that EC2 shows. Returns a finding for each call, in their order.
///
/// `calls` are all calls that may have created one of the objects, each once: also those that were applied, since they
/// explain objects, and those that were begun until the last object was fetched: so read a journal after fetching.
/// [The module](super) says why. `fetched` is the time at which the first of the `objects` was
/// requested.
///
/// The time and the memory are linear in the number of calls and objects, but for sorting the objects of each subject.
/// A million snapshots with four tags take about 1 GB once they are read, and this function a few seconds at most.
pub fn find_out(
    calls: &[SentCall],
    objects: &Ec2Objects,
    fetched: DateTime<Utc>,
    settings: &Settings,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = calls.iter().map(|_| Finding::Known).collect();
    let snapshots = objects.snapshots().iter().filter_map(|it| {
        Some(Object {
            id: &it.snapshot_id,
            subject: value(&it.tags, SOURCE_VOLUME)?,
            group: value(&it.tags, SNAPSHOT),
            time: it.start_time,
            description: it.description.as_deref(),
        })
    });
    let volumes = objects.volumes().iter().filter_map(|it| {
        Some(Object {
            id: &it.volume_id,
            subject: value(&it.tags, RESTORED_FROM)?,
            group: value(&it.tags, SOURCE_VOLUME),
            time: it.create_time,
            description: None,
        })
    });
    for (at, verdict) in creates::verdicts(Target::Snapshot, calls, snapshots, fetched, settings) {
        findings[at] = Finding::Snapshot(verdict);
    }
    for (at, verdict) in creates::verdicts(Target::Volume, calls, volumes, fetched, settings) {
        findings[at] = Finding::Volume(verdict);
    }
    let attaches = calls.iter().filter(|call| call.target() == Some(Target::Attachment));
    let attached = attach::by_datafy_volume(attaches.filter_map(SentCall::key), objects.volumes());
    let queries = Query::of_all(calls);
    let queries = |of: Target| queries.iter().filter(|it| it.command == of.query().0).count();
    let snapshots = objects.snapshots.gap(queries(Target::Snapshot));
    let volumes = objects.volumes.gap(queries(Target::Volume));
    for (call, finding) in calls.iter().zip(&mut findings) {
        let gap = if call.target() == Some(Target::Snapshot) { snapshots } else { volumes };
        if let Some(reason) = obstacle(call, gap) {
            *finding = Finding::NotLookedUp(reason);
        } else if call.target() == Some(Target::Attachment)
            && let (Some(key), Some(instance)) = (call.key(), &call.subject.instance)
        {
            let volumes = attached.get(key).into_iter().flat_map(|own| own.values().copied());
            let verdict = attach::verdict(instance.as_str(), volumes);
            *finding = match verdict {
                // It may have been detached again before the call.
                AttachVerdict::Attached if fetched < call.begun => Finding::NotLookedUp(
                    "the objects may have been fetched before the call; fetch them again later",
                ),
                verdict => Finding::Attach(verdict),
            };
        }
    }
    findings
}

/// Why the call can't be looked up, if so. `gap`: why the objects of this kind are not complete, if so.
fn obstacle(call: &SentCall, gap: Option<&'static str>) -> Option<&'static str> {
    let Some(target) = call.target() else {
        return Some("EC2 doesn't show the effect of this operation");
    };
    if target != Target::Attachment && !call.is_open() {
        return None;
    }
    if call.key().is_none() || (target == Target::Attachment && call.subject.instance.is_none()) {
        return Some("the call doesn't say what to look for");
    }
    gap
}
