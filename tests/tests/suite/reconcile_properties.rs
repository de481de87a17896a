//! No history makes a finding wrong.

use crate::reconcile::{at, seen, tag};
use chrono::{DateTime, Utc};
use datafy_api_ext::Subject;
use datafy_api_ext::journal::StepState;
use datafy_api_ext::reconcile::{
    Attachment, Ec2Objects, Ec2Snapshot, Ec2Volume, Finding, Query, SentCall, Settings, find_out,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;

const SKEW: i64 = 60;
const SETTLING: i64 = 900;
const LONGEST: i64 = 600;

/// The number of histories: `HISTORIES=50000 cargo test reconcile_properties` tries more.
fn histories() -> u32 {
    std::env::var("HISTORIES").map_or(3_000, |number| number.parse().unwrap())
}

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

/// Runs `check` on random histories, and returns the first failure.
fn try_all<H: std::fmt::Debug>(
    number: u32,
    histories: impl Strategy<Value = H>,
    check: impl Fn(H) -> Result<(), TestCaseError>,
) -> Result<(), String> {
    let config = Config {
        cases: number,
        rng_seed: RngSeed::Fixed(15),
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    TestRunner::new(config).run(&histories, check).map_err(|error| error.to_string())
}

/// The time that is this many thousandths of the way.
fn part(from: i64, to: i64, thousandths: i64) -> i64 {
    from + (to - from) * thousandths / 1_000
}

fn thousandths() -> impl Strategy<Value = i64> + Clone {
    0..=1_000_i64
}

fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

/// How far the clocks of EC2 and of the fetching machine are ahead of that which times the calls.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    ec2: i64,
    fetch: i64,
}

fn clocks() -> impl Strategy<Value = Clocks> {
    // No two differ by more than the skew.
    (-SKEW..=SKEW, thousandths()).prop_map(|(ec2, share)| {
        let (least, most) = ((ec2 - SKEW).max(-SKEW), (ec2 + SKEW).min(SKEW));
        Clocks { ec2, fetch: part(least, most, share) }
    })
}

/// What the caller has recorded about a call, besides its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Recorded {
    Nothing,
    End,
    Result,
}

fn recorded() -> impl Strategy<Value = Recorded> {
    prop::sample::select(&[Recorded::Nothing, Recorded::End, Recorded::Result][..])
}

/// How many findings are certain.
#[derive(Default)]
struct Tally {
    certain: u32,
    all: u32,
}

impl Tally {
    fn add(&mut self, certain: bool) {
        self.certain += u32::from(certain);
        self.all += 1;
    }

    /// Prints the tally. Fails if fewer than `least` per cent are certain: then the test would prove little.
    fn print(&self, name: &str, least: u32) {
        let Self { certain, all } = self;
        let share = certain * 100 / all;
        println!(
            "{name}: {} histories, {certain} of {all} findings certain: {share} %",
            histories()
        );
        assert!(share >= least, "{name}: {share} %");
    }
}

/// What the creates of a history make.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Created {
    /// Snapshots of `vol-1`.
    Snapshots,
    /// Volumes from `dsnap-1`.
    Volumes,
}

/// A create. Times are in seconds.
#[derive(Clone, Debug)]
struct Create {
    begun: i64,
    lasted: i64,
    recorded: Recorded,
    traceable: bool,
    /// Whether the call doesn't say what it creates from.
    keyless: bool,
    effect: Option<Effect>,
}

/// The objects that an effect created.
#[derive(Clone, Debug)]
struct Effect {
    /// How long after the beginning of the call each object was created, and then shown, in thousandths of the time there is.
    objects: Vec<(i64, i64)>,
    /// Whether the objects have the tag of their group yet.
    grouped: bool,
    /// When another EBS volume takes the place of those of a volume, in thousandths of the time until the fetch.
    replaced: Option<i64>,
}

