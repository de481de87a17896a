//! Finds out what calls did.

use super::creates::{self, Object};
use super::ec2::{Ec2Objects, value};
use super::finding::Finding;
use super::query::Query;
use super::sent_call::{SentCall, Target};
use super::settings::Settings;
use super::{RESTORED_FROM, SNAPSHOT, SOURCE_VOLUME, attach};

/// Finds out what calls did from the objects that EC2 shows. Returns a finding for each call, in their order.
///
/// `calls` are all calls that may have created one of the objects, each once: also those that were applied, since they
/// explain objects, and those that were begun while the objects were fetched. So read a journal after fetching.
/// [The module](super) says why.
///
/// The time and the memory are linear in the number of calls and objects, but for sorting the objects of each subject.
/// A million snapshots with four tags take about 1 GB once they are read, and this function a few seconds at most.
pub fn find_out(calls: &[SentCall], objects: &Ec2Objects, settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = calls.iter().map(|_| Finding::Known).collect();
    let snapshots = objects.snapshots().iter().filter_map(|it| {
        Some(Object {
            id: &it.snapshot_id,
            subject: value(&it.tags, SOURCE_VOLUME)?,
            group: value(&it.tags, SNAPSHOT),
            time: it.start_time,
            description: &it.description,
        })
    });
    let volumes = objects.volumes().iter().filter_map(|it| {
        Some(Object {
            id: &it.volume_id,
            subject: value(&it.tags, RESTORED_FROM)?,
            group: value(&it.tags, SOURCE_VOLUME),
            time: it.create_time,
            description: "",
        })
    });
    let fetched = objects.fetched;
    let snapshots = creates::findings(Target::Snapshot, calls, snapshots, fetched, settings);
    let volumes = creates::findings(Target::Volume, calls, volumes, fetched, settings);
    for (at, finding) in snapshots.into_iter().chain(volumes) {
        findings[at] = finding;
    }
    let attaches = calls.iter().filter(|call| call.target() == Some(Target::Attachment));
    let attached = attach::by_datafy_volume(attaches.filter_map(SentCall::key), objects.volumes());
    for (call, finding) in calls.iter().zip(&mut findings) {
        match obstacle(call, objects) {
            Some(obstacle) => *finding = obstacle,
            None => {
                if let (Some(Target::Attachment), Some(volume), Some(instance)) =
                    (call.target(), call.key(), &call.subject.instance)
                {
                    let volumes = &attached[volume];
                    *finding = attach::finding(call, instance.as_str(), volumes, fetched, settings);
                }
            }
        }
    }
    findings
}

/// Why the call is not looked up, if so.
fn obstacle(call: &SentCall, objects: &Ec2Objects) -> Option<Finding> {
    let Some(target) = call.target() else {
        return Some(Finding::NotLookedUp("EC2 doesn't show the effect of this operation"));
    };
    let is_attach = target == Target::Attachment;
    if !is_attach && !call.is_open() {
        return Some(Finding::Known);
    }
    let query = Query::of(call).filter(|_| !is_attach || call.subject.instance.is_some());
    match query {
        Some(query) if objects.has(&query) => None,
        _ if !call.is_open() => Some(Finding::Known),
        Some(_) => Some(Finding::NotLookedUp("no result of a query for it was given")),
        None => Some(Finding::NotLookedUp("the call doesn't say what to look for")),
    }
}
