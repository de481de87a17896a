//! Which of the objects that EC2 shows each create made.

use super::finding::Finding;
use super::sent_call::{SentCall, Target};
use super::settings::Settings;
use crate::journal::StepState;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// The number of objects that an ambiguous verdict lists.
const LISTED: usize = 100;

/// An EBS object.
pub(super) struct Object<'a> {
    /// The ID in EC2.
    pub(super) id: &'a str,
    /// What it was created from.
    pub(super) subject: &'a str,
    /// The ID in Datafy, which all objects of an effect share, if it has this tag.
    pub(super) group: Option<&'a str>,
    pub(super) time: DateTime<Utc>,
    pub(super) description: &'a str,
}

/// The EBS objects with the same ID in Datafy.
struct Group<'a> {
    id: &'a str,
    /// The time of the first object.
    time: DateTime<Utc>,
    /// The calls whose markers the descriptions hold.
    marked: Vec<usize>,
    /// Whether a description holds a marker of another call.
    foreign: bool,
}

/// The calls and the objects with the same subject.
#[derive(Default)]
struct Subject<'a> {
    calls: Vec<usize>,
    groups: HashMap<&'a str, Group<'a>>,
    /// The objects that lack the tag of a group: copies of AWS's own tools, or objects that are being tagged.
    ungrouped: Vec<Object<'a>>,
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

    /// Splits off the items within the window, and those after it. They are sorted by `time`.
    fn split<'a, T>(&self, items: &'a [T], time: impl Fn(&T) -> DateTime<Utc>) -> [&'a [T]; 2] {
        let from = &items[items.partition_point(|it| time(it) < self.start)..];
        from.split_at(from.partition_point(|it| time(it) <= self.end)).into()
    }
}