impl Effect {
    /// The times of the objects that EC2 shows. `last`: all were created and shown by then.
    fn shown(&self, created: Created, begun: i64, last: i64, fetched: i64) -> Vec<i64> {
        let times: Vec<_> =
            self.objects.iter().map(|(created, _)| part(begun, last, *created)).collect();
        let newest = times.iter().copied().max().unwrap_or(begun);
        if let (Created::Volumes, Some(replaced)) = (created, self.replaced)
            && newest < fetched
        {
            return vec![part(newest, fetched, replaced)];
        }
        let is_shown =
            |(time, (_, shown)): &(i64, &(i64, i64))| part(*time, last, *shown) <= fetched;
        times.into_iter().zip(&self.objects).filter(is_shown).map(|(time, _)| time).collect()
    }
}

/// A copy of an object.
#[derive(Clone, Debug)]
struct Copy {
    /// Which object, in thousandths of all that are shown.
    of: i64,
    /// When, in thousandths of the time until the fetch.
    time: i64,
    /// Whether the copy has all tags. Otherwise it lacks that of the group.
    all_tags: bool,
    described: bool,
}

#[derive(Clone, Debug)]
struct History {
    calls: Vec<Create>,
    clocks: Clocks,
    /// Whether the service copies descriptions to EC2.
    carried: bool,
    /// When the objects are fetched.
    fetched: i64,
    /// How long after it the calls are read from a journal.
    read: i64,
    /// When others created snapshots: outside the windows of all calls.
    others: Vec<i64>,
    copies: Vec<Copy>,
}

fn history() -> impl Strategy<Value = History> {
    let objects = prop::collection::vec((thousandths(), thousandths()), 1..4);
    let effect = (objects, seldom(), prop::option::weighted(0.3, thousandths())).prop_map(
        |(objects, ungrouped, replaced)| Effect { objects, grouped: !ungrouped, replaced },
    );
    let create =
        (0..12_000_i64, 0..=LONGEST, recorded(), any::<bool>(), seldom(), prop::option::of(effect))
            .prop_map(|(begun, lasted, recorded, traceable, keyless, effect)| Create {
                begun,
                lasted,
                recorded,
                traceable,
                keyless,
                effect,
            });
    let calls = prop::collection::vec(create, 1..6);
    let others = prop::collection::vec(-20_000..30_000_i64, 0..4);
    let copy = (thousandths(), thousandths(), any::<bool>(), any::<bool>())
        .prop_map(|(of, time, all_tags, described)| Copy { of, time, all_tags, described });
    let copies = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(copy, 1..3)];
    (calls, clocks(), any::<bool>(), 0..16_000_i64, 0..200_i64, others, copies).prop_map(
        |(calls, clocks, carried, fetched, read, others, copies)| History {
            calls,
            clocks,
            carried,
            fetched,
            read,
            others,
            copies,
        },
    )
}

/// An object of either kind.
#[derive(Clone, Debug)]
struct Object {
    time: i64,
    group: Option<String>,
    description: String,
}

impl History {
    /// The calls that were begun before the journal is read, with the IDs of what they created.
    fn calls(&self, created: Created) -> Vec<(SentCall, Option<String>)> {
        let read = self.fetched + self.read;
        let begun = self.calls.iter().enumerate().filter(|(_, sent)| sent.begun <= read);
        begun
            .map(|(number, sent)| {
                let mut subject = Subject::default();
                let operation = match created {
                    Created::Snapshots => "create_snapshot",
                    Created::Volumes => "create_volume_from_snapshots",
                };
                match created {
                    _ if sent.keyless => {}
                    Created::Snapshots => subject.volume = Some("vol-1".parse().unwrap()),
                    Created::Volumes => subject.snapshot = Some("dsnap-1".parse().unwrap()),
                }
                let mut call = SentCall::new(operation, subject, at(sent.begun));
                let ended = sent.recorded != Recorded::Nothing;
                call.ended = ended.then(|| at(sent.begun + sent.lasted));
                call.marker = sent.traceable.then(|| marker(number));
                let id = sent.effect.as_ref().map(|_| created.id(number));
                if sent.recorded == Recorded::Result {
                    call.state = if id.is_some() { StepState::Applied } else { StepState::Refused };
                    call.created_id.clone_from(&id);
                }
                (call, id)
            })
            .collect()
    }

