//! Finds out what calls did.

use super::ec2_objects::Ec2Objects;
use super::finding::Finding;
use super::query::Query;
use super::sent_call::SentCall;
use super::settings::Settings;
use super::target::Target;
use super::{attach, creates};

/// Finds out what calls did from the objects that EC2 shows. Returns a finding for each call, in their order.
///
/// `calls` are all calls that may have created one of the objects, each once: also those that were applied, since they
/// explain objects, and those that were begun while the objects were fetched. So read a journal after fetching.
/// [The module](super) says why.
///
/// The time and the memory are linear in the number of calls and objects, but for the unknown calls about the same volume
/// or snapshot: each is compared with all others and with all objects of it. A million snapshots with four tags take about
/// 1 GB once they are read, and this function a few seconds at most.
pub fn find_out(calls: &[SentCall], objects: &Ec2Objects, settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = calls.iter().map(|_| Finding::Known).collect();
    for target in [Target::SNAPSHOT, Target::VOLUME] {
        for (at, finding) in creates::findings(target, calls, objects, settings) {
            findings[at] = finding;
        }
    }
    for (call, finding) in calls.iter().zip(&mut findings) {
        if let Some(found) = obstacle(call, objects) {
            *finding = found;
        } else if call.target() == Some(Target::ATTACHMENT) {
            *finding = attach::finding(call, objects, settings).unwrap_or(Finding::Known);
        }
    }
    findings
}

/// Why the call is not looked up, if so.
fn obstacle(call: &SentCall, objects: &Ec2Objects) -> Option<Finding> {
    let Some(target) = call.target() else {
        return Some(Finding::NotLookedUp("EC2 doesn't show the effect of this operation"));
    };
    let is_attach = target == Target::ATTACHMENT;
    if !is_attach && !call.is_open() {
        return Some(Finding::Known);
    }
    match Query::of(call).filter(|_| !is_attach || call.subject.instance.is_some()) {
        Some(query) if objects.has_all(&query) => None,
        _ if !call.is_open() => Some(Finding::Known),
        Some(_) => Some(Finding::NotLookedUp("no result of a query for it was given")),
        None => Some(Finding::NotLookedUp("the call doesn't say what to look for")),
    }
}