/// Returns the finding about each create of `target` of which something remains to be found out.
pub(super) fn findings<'a>(
    target: Target,
    calls: &'a [SentCall],
    objects: impl Iterator<Item = Object<'a>>,
    fetched: DateTime<Utc>,
    settings: &Settings,
) -> Vec<(usize, Finding)> {
    let mut subjects: HashMap<&str, Subject<'_>> = HashMap::new();
    let mut markers: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut explained: HashSet<&str> = HashSet::new();
    // The calls that don't say what they create from: their objects may have any subject.
    let mut keyless = Vec::new();
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.target() == Some(target)) {
        if let Some(marker) = &call.marker {
            markers.entry(marker).or_default().push(at);
        }
        if call.is_open() {
            match call.key() {
                Some(key) => subjects.entry(key).or_default().calls.push(at),
                None => keyless.push(at),
            }
        } else if let Some(id) = &call.created_id {
            explained.insert(id);
        }
    }

    // Whether the service copies descriptions, and so markers, to EC2.
    let mut carried = false;
    for object in objects {
        let Some(subject) = subjects.get_mut(object.subject) else { continue };
        let Some(id) = object.group else {
            subject.ungrouped.push(object);
            continue;
        };
        let group = subject.groups.entry(id).or_insert_with(|| Group {
            id,
            time: object.time,
            marked: Vec::new(),
            foreign: false,
        });
        group.time = group.time.min(object.time);
        for marker in markers_in(object.description) {
            let named = markers.get(marker).map_or(&[][..], Vec::as_slice);
            carried |= !named.is_empty();
            let own = named
                .iter()
                .filter(|&&at| calls[at].is_open() && calls[at].key() == Some(object.subject));
            let before = group.marked.len();
            group.marked.extend(own);
            group.foreign |= group.marked.len() == before;
        }
        group.marked.sort_unstable();
        group.marked.dedup();
    }

    let rules = Rules { target, calls, fetched, settings, carried };
    let keyless: Vec<_> = keyless.into_iter().map(|call| rules.window(call)).collect();
    let mut found = Vec::new();
    for subject in subjects.into_values() {
        let groups = subject.groups.into_values().filter(|it| !explained.contains(it.id));
        found.extend(rules.apply(&subject.calls, groups.collect(), subject.ungrouped, &keyless));
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
    /// Judges the open calls about one subject. `groups` are those that no other call explains.
    fn apply(
        &self,
        calls: &[usize],
        mut groups: Vec<Group<'_>>,
        mut ungrouped: Vec<Object<'_>>,
        keyless: &[Window],
    ) -> Vec<(usize, Finding)> {
        groups.sort_unstable_by_key(|group| (group.time, group.id));
        ungrouped.sort_unstable_by_key(|object| (object.time, object.id));
        let (marked, unmarked): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| !group.marked.is_empty());
        let mut by_call: HashMap<usize, Vec<&Group<'_>>> = HashMap::new();
        for group in &marked {
            for call in &group.marked {
                by_call.entry(*call).or_default().push(group);
            }
        }
        let (traced, others): (Vec<_>, Vec<_>) =
            calls.iter().partition(|call| by_call.contains_key(*call));
        let mut findings: Vec<_> =
            traced.into_iter().map(|call| (call, self.of_marked(call, &by_call[&call]))).collect();
        let windows: Vec<Window> = others.into_iter().map(|call| self.window(call)).collect();
        let cover = Cover::new(self.target, windows.iter().chain(keyless));
        for window in windows {
            let finding = self.of_unmarked(window, &unmarked, &ungrouped, &cover);
            findings.push((window.call, finding));
        }
        findings
    }

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
            _ => ambiguous(groups.iter().copied()),
        }
    }

    /// The finding about a call whose marker no group carries.
    fn of_unmarked(
        &self,
        window: Window,
        groups: &[Group<'_>],
        ungrouped: &[Object<'_>],
        cover: &Cover,
    ) -> Finding {
        let call = &self.calls[window.call];
        let [within, after] = window.split(groups, |group| group.time);
        match within {
            [group] if self.is_certain(window.call, group, cover) => self.happened(group, false),
            [] => {
                if call.state != StepState::Unknown || !self.is_single(window.call) {
                    ambiguous([].into_iter())
                } else if self.fetched < window.end {
                    Finding::NotYetSeen { look_again_after: window.end }
                } else if self.target.is_replaceable() && !after.is_empty() {
                    ambiguous(after.iter())
                } else {
                    self.absent(window, ungrouped)
                }
            }
            _ => ambiguous(within.iter()),
        }
    }

    /// The finding if there is no group, unless an object that lacks its tags may be that of the call.
    fn absent(&self, window: Window, ungrouped: &[Object<'_>]) -> Finding {
        let [within, after] = window.split(ungrouped, |object| object.time);
        let after = if self.target.is_replaceable() { after } else { &[] };
        let unclear = within.iter().chain(after).take(LISTED);
        let ids: Vec<_> = unclear.map(|object| Untrusted::local(object.id)).collect();
        if ids.is_empty() { Finding::DidNotHappen } else { Finding::Ambiguous(ids) }
    }

    fn happened(&self, group: &Group<'_>, marked: bool) -> Finding {
        let id = group.id.to_owned();
        if self.target.is_id(&id) {
            Finding::Happened { id, marked }
        } else {
            Finding::Ambiguous(vec![Untrusted::local(id)])
        }
    }

    /// Whether the only group in the window of a call is that of the call.
    fn is_certain(&self, call: usize, group: &Group<'_>, cover: &Cover) -> bool {
        let marker_is_missing = self.carried && self.calls[call].marker.is_some();
        !self.settings.require_marker
            && !marker_is_missing
            && !group.foreign
            && self.is_single(call)
            && cover.calls_at(group.time) == 1
    }

    /// Whether this is one call, and not several under the same key of a journal, one of which created an object.
    fn is_single(&self, call: usize) -> bool {
        let call = &self.calls[call];
        call.state != StepState::Unknown || call.created_id.is_none()
    }
}

/// Tells how many calls may have created a group of this time: of one that is replaceable, any call that began before.
struct Cover {
    starts: Vec<DateTime<Utc>>,
    ends: Vec<DateTime<Utc>>,
}

impl Cover {
    fn new<'a>(target: Target, windows: impl Iterator<Item = &'a Window>) -> Self {
        let (mut starts, mut ends): (Vec<_>, Vec<_>) = windows.map(|it| (it.start, it.end)).unzip();
        starts.sort_unstable();
        if target.is_replaceable() {
            ends.clear();
        }
        ends.sort_unstable();
        Self { starts, ends }
    }

    fn calls_at(&self, time: DateTime<Utc>) -> usize {
        let begun = self.starts.partition_point(|start| *start <= time);
        let ended = self.ends.partition_point(|end| *end < time);
        begun - ended
    }
}

fn ambiguous<'a, 'b: 'a>(groups: impl Iterator<Item = &'a Group<'b>>) -> Finding {
    Finding::Ambiguous(groups.take(LISTED).map(|group| Untrusted::local(group.id)).collect())
}

/// The markers in a description: `[datafy-`, letters or digits, `]`.
fn markers_in(description: &str) -> impl Iterator<Item = &str> {
    description.match_indices("[datafy-").filter_map(|(at, _)| {
        let rest = &description[at..];
        rest.find(']').map(|end| &rest[..=end])
    })
}