    /// What EC2 shows at the time of the fetch.
    fn objects(&self, created: Created, world: World) -> Vec<Object> {
        let late = if world.late { SETTLING } else { 0 };
        let mut objects = Vec::new();
        for (number, sent) in self.calls.iter().enumerate() {
            let Some(effect) = &sent.effect else { continue };
            let last = sent.begun + sent.lasted + SETTLING + late;
            let group = effect.grouped.then(|| created.id(number));
            let carried = self.carried && sent.traceable;
            let description =
                if carried { format!("nightly {}", marker(number)) } else { String::new() };
            let times = effect.shown(created, sent.begun, last, self.fetched).into_iter();
            objects.extend(times.map(|time| Object {
                time,
                group: group.clone(),
                description: description.clone(),
            }));
        }
        // Volumes of others look younger once they are replaced, so they are never certain to be others.
        let others = self.others.iter().filter(|_| created == Created::Snapshots);
        for (number, time) in others.enumerate() {
            let inside = |sent: &Create| {
                let ended = sent.recorded != Recorded::Nothing;
                let lasted = if ended { sent.lasted } else { LONGEST };
                (sent.begun - 2 * SKEW..=sent.begun + lasted + SETTLING + 2 * SKEW).contains(time)
            };
            if *time <= self.fetched && !self.calls.iter().any(inside) {
                let group = Some(created.id(100 + number));
                objects.push(Object { time: *time, group, description: String::new() });
            }
        }
        let originals = objects.len();
        for copy in self.copies.iter().filter(|_| originals > 0) {
            let of =
                usize::try_from(part(0, i64::try_from(originals).unwrap() - 1, copy.of)).unwrap();
            let original = objects[of].clone();
            let time = part(original.time, self.fetched.max(original.time), copy.time);
            let group = original.group.filter(|_| copy.all_tags);
            let described = if copy.described { original.description } else { "copied".to_owned() };
            objects.push(Object { time, group, description: described });
        }
        if world.no_originals && objects.len() > originals {
            objects.drain(..originals);
        }
        objects
    }

    fn snapshots(&self, objects: &[Object]) -> Vec<Ec2Snapshot> {
        let snapshot = |(number, it): (usize, &Object)| {
            let mut tags = vec![tag("datafy:source-volume:id", "vol-1")];
            tags.extend(it.group.as_deref().map(|group| tag("datafy:snapshot:id", group)));
            let time = at(it.time + self.clocks.ec2);
            Ec2Snapshot::new(format!("snap-{number}"), time, &it.description, tags)
        };
        objects.iter().enumerate().map(snapshot).collect()
    }

    fn volumes(&self, objects: &[Object]) -> Vec<Ec2Volume> {
        let volume = |(number, it): (usize, &Object)| {
            let mut tags = vec![tag("datafy:restored-from-snapshot:id", "dsnap-1")];
            tags.extend(it.group.as_deref().map(|group| tag("datafy:source-volume:id", group)));
            let time = at(it.time + self.clocks.ec2);
            Ec2Volume::new(format!("vol-e{number}"), time, "available", vec![], tags)
        };
        objects.iter().enumerate().map(volume).collect()
    }

    fn fetched(&self) -> DateTime<Utc> {
        at(self.fetched + self.clocks.fetch)
    }

    /// What is known to the caller from the answers of EC2.
    fn seen(&self, created: Created, calls: &[SentCall], world: World) -> Ec2Objects {
        let objects = self.objects(created, world);
        match created {
            Created::Snapshots => seen(calls, &self.snapshots(&objects), &[], self.fetched()),
            Created::Volumes => seen(calls, &[], &self.volumes(&objects), self.fetched()),
        }
    }
}

impl Created {
    fn id(self, number: usize) -> String {
        match self {
            Self::Snapshots => format!("dsnap-{number}"),
            Self::Volumes => format!("vol-{number}"),
        }
    }
}

fn marker(number: usize) -> String {
    format!("[datafy-{number:010}]")
}

/// What is different from what the documentation relies on.
#[derive(Clone, Copy, Default)]
struct World {
    /// Objects appear after the settling time.
    late: bool,
    /// The originals of copies are deleted, or in another region.
    no_originals: bool,
}

