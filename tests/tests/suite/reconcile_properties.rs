//! No history makes a finding wrong.

use crate::reconcile::{answered, at, ebs, object, seen, source};
use chrono::{DateTime, Utc};
use datafy_api_ext::reconcile::{Ec2Object, Ec2Objects, Finding, SentCall, Settings, find_out};
use datafy_api_ext::{Outcome, Subject};
use fastrand::Rng;
use serde_json::{Value, json};
use std::time::Duration;

const SKEW: i64 = 60;
const SETTLING: i64 = 900;
const LONGEST: i64 = 600;

fn settings() -> Settings {
    let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
    let mut settings = Settings::default();
    settings.clock_skew = seconds(SKEW);
    settings.settling_time = seconds(SETTLING);
    settings.longest_call = seconds(LONGEST);
    settings
}

/// The settings without one of the allowances.
fn weakened() -> [(&'static str, Settings); 3] {
    let mut weakened = ["clock skew", "settling time", "longest call"].map(|it| (it, settings()));
    weakened[0].1.clock_skew = Duration::ZERO;
    weakened[1].1.settling_time = Duration::ZERO;
    weakened[2].1.longest_call = Duration::ZERO;
    weakened
}

/// Checks the findings of random histories: `HISTORIES=50000 cargo test reconcile_properties` tries more. Returns the per
/// cent of findings that are certain, or the first wrong one.
fn check_all<H>(
    history: impl Fn(&mut Rng) -> H,
    check: impl Fn(H) -> Result<Vec<bool>, String>,
) -> Result<usize, String> {
    let number = std::env::var("HISTORIES").map_or(3_000, |number| number.parse().unwrap());
    let (mut certain, mut all) = (0, 0);
    for seed in 0..number {
        let found = check(history(&mut Rng::with_seed(seed)));
        let found = found.map_err(|wrong| format!("history {seed}: {wrong}"))?;
        certain += found.iter().filter(|it| **it).count();
        all += found.len();
    }
    Ok(certain * 100 / all)
}

/// What `--query` can cut from output: members of objects, and tags. Descriptions and whole objects are among the limits
/// that RECONCILE.md states.
const CUTS: [&str; 13] = [
    "SnapshotId",
    "StartTime",
    "VolumeId",
    "CreateTime",
    "State",
    "Attachments",
    "InstanceId",
    "Tags",
    "Key",
    "Value",
    "datafy:source-volume:id",
    "datafy:snapshot:id",
    "datafy:restored-from-snapshot:id",
];

fn cut(output: &mut Value, what: &str) {
    match output {
        Value::Object(members) => {
            members.remove(what);
            for value in members.values_mut() {
                cut(value, what);
            }
        }
        Value::Array(items) => {
            items.retain(|item| item["Key"] != what);
            for item in items {
                cut(item, what);
            }
        }
        _ => {}
    }
}

/// Answers the queries for these calls as the AWS CLI does, with one of these cut, if any. Output that is refused is left
/// out.
fn seen_without(
    what: Option<&str>,
    calls: &[SentCall],
    objects: &[Ec2Object],
    fetched: DateTime<Utc>,
) -> Ec2Objects {
    let Some(what) = what else { return seen(calls, objects, fetched) };
    answered(calls, objects, fetched, |found, query, objects| {
        let is_snapshots = query.command == "describe-snapshots";
        let output = objects.iter().map(|it| {
            let tag = |(key, value): &_| json!({ "Key": key, "Value": value });
            let tags: Vec<_> = it.tags.iter().map(tag).collect();
            if is_snapshots {
                let (id, time, text) = (&it.id, it.time, &it.description);
                return json!({ "SnapshotId": id, "StartTime": time, "Description": text, "Tags": tags });
            }
            let to = it.attachments.iter();
            let to = to.map(|it| json!({ "InstanceId": it.instance_id, "State": it.state }));
            json!({ "VolumeId": it.id, "CreateTime": it.time, "State": it.state,
                "Attachments": to.collect::<Vec<_>>(), "Tags": tags })
        });
        let mut output = output.collect::<Value>();
        cut(&mut output, what);
        let name = if is_snapshots { "Snapshots" } else { "Volumes" };
        let _ = found.read(query, json!({ name: output }).to_string().as_bytes());
    })
}

/// How far the clocks of EC2 and of the fetching machine are ahead of that which times the calls: no two differ by more
/// than the skew.
fn clocks(rng: &mut Rng) -> (i64, i64) {
    let ec2 = rng.i64(-SKEW..=SKEW);
    (ec2, rng.i64((ec2 - SKEW).max(-SKEW)..=(ec2 + SKEW).min(SKEW)))
}

fn seldom(rng: &mut Rng) -> bool {
    rng.u8(..10) == 0
}

/// What the caller has recorded about a call, besides its beginning.
#[derive(Clone, Copy, PartialEq)]
enum Recorded {
    Nothing,
    End,
    Result,
}

/// When a call began, how long it lasted, and what was recorded.
fn call(rng: &mut Rng, latest: i64) -> (i64, i64, Recorded) {
    let recorded = [Recorded::Nothing, Recorded::End, Recorded::Result][rng.usize(..3)];
    (rng.i64(0..latest), rng.i64(0..=LONGEST), recorded)
}

/// Creates of snapshots of `vol-1`, or of volumes from `dsnap-1`.
struct Creates {
    /// The calls that were begun before the journal is read, with the IDs of what they created.
    calls: Vec<(SentCall, Option<String>)>,
    objects: Vec<Ec2Object>,
    /// The time of the fetch, by the clock of the fetching machine.
    fetched: i64,
}

fn creates(rng: &mut Rng, restores: bool) -> Creates {
    let (ec2, fetch) = clocks(rng);
    let fetched = rng.i64(0..16_000);
    let read = fetched + rng.i64(0..200);
    // Whether the service copies descriptions to EC2.
    let carried = rng.bool();
    let id = |number| if restores { format!("vol-{number}") } else { format!("dsnap-{number}") };
    let (mut calls, mut objects, mut windows) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..rng.usize(1..6) {
        let (begun, lasted, recorded) = call(rng, 12_000);
        let marker = rng.bool().then(|| format!("[datafy-{number:010}]"));
        let created = rng.bool().then(|| id(number));
        // A call of another program, which the caller doesn't know of: its snapshots show that.
        let foreign = !restores && carried && marker.is_some() && seldom(rng);
        if let Some(id) = &created {
            let last = begun + lasted + SETTLING;
            let group = Some(id.clone()).filter(|_| !seldom(rng));
            let description = marker.as_deref().filter(|_| carried).unwrap_or_default().to_owned();
            let times: Vec<i64> = (0..rng.usize(1..4)).map(|_| rng.i64(begun..=last)).collect();
            let newest = times.iter().copied().max().unwrap_or(begun);
            let shown = if restores && newest < fetched && rng.u8(..10) < 3 {
                // Another EBS volume takes the place of all.
                vec![rng.i64(newest..=fetched)]
            } else {
                times.into_iter().filter(|time| rng.i64(*time..=last) <= fetched).collect()
            };
            objects
                .extend(shown.into_iter().map(|time| (time, group.clone(), description.clone())));
        }
        let ended = Some(begun + lasted).filter(|_| recorded != Recorded::Nothing);
        windows.push((begun, ended.unwrap_or(begun + LONGEST)));
        if begun <= read && !foreign {
            let mut subject = Subject::default();
            match seldom(rng) {
                // It doesn't say what it creates from.
                true => {}
                _ if restores => subject.snapshot = Some("dsnap-1".parse().unwrap()),
                _ => subject.volume = Some("vol-1".parse().unwrap()),
            }
            let operation =
                if restores { "create_volume_from_snapshots" } else { "create_snapshot" };
            let mut sent = SentCall::new(operation, subject, at(begun));
            (sent.ended, sent.marker) = (ended.map(at), marker);
            if recorded == Recorded::Result {
                let applied = created.is_some();
                sent.outcome = if applied { Outcome::Applied } else { Outcome::Refused };
                sent.created_id.clone_from(&created);
            }
            calls.push((sent, created));
        }
    }
    // Others create snapshots, outside the windows of all calls. Volumes of others look younger once they are replaced, so
    // they are never certain to be others.
    for number in 0..if restores { 0 } else { rng.usize(..4) } {
        let time = rng.i64(-20_000..30_000);
        let mut windows = windows.iter();
        let margin = 2 * SKEW;
        let is_own = |(begun, ended)| (begun - margin..=ended + SETTLING + margin).contains(&time);
        if time <= fetched && !windows.any(|window| is_own(*window)) {
            objects.push((time, Some(id(100 + number)), String::new()));
        }
    }
    let originals = objects.len();
    for _ in 0..if originals > 0 && rng.u8(..4) == 0 { rng.usize(1..3) } else { 0 } {
        let (created, group, description) = objects[rng.usize(..originals)].clone();
        let time = rng.i64(created..=fetched.max(created));
        // The copy may lack the tag of the group.
        let group = group.filter(|_| rng.bool());
        let description = if rng.bool() { description } else { "copied".to_owned() };
        objects.push((time, group, description));
    }
    let show = |(time, group, description): (i64, Option<String>, String)| {
        object(restores, group.as_deref(), at(time + ec2), &description)
    };
    let shown = objects.into_iter().map(show).chain([source(restores)]);
    // In another account or region, EC2 shows nothing.
    let objects = if seldom(rng) { vec![] } else { shown.collect() };
    Creates { calls, objects, fetched: fetched + fetch }
}

/// Checks the findings about the first `given` of random creates, with one of `cuts`, if any.
fn check_creates(
    restores: bool,
    settings: &Settings,
    given: usize,
    cuts: &[&str],
) -> Result<usize, String> {
    check_all(
        |rng| (creates(rng, restores), rng.choice(cuts)),
        |(history, cut)| {
            let (calls, ids): (Vec<_>, Vec<_>) = history.calls.into_iter().take(given).unzip();
            let fetched = at(history.fetched);
            let objects = seen_without(cut.copied(), &calls, &history.objects, fetched);
            let mut certain = Vec::new();
            for ((finding, id), call) in
                find_out(&calls, &objects, settings).into_iter().zip(ids).zip(&calls)
            {
                let is_right = match &finding {
                    Finding::Known => continue,
                    Finding::NotLookedUp(_) if call.subject == Subject::default() => continue,
                    Finding::NotLookedUp(_) => history.objects.is_empty() || cut.is_some(),
                    Finding::Happened { id: found, .. } => id.as_ref() == Some(found),
                    Finding::DidNotHappen => id.is_none(),
                    Finding::Ambiguous(_) | Finding::NotYetSeen { .. } => {
                        certain.push(false);
                        continue;
                    }
                    _ => false,
                };
                let is_looked_up = !matches!(finding, Finding::NotLookedUp(_));
                certain
                    .push(is_right.then_some(is_looked_up).ok_or(format!("{finding:?}, {id:?}"))?);
            }
            Ok(certain)
        },
    )
}

#[test]
fn a_finding_about_a_create_is_never_wrong_and_each_allowance_and_known_call_is_needed() {
    // The histories are crowded: most calls overlap others, and any earlier call may have created a volume.
    for (restores, least) in [(false, 60), (true, 30)] {
        let share = check_creates(restores, &settings(), usize::MAX, &[]).unwrap();
        assert!(share >= least, "otherwise the test would prove little: {share} % are certain");
        for (rule, settings) in weakened() {
            let wrong = check_creates(restores, &settings, usize::MAX, &[]);
            assert!(wrong.is_err(), "restores: {restores}, {rule}");
        }
        // The first call alone: overlaps and known calls are ignored.
        assert!(check_creates(restores, &settings(), 1, &[]).is_err(), "{restores}");
    }
}

/// What an EBS volume is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Detached,
    Attaching(&'static str),
    Attached(&'static str),
}

/// A Datafy volume, and the attaches of it.
struct Attaches {
    calls: Vec<Attach>,
    /// What each EBS volume is attached to at the fetch. None: there is no volume.
    states: Vec<Event>,
    /// The EBS volumes that EC2 shows.
    objects: Vec<Ec2Object>,
    /// The time of the fetch, and by the clock of the fetching machine.
    fetched: [i64; 2],
}

struct Attach {
    begun: i64,
    instance: &'static str,
    sent: SentCall,
    /// The last time at which it changes something.
    acts_until: i64,
}

fn attaches(rng: &mut Rng) -> Attaches {
    let (ec2, fetch) = clocks(rng);
    // The call that created the volume began at 0.
    let lasted = rng.i64(0..=LONGEST);
    let last = lasted + SETTLING;
    let parts: Vec<i64> = (0..rng.usize(..=3)).map(|_| rng.i64(0..=last)).collect();
    let mut events = vec![Vec::new(); parts.len()];
    let mut calls = Vec::new();
    for _ in 0..rng.usize(1..4) {
        let latest = if rng.bool() { 300 } else { 6_000 };
        let (begun, lasted, recorded) = call(rng, latest);
        let begun = begun + last - SETTLING;
        let instance = ["i-1", "i-2"][rng.usize(..2)];
        let mut subject = Subject::default();
        subject.volume = Some("vol-1".parse().unwrap());
        subject.instance = Some(instance.parse().unwrap());
        let mut sent = SentCall::new("attach_volume", subject, at(begun));
        sent.ended = (recorded != Recorded::Nothing).then(|| at(begun + lasted));
        let mut acts_until = i64::MIN;
        if rng.bool() {
            for (created, events) in parts.iter().zip(&mut events) {
                let end = (begun + lasted + SETTLING).max(*created);
                let attaching = rng.i64(begun.max(*created)..=end);
                let attached = rng.i64(attaching..=end);
                acts_until = acts_until.max(attached);
                events.push((attaching, Event::Attaching(instance)));
                events.push((attached, Event::Attached(instance)));
            }
        }
        calls.push(Attach { begun, instance, sent, acts_until });
    }
    for _ in 0..rng.usize(..3) {
        let time = rng.i64(0..6_000);
        for events in &mut events {
            events.push((time, Event::Detached));
        }
    }
    // Often about the time at which the first call was begun.
    let about = calls[0].begun + rng.i64(-100..200);
    let fetched = if rng.bool() { about } else { rng.i64(0..9_000) };
    let read = fetched + rng.i64(0..200);
    let (mut states, mut objects) = (Vec::new(), Vec::new());
    for (number, (created, mut events)) in parts.into_iter().zip(events).enumerate() {
        events.sort_unstable();
        let mut state = Event::Detached;
        for (_, event) in events.into_iter().filter(|(time, _)| *time <= fetched) {
            state = match (state, event) {
                // EC2 refuses to attach what is attached.
                (Event::Detached, Event::Attaching(_)) | (_, Event::Detached) => event,
                (Event::Attaching(from), Event::Attached(to)) if from == to => event,
                _ => state,
            };
        }
        states.push(state);
        if rng.i64(created..=last) <= fetched {
            let attached = match state {
                Event::Detached => None,
                Event::Attaching(instance) => Some((instance, "attaching")),
                Event::Attached(instance) => Some((instance, "attached")),
            };
            objects.push(ebs(&format!("vol-e{number}"), created + ec2, attached.as_slice()));
        }
    }
    calls.retain(|call| call.begun <= read);
    Attaches { calls, states, objects, fetched: [fetched, fetched + fetch] }
}

/// Checks the findings about random attaches, with one of `cuts`, if any.
fn check_attaches(settings: &Settings, cuts: &[&str]) -> Result<usize, String> {
    let history = |rng: &mut Rng| (attaches(rng), rng.choice(cuts));
    check_all(history, |(history, cut)| {
        let Attaches { calls, states, objects, fetched: [fetched, by_clock] } = history;
        let sent: Vec<_> = calls.iter().map(|call| call.sent.clone()).collect();
        let objects = seen_without(cut.copied(), &sent, &objects, at(by_clock));
        let mut certain = Vec::new();
        for (finding, call) in find_out(&sent, &objects, settings).into_iter().zip(calls) {
            let all = |state| !states.is_empty() && states.iter().all(|it| *it == state);
            let is_right = match finding {
                Finding::Attached => call.begun <= fetched && all(Event::Attached(call.instance)),
                Finding::NotAttached => call.acts_until <= fetched && all(Event::Detached),
                Finding::NoVolumes => states.is_empty(),
                Finding::NotLookedUp(_) if cut.is_some() => true,
                Finding::AttachedElsewhere { .. }
                | Finding::Partly { .. }
                | Finding::NotYetSeen { .. } => {
                    certain.push(false);
                    continue;
                }
                _ => false,
            };
            let is_looked_up = !matches!(finding, Finding::NotLookedUp(_));
            certain
                .push(is_right.then_some(is_looked_up).ok_or(format!("{finding:?}, {states:?}"))?);
        }
        Ok(certain)
    })
}

#[test]
fn a_finding_about_an_attach_is_never_wrong_and_each_allowance_is_needed() {
    let share = check_attaches(&settings(), &[]).unwrap();
    assert!(share >= 40, "otherwise the test would prove little: {share} % are certain");
    for (rule, settings) in weakened() {
        assert!(check_attaches(&settings, &[]).is_err(), "{rule}");
    }
}

#[test]
fn a_finding_from_output_that_was_cut_is_never_wrong() {
    for share in [
        check_creates(false, &settings(), usize::MAX, &CUTS).unwrap(),
        check_creates(true, &settings(), usize::MAX, &CUTS).unwrap(),
        check_attaches(&settings(), &CUTS).unwrap(),
    ] {
        assert!((10..=30).contains(&share), "either all is refused or all is read: {share} %");
    }
}
