//! Which of the objects that EC2 shows each create made.

use super::ec2_object::Ec2Object;
use super::ec2_objects::Ec2Objects;
use super::finding::Finding;
use super::sent_call::SentCall;
use super::settings::Settings;
use super::target::Target;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The number of objects that an ambiguous verdict lists.
const LISTED: usize = 100;

/// Why nothing is concluded from an EC2 that shows nothing.
const NOT_SHOWN: &str = "EC2 shows neither it nor what it is created from; ask in the account and the region of the volume";

/// The EBS objects with the same ID in Datafy.
struct Group<'a> {
    id: &'a str,
    /// The time of the first object.
    time: DateTime<Utc>,
    /// The open calls whose markers the descriptions hold.
    marked: BTreeSet<usize>,
    /// Whether a description holds a marker of another call.
    foreign: bool,
}

/// The open calls that create from the same volume or snapshot, and the objects that may be theirs.
#[derive(Default)]
struct Candidates<'a> {
    calls: Vec<usize>,
    groups: HashMap<&'a str, Group<'a>>,
    /// The objects that lack the tag of a group: copies of AWS's own tools, or objects that are being tagged.
    ungrouped: Vec<&'a Ec2Object>,
}

/// A create, with the times between which its objects were created, if any.
#[derive(Clone, Copy)]
struct Window {
    call: usize,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Window {
    fn includes(&self, time: DateTime<Utc>) -> bool {
        (self.start..=self.end).contains(&time)
    }
}

/// Returns the finding about each create of `target` of which something remains to be found out.
pub(super) fn findings(
    target: Target,
    calls: &[SentCall],
    objects: &Ec2Objects,
    settings: &Settings,
) -> Vec<(usize, Finding)> {
    let mut candidates: HashMap<&str, Candidates<'_>> = HashMap::new();
    let mut markers: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut explained: HashSet<&str> = HashSet::new();
    // The calls that don't say what they create from: any object may be theirs.
    let mut keyless = Vec::new();
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.target() == Some(target)) {
        if let Some(marker) = &call.marker {
            markers.entry(marker).or_default().push(at);
        }
        if call.is_open() {
            match call.key() {
                Some(key) => candidates.entry(key).or_default().calls.push(at),
                None => keyless.push(at),
            }
        } else if let Some(id) = &call.created_id {
            explained.insert(id);
        }
    }

    // Whether the service copies descriptions, and so markers, to EC2.
    let mut carried = false;
    for (key, Candidates { calls, groups, ungrouped }) in &mut candidates {
        for object in objects.of(target.kind, key) {
            let Some(id) = target.group.and_then(|tag| object.tag(tag)) else {
                ungrouped.push(object);
                continue;
            };
            let (time, marked) = (object.time, BTreeSet::new());
            let group = groups.entry(id).or_insert(Group { id, time, marked, foreign: false });
            group.time = group.time.min(time);
            for marker in markers_in(&object.description) {
                let named = markers.get(marker).map_or(&[][..], Vec::as_slice);
                carried |= !named.is_empty();
                let mut own = named.iter().filter(|call| calls.contains(call)).peekable();
                group.foreign |= own.peek().is_none();
                group.marked.extend(own);
            }
        }
    }

    let rules = Rules { target, calls, fetched: objects.fetched, settings, carried };
    let keyless: Vec<_> = keyless.into_iter().map(|call| rules.window(call)).collect();
    let mut found = Vec::new();
    for (key, Candidates { calls, groups, mut ungrouped }) in candidates {
        let is_right_place = target.kinds().any(|kind| !objects.of(kind, key).is_empty());
        let groups = groups.into_values().filter(|it| !explained.contains(it.id));
        let (mut marked, mut unmarked): (Vec<_>, Vec<_>) =
            groups.partition(|group| !group.marked.is_empty());
        marked.sort_unstable_by_key(|group| (group.time, group.id));
        unmarked.sort_unstable_by_key(|group| (group.time, group.id));
        ungrouped.sort_unstable_by_key(|object| (object.time, object.id.as_str()));
        let is_traced = |call: &usize| marked.iter().any(|group| group.marked.contains(call));
        let (traced, others): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_traced);
        for call in traced {
            let own = marked.iter().filter(|group| group.marked.contains(&call));
            found.push((call, rules.of_marked(call, &own.collect::<Vec<_>>())));
        }
        let windows: Vec<_> = others.into_iter().map(|call| rules.window(call)).collect();
        // How many calls may have created a group of this time.
        let creators = |time| {
            let all = windows.iter().chain(&keyless);
            all.filter(|it| it.includes(time) || target.is_replaceable() && it.start <= time)
                .count()
        };
        for window in &windows {
            let is_own = |group: &Group<'_>| creators(group.time) == 1;
            let finding = rules.of_unmarked(*window, &unmarked, &ungrouped, is_own, is_right_place);
            found.push((window.call, finding));
        }
    }
    found
}