/// Whether the finding about a create is certain. Fails if it is wrong about what the call created.
fn is_certain(finding: &Finding, id: Option<&str>) -> Result<bool, TestCaseError> {
    match finding {
        Finding::Happened { id: found, .. } => prop_assert_eq!(Some(found.as_str()), id),
        Finding::DidNotHappen => prop_assert_eq!(None, id),
        Finding::Ambiguous(_) | Finding::NotYetSeen { .. } | Finding::NotLookedUp(_) => {
            return Ok(false);
        }
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
    }
    Ok(true)
}

/// Checks the findings about random creates. Returns the first wrong one.
fn check(
    created: Created,
    world: World,
    settings: &Settings,
    change: fn(&mut Vec<SentCall>),
) -> (Result<(), String>, Tally) {
    let tally = RefCell::new(Tally::default());
    let result = try_all(histories(), history(), |history| {
        let (mut calls, ids): (Vec<_>, Vec<_>) = history.calls(created).into_iter().unzip();
        change(&mut calls);
        let found = find_out(&calls, &history.seen(created, &calls, world), settings);
        for ((finding, id), call) in found.iter().zip(&ids).zip(&calls) {
            let unasked = matches!(finding, Finding::NotLookedUp(_));
            if *finding == Finding::Known || (unasked && call.subject == Subject::default()) {
                continue;
            }
            prop_assert!(!unasked, "{finding:?}");
            tally.borrow_mut().add(is_certain(finding, id.as_deref())?);
        }
        Ok(())
    });
    (result, tally.into_inner())
}

#[test]
fn a_finding_about_a_create_is_never_wrong() {
    // The histories are crowded: most calls overlap others, and any earlier call may have created a volume.
    for (created, least) in [(Created::Snapshots, 65), (Created::Volumes, 35)] {
        let (result, tally) = check(created, World::default(), &settings(), |_| ());
        assert_eq!(result, Ok(()), "{created:?}");
        tally.print(&format!("{created:?}"), least);
    }
}

#[test]
fn each_allowance_and_each_known_call_is_needed() {
    type Change = fn(&mut Vec<SentCall>);
    let none: Change = |_| ();
    let right = World::default();
    let mut weakened: Vec<(&str, World, Settings, Change)> =
        weakened().into_iter().map(|(rule, settings)| (rule, right, settings, none)).collect();
    weakened.extend([
        // The first call alone: overlaps and known calls are ignored.
        ("one call", right, settings(), (|calls| calls.truncate(1)) as Change),
        // Limits that the documentation states.
        ("late objects", World { late: true, ..right }, settings(), none),
        ("copies alone", World { no_originals: true, ..right }, settings(), none),
    ]);
    for created in [Created::Snapshots, Created::Volumes] {
        for (rule, world, settings, change) in &weakened {
            let (result, _) = check(created, *world, settings, *change);
            assert!(result.is_err(), "{created:?}: {rule}");
        }
    }
}

/// What `--query` or `jq` does to each object of an output.
#[derive(Clone, Debug)]
enum Cut {
    Member(&'static str),
    AttachmentMember(&'static str),
    TagMember(&'static str),
    Tag(&'static str),
    ObjectsAsLists,
    TagsAsLists,
    /// Lists instead of the whole document.
    Bare,
    Nested,
}

fn cuts() -> impl Strategy<Value = Cut> {
    let members = [
        "SnapshotId",
        "VolumeId",
        "StartTime",
        "CreateTime",
        "Description",
        "State",
        "Tags",
        "Attachments",
    ];
    let tags =
        ["datafy:source-volume:id", "datafy:snapshot:id", "datafy:restored-from-snapshot:id"];
    let mut all: Vec<Cut> = members.into_iter().map(Cut::Member).collect();
    all.extend(["InstanceId", "Device", "State"].map(Cut::AttachmentMember));
    all.extend(["Key", "Value"].map(Cut::TagMember));
    all.extend(tags.map(Cut::Tag));
    all.extend([Cut::ObjectsAsLists, Cut::TagsAsLists, Cut::Bare, Cut::Nested]);
    prop::sample::select(all)
}

impl Cut {
    fn apply(&self, object: &mut Value) {
        let remove = |object: &mut Value, member: &str| {
            object.as_object_mut().unwrap().remove(member);
        };
        match *self {
            Self::Member(member) => remove(object, member),
            Self::AttachmentMember(member) => {
                let attachments = object.get_mut("Attachments").and_then(Value::as_array_mut);
                attachments.into_iter().flatten().for_each(|it| remove(it, member));
            }
            Self::TagMember(member) => {
                object["Tags"].as_array_mut().unwrap().iter_mut().for_each(|it| remove(it, member));
            }
            Self::Tag(key) => object["Tags"].as_array_mut().unwrap().retain(|it| it["Key"] != key),
            Self::ObjectsAsLists => list(object),
            Self::TagsAsLists => object["Tags"].as_array_mut().unwrap().iter_mut().for_each(list),
            Self::Bare | Self::Nested => {}
        }
    }

    /// The output of a query whose result are these objects.
    fn output(&self, kind: &str, mut objects: Vec<Value>) -> Vec<u8> {
        for object in &mut objects {
            self.apply(object);
        }
        let document = match self {
            Self::Bare => Value::Array(objects),
            Self::Nested => json!([objects]),
            _ => json!({ kind: objects }),
        };
        document.to_string().into_bytes()
    }
}

/// Replaces an object by the list of its values.
fn list(object: &mut Value) {
    *object = object.as_object().unwrap().values().cloned().collect();
}

fn tags_json(tags: &[(String, String)]) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

fn snapshot_json(it: &Ec2Snapshot) -> Value {
    json!({ "SnapshotId": it.snapshot_id, "StartTime": it.start_time, "State": "completed",
        "Description": it.description, "Tags": tags_json(&it.tags) })
}

fn volume_json(it: &Ec2Volume) -> Value {
    let attachments: Value = it
        .attachments
        .iter()
        .map(|it| json!({ "InstanceId": it.instance_id, "Device": "/dev/sdb", "State": it.state }))
        .collect();
    json!({ "VolumeId": it.volume_id, "CreateTime": it.create_time, "State": it.state,
        "Attachments": attachments, "Tags": tags_json(&it.tags) })
}

/// Reads the output of each query, from which something was cut. Output that can't be read is left out.
fn read_cut(
    seen: &Ec2Objects,
    calls: &[SentCall],
    fetched: DateTime<Utc>,
    cut: &Cut,
) -> (Ec2Objects, bool) {
    let mut objects = Ec2Objects::new(fetched);
    let mut refused = false;
    for query in Query::of_all(calls) {
        let output = if query.command == "describe-snapshots" {
            cut.output("Snapshots", seen.snapshots().iter().map(snapshot_json).collect())
        } else {
            cut.output("Volumes", seen.volumes().iter().map(volume_json).collect())
        };
        refused |= objects.read(&query, &output).is_err();
    }
    (objects, refused)
}

#[test]
fn a_finding_from_output_that_was_cut_is_never_wrong() {
    let tallies = RefCell::new([0, 0]);
    for created in [Created::Snapshots, Created::Volumes] {
        let result = try_all(histories() / 3, (history(), cuts()), |(history, cut)| {
            let (calls, ids): (Vec<_>, Vec<_>) = history.calls(created).into_iter().unzip();
            let whole = history.seen(created, &calls, World::default());
            let (objects, refused) = read_cut(&whole, &calls, history.fetched(), &cut);
            tallies.borrow_mut()[usize::from(refused)] += 1;
            for (finding, id) in find_out(&calls, &objects, &settings()).iter().zip(&ids) {
                if *finding != Finding::Known {
                    is_certain(finding, id.as_deref())?;
                }
            }
            Ok(())
        });
        assert_eq!(result, Ok(()), "{created:?}");
    }
    let [read, refused] = tallies.into_inner();
    println!("cut output: read {read} times, refused {refused} times");
    assert!(refused > read / 5);
}

/// A Datafy volume, and the attaches of it.
#[derive(Clone, Debug)]
struct Attaches {
    /// How long the call lasted that created the volume, which began at the time 0.
    lasted: i64,
    /// When each EBS volume was created, and then shown, in thousandths of the time there is. None: there is no volume.
    parts: Vec<(i64, i64)>,
    calls: Vec<Attach>,
    /// When somebody detached all EBS volumes.
    detached: Vec<i64>,
    fetched: i64,
    /// How long after it the calls are read from a journal.
    read: i64,
    clocks: Clocks,
}

#[derive(Clone, Debug)]
struct Attach {
    /// After the volume was created.
    begun: i64,
    lasted: i64,
    recorded: Recorded,
    instance: &'static str,
    /// When each EBS volume was being attached and was attached, in thousandths of the time there is.
    effect: Option<Vec<(i64, i64)>>,
}

/// The most EBS volumes of a volume.
const PARTS: usize = 3;

fn attaches() -> impl Strategy<Value = Attaches> {
    let parts = prop::collection::vec((thousandths(), thousandths()), 0..=PARTS);
    let effect = prop::collection::vec((thousandths(), thousandths()), PARTS);
    let attach = (
        prop_oneof![0..300_i64, 0..6_000_i64],
        0..=LONGEST,
        recorded(),
        prop::sample::select(&["i-1", "i-2"][..]),
        prop::option::of(effect),
    )
        .prop_map(|(begun, lasted, recorded, instance, effect)| Attach {
            begun,
            lasted,
            recorded,
            instance,
            effect,
        });
    let calls = prop::collection::vec(attach, 1..4);
    let detached = prop::collection::vec(0..6_000_i64, 0..3);
    // Often about the time at which the first call was begun.
    let fetched = prop_oneof![
        (0..9_000_i64).prop_map(|time| (false, time)),
        (-100..200_i64).prop_map(|time| (true, time))
    ];
    (0..=LONGEST, parts, calls, detached, fetched, 0..200_i64, clocks()).prop_map(
        |(lasted, parts, calls, detached, (relative, time), read, clocks)| {
            let fetched = if relative { lasted + calls[0].begun + time } else { time };
            Attaches { lasted, parts, calls, detached, fetched, read, clocks }
        },
    )
}

/// What happens to an EBS volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Detached,
    Attaching(&'static str),
    Attached(&'static str),
}

impl Attach {
    /// When each change of this EBS volume, which was created at the time `created`, happens.
    fn events(&self, offset: i64, part_number: usize, created: i64) -> Option<[(i64, Event); 2]> {
        let begun = self.begun + offset;
        let (attaching, attached) = self.effect.as_ref()?[part_number];
        let last = begun + self.lasted + SETTLING;
        let attaching = part(begun.max(created), last.max(created), attaching);
        let attached = part(attaching, last.max(created), attached);
        let instance = self.instance;
        Some([(attaching, Event::Attaching(instance)), (attached, Event::Attached(instance))])
    }
}

impl Attaches {
    /// When each EBS volume was created, and shown.
    fn parts(&self) -> Vec<(i64, i64)> {
        let last = self.lasted + SETTLING;
        let times = |(created, shown): &(i64, i64)| {
            let created = part(0, last, *created);
            (created, part(created, last, *shown))
        };
        self.parts.iter().map(times).collect()
    }

    /// What this EBS volume is attached to at the fetch.
    fn state(&self, part_number: usize, created: i64) -> Event {
        let mut events: Vec<_> = self.detached.iter().map(|at| (*at, Event::Detached)).collect();
        let calls = self.calls.iter();
        events
            .extend(calls.filter_map(|it| it.events(self.lasted, part_number, created)).flatten());
        events.sort_unstable();
        let mut state = Event::Detached;
        for (time, event) in events {
            state = match (state, event) {
                _ if time > self.fetched => break,
                // EC2 refuses to attach what is attached.
                (Event::Detached, Event::Attaching(_)) | (_, Event::Detached) => event,
                (Event::Attaching(from), Event::Attached(to)) if from == to => event,
                _ => state,
            };
        }
        state
    }

    fn calls(&self) -> Vec<(SentCall, &Attach)> {
        let read = self.fetched + self.read;
        let begun = self.calls.iter().filter(|it| it.begun + self.lasted <= read);
        begun
            .map(|it| {
                let mut subject = Subject::default();
                subject.volume = Some("vol-1".parse().unwrap());
                subject.instance = Some(it.instance.parse().unwrap());
                let begun = it.begun + self.lasted;
                let mut call = SentCall::new("attach_volume", subject, at(begun));
                call.ended = (it.recorded != Recorded::Nothing).then(|| at(begun + it.lasted));
                (call, it)
            })
            .collect()
    }

    fn volumes(&self) -> Vec<Ec2Volume> {
        let mut volumes = Vec::new();
        for (number, (created, shown)) in self.parts().into_iter().enumerate() {
            if shown <= self.fetched {
                let attachment = match self.state(number, created) {
                    Event::Detached => None,
                    Event::Attaching(instance) => Some(Attachment::new(instance, "attaching")),
                    Event::Attached(instance) => Some(Attachment::new(instance, "attached")),
                };
                let state = if attachment.is_some() { "in-use" } else { "available" };
                let tags = vec![tag("datafy:source-volume:id", "vol-1")];
                volumes.push(Ec2Volume::new(
                    format!("vol-e{number}"),
                    at(created + self.clocks.ec2),
                    state,
                    attachment.into_iter().collect(),
                    tags,
                ));
            }
        }
        volumes
    }

    /// Whether the finding about an attach is certain. Fails if it is wrong.
    fn check(&self, finding: &Finding, call: &Attach) -> Result<bool, TestCaseError> {
        let states: Vec<_> = (0..)
            .zip(self.parts())
            .map(|(number, (created, _))| {
                let exists = created <= self.fetched;
                if exists { self.state(number, created) } else { Event::Detached }
            })
            .collect();
        let may_still_act = (0..).zip(self.parts()).any(|(number, (created, _))| {
            let events = call.events(self.lasted, number, created).into_iter().flatten();
            events.into_iter().any(|(time, _)| time > self.fetched)
        });
        match finding {
            Finding::Attached => {
                let attached = Event::Attached(call.instance);
                prop_assert!(call.begun + self.lasted <= self.fetched);
                prop_assert!(!states.is_empty() && states.iter().all(|it| *it == attached));
            }
            Finding::NotAttached => {
                prop_assert!(!states.is_empty() && !may_still_act);
                prop_assert!(states.iter().all(|it| *it == Event::Detached), "{states:?}");
            }
            Finding::NoVolumes => prop_assert!(states.is_empty()),
            Finding::AttachedElsewhere { .. }
            | Finding::Partly { .. }
            | Finding::NotYetSeen { .. } => {
                return Ok(false);
            }
            Finding::NotLookedUp(_) => return Ok(false),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        }
        Ok(true)
    }
}

/// Checks the findings about random attaches. Returns the first wrong one.
fn check_attaches(settings: &Settings, cut: bool) -> (Result<(), String>, Tally) {
    let tally = RefCell::new(Tally::default());
    let result = try_all(histories(), (attaches(), cuts()), |(history, what)| {
        let (calls, truth): (Vec<_>, Vec<_>) = history.calls().into_iter().unzip();
        let fetched = at(history.fetched + history.clocks.fetch);
        let mut objects = seen(&calls, &[], &history.volumes(), fetched);
        if cut {
            (objects, _) = read_cut(&objects, &calls, fetched, &what);
        }
        for (finding, call) in find_out(&calls, &objects, settings).iter().zip(truth) {
            tally.borrow_mut().add(history.check(finding, call)?);
        }
        Ok(())
    });
    (result, tally.into_inner())
}

#[test]
fn a_finding_about_an_attach_is_never_wrong() {
    for (name, cut, least) in [("attaches", false, 40), ("attaches, cut output", true, 20)] {
        let (result, tally) = check_attaches(&settings(), cut);
        assert_eq!(result, Ok(()), "{name}");
        tally.print(name, least);
    }
}

#[test]
fn each_allowance_is_needed_for_an_attach() {
    for (rule, settings) in weakened() {
        assert!(check_attaches(&settings, false).0.is_err(), "{rule}");
    }
}