struct Rules<'a> {
    target: Target,
    calls: &'a [SentCall],
    fetched: DateTime<Utc>,
    settings: &'a Settings,
    carried: bool,
}

impl Rules<'_> {
    fn window(&self, call: usize) -> Window {
        let SentCall { begun, ended, .. } = self.calls[call];
        let (start, end) = self.settings.window(begun, ended);
        Window { call, start, end }
    }

    /// The finding about a call whose marker these groups carry.
    fn of_marked(&self, call: usize, groups: &[&Group<'_>]) -> Finding {
        match groups {
            [group]
                if group.marked.len() == 1
                    && !group.foreign
                    && self.is_single(call)
                    // Otherwise the marker is that of an earlier use of the same call.
                    && self.window(call).includes(group.time) =>
            {
                self.happened(group, true)
            }
            _ => ambiguous(groups.iter().map(|group| group.id)),
        }
    }

    /// The finding about a call whose marker no group carries. `is_own` tells whether no other call can have created a
    /// group in the window, and `is_right_place` whether EC2 shows anything of what the call creates from.
    fn of_unmarked(
        &self,
        window: Window,
        groups: &[Group<'_>],
        ungrouped: &[&Ec2Object],
        is_own: impl Fn(&Group<'_>) -> bool,
        is_right_place: bool,
    ) -> Finding {
        let call = &self.calls[window.call];
        // Datafy replaces EBS volumes, so what is younger may be that of the call.
        let is_replaced = |time| self.target.is_replaceable() && time > window.end;
        let within: Vec<_> = groups.iter().filter(|it| window.includes(it.time)).collect();
        match within[..] {
            [group] if self.is_certain(window.call, group) && is_own(group) => {
                self.happened(group, false)
            }
            [] if call.outcome == Outcome::Unknown && self.is_single(window.call) => {
                if self.fetched < window.end {
                    return Finding::NotYetSeen { look_again_after: window.end };
                }
                let younger = groups.iter().filter(|it| is_replaced(it.time)).map(|it| it.id);
                let unclear = |time| window.includes(time) || is_replaced(time);
                let ungrouped = ungrouped.iter().filter(|it| unclear(it.time));
                let mut may_be_own = younger.chain(ungrouped.map(|it| it.id.as_str())).peekable();
                match may_be_own.peek() {
                    Some(_) => ambiguous(may_be_own),
                    None if is_right_place => Finding::DidNotHappen,
                    None => Finding::NotLookedUp(NOT_SHOWN),
                }
            }
            _ => ambiguous(within.iter().map(|group| group.id)),
        }
    }

    fn happened(&self, group: &Group<'_>, marked: bool) -> Finding {
        if self.target.is_id(group.id) {
            Finding::Happened { id: group.id.to_owned(), marked }
        } else {
            ambiguous([group.id])
        }
    }

    /// Whether the only group in the window of a call is that of the call, if no other call has created it.
    fn is_certain(&self, call: usize, group: &Group<'_>) -> bool {
        let marker_is_missing = self.carried && self.calls[call].marker.is_some();
        !marker_is_missing && !group.foreign && self.is_single(call)
    }

    /// Whether this is one call, and not several under the same key of a journal, one of which created an object.
    fn is_single(&self, call: usize) -> bool {
        let call = &self.calls[call];
        call.outcome != Outcome::Unknown || call.created_id.is_none()
    }
}

fn ambiguous<'a>(ids: impl IntoIterator<Item = &'a str>) -> Finding {
    Finding::Ambiguous(ids.into_iter().take(LISTED).map(Untrusted::local).collect())
}

/// The markers in a description: `[datafy-`, letters or digits, `]`.
fn markers_in(description: &str) -> impl Iterator<Item = &str> {
    description.match_indices("[datafy-").filter_map(|(at, _)| {
        let rest = &description[at..];
        rest.find(']').map(|end| &rest[..=end])
    })
}
