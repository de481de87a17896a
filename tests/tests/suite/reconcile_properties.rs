//! No history makes a verdict about a create wrong.

use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::Subject;
use datafy_api_ext::jobs::journal::StepState;
use datafy_api_ext::reconcile::{
    Ec2Objects, Ec2Snapshot, Ec2Volume, Finding, SentCall, Settings, Verdict, find_out,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::time::Duration;

const HISTORIES: u32 = 3_000;
const SKEW: i64 = 60;
const SETTLING: i64 = 900;
const LONGEST: i64 = 600;

/// What the calls create.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Created {
    /// Snapshots of `vol-1`.
    Snapshots,
    /// Volumes from `dsnap-1`.
    Volumes,
}

/// What the caller has recorded about a call, besides its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Recorded {
    Nothing,
    End,
    Result,
}

/// What happened to one call. Times are in seconds.
#[derive(Clone, Debug)]
struct Sent {
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
        let part = |from: i64, to: i64, thousandths: i64| from + (to - from) * thousandths / 1_000;
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

#[derive(Clone, Debug)]
struct History {
    calls: Vec<Sent>,
    /// How far the clock of EC2 is ahead of that of the caller.
    skew: i64,
    /// Whether the service copies descriptions to EC2.
    carried: bool,
    /// When the objects are fetched.
    fetched: i64,
    /// When others created snapshots: outside the windows of all calls.
    others: Vec<i64>,
}

fn history() -> impl Strategy<Value = History> {
    let part = 0..=1_000_i64;
    let seldom = || prop::bool::weighted(0.1);
    let objects = prop::collection::vec((part.clone(), part.clone()), 1..4);
    let effect = (objects, seldom(), prop::option::weighted(0.3, part)).prop_map(
        |(objects, ungrouped, replaced)| Effect { objects, grouped: !ungrouped, replaced },
    );
    let sent = (
        0..12_000_i64,
        0..=LONGEST,
        prop::sample::select(&[Recorded::Nothing, Recorded::End, Recorded::Result][..]),
        any::<bool>(),
        seldom(),
        prop::option::of(effect),
    )
        .prop_map(|(begun, lasted, recorded, traceable, keyless, effect)| Sent {
            begun,
            lasted,
            recorded,
            traceable,
            keyless,
            effect,
        });
    let calls = prop::collection::vec(sent, 1..6);
    let others = prop::collection::vec(-20_000..30_000_i64, 0..4);
    (calls, -SKEW..=SKEW, any::<bool>(), 0..16_000_i64, others).prop_map(
        |(calls, skew, carried, fetched, others)| History { calls, skew, carried, fetched, others },
    )
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + seconds)
}

impl History {
    /// The calls that were begun before the fetch, with the IDs of what they created.
    fn calls(&self, created: Created) -> Vec<(SentCall, Option<String>)> {
        let begun = self.calls.iter().enumerate().filter(|(_, sent)| sent.begun <= self.fetched);
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
    fn objects(&self, created: Created) -> Ec2Objects {
        let mut objects = Ec2Objects::new();
        objects.mark_complete();
        for (number, sent) in self.calls.iter().enumerate() {
            let Some(effect) = &sent.effect else { continue };
            let last = sent.begun + sent.lasted + SETTLING;
            let group = effect.grouped.then(|| created.id(number));
            let description =
                (self.carried && sent.traceable).then(|| format!("nightly {}", marker(number)));
            for time in effect.shown(created, sent.begun, last, self.fetched) {
                self.show(&mut objects, created, group.as_deref(), description.as_deref(), time);
            }
        }
        // Volumes of others look younger once they are replaced, so they are never certain to be others.
        let others = self.others.iter().filter(|_| created == Created::Snapshots);
        for (number, time) in others.enumerate() {
            let inside = |sent: &Sent| {
                let ended = sent.recorded != Recorded::Nothing;
                let lasted = if ended { sent.lasted } else { LONGEST };
                (sent.begun - 2 * SKEW..=sent.begun + lasted + SETTLING + 2 * SKEW).contains(time)
            };
            if *time <= self.fetched && !self.calls.iter().any(inside) {
                let group = created.id(100 + number);
                self.show(&mut objects, created, Some(&group), None, *time);
            }
        }
        objects
    }

    /// Adds an object that was created at `time`.
    fn show(
        &self,
        objects: &mut Ec2Objects,
        created: Created,
        group: Option<&str>,
        description: Option<&str>,
        time: i64,
    ) {
        let id = format!("{group:?}-{time}");
        let time = at(time + self.skew);
        match created {
            Created::Snapshots => {
                let mut object =
                    Ec2Snapshot::new(id).start_time(time).tag("datafy:source-volume:id", "vol-1");
                object.description = description.map(str::to_owned);
                if let Some(group) = group {
                    object = object.tag("datafy:snapshot:id", group);
                }
                objects.add_snapshots([object]);
            }
            Created::Volumes => {
                let mut object = Ec2Volume::new(id)
                    .create_time(time)
                    .tag("datafy:restored-from-snapshot:id", "dsnap-1");
                if let Some(group) = group {
                    object = object.tag("datafy:source-volume:id", group);
                }
                objects.add_volumes([object]);
            }
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

#[derive(Default)]
struct Tally {
    certain: u32,
    all: u32,
}

/// Whether the verdict is certain. Fails if it is wrong about what the call created.
fn is_certain<Id: AsRef<str>>(
    verdict: &Verdict<Id>,
    id: Option<&str>,
) -> Result<bool, TestCaseError> {
    match verdict {
        Verdict::Happened(found) => prop_assert_eq!(Some(found.as_ref()), id),
        Verdict::DidNotHappen => prop_assert_eq!(None, id),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Checks the findings about random histories. Returns the first wrong one.
fn check(
    created: Created,
    settings: &Settings,
    tally: &mut Tally,
    change: fn(&mut Vec<SentCall>),
) -> Result<(), String> {
    let config = Config {
        cases: HISTORIES,
        rng_seed: RngSeed::Fixed(15),
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    let tally = std::cell::RefCell::new(tally);
    let result = TestRunner::new(config).run(&history(), |history| {
        let (mut calls, ids): (Vec<_>, Vec<_>) = history.calls(created).into_iter().unzip();
        change(&mut calls);
        let found = find_out(&calls, &history.objects(created), at(history.fetched), settings);
        for ((finding, id), call) in found.iter().zip(&ids).zip(&calls) {
            let certain = match (created, finding) {
                (_, Finding::Known) => continue,
                (_, Finding::NotLookedUp(_)) if call.subject == Subject::default() => continue,
                (Created::Snapshots, Finding::Snapshot(verdict)) => {
                    is_certain(verdict, id.as_deref())?
                }
                (Created::Volumes, Finding::Volume(verdict)) => is_certain(verdict, id.as_deref())?,
                (_, other) => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            let mut tally = tally.borrow_mut();
            tally.certain += u32::from(certain);
            tally.all += 1;
        }
        Ok(())
    });
    result.map_err(|error| error.to_string())
}

fn settings() -> Settings {
    let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
    Settings::new()
        .clock_skew(seconds(SKEW))
        .settling_time(seconds(SETTLING))
        .longest_call(seconds(LONGEST))
}

#[test]
fn a_verdict_is_never_wrong() {
    // The histories are crowded: most calls overlap others, and any earlier call may have created a volume.
    for (created, least) in [(Created::Snapshots, 50), (Created::Volumes, 30)] {
        let mut tally = Tally::default();
        let result = check(created, &settings(), &mut tally, |_| ());
        let Tally { certain, all } = tally;
        println!("{created:?}: {certain} of {all} verdicts are certain: {} %", certain * 100 / all);
        assert_eq!(result, Ok(()), "{created:?}");
        // Otherwise the test would prove little.
        assert!(certain * 100 > all * least, "{created:?}: {certain} of {all}");
    }
}

#[test]
fn each_allowance_and_each_known_call_is_needed() {
    type Change = fn(&mut Vec<SentCall>);
    let none: Change = |_| ();
    let weakened: [(&str, Settings, Change); 4] = [
        ("no clock skew", settings().clock_skew(Duration::ZERO), none),
        ("no settling time", settings().settling_time(Duration::ZERO), none),
        ("shorter calls", settings().longest_call(Duration::ZERO), none),
        // The first call alone: overlaps and known calls are ignored.
        ("one call", settings(), |calls| calls.truncate(1)),
    ];
    for created in [Created::Snapshots, Created::Volumes] {
        for (rule, settings, change) in &weakened {
            let result = check(created, settings, &mut Tally::default(), *change);
            assert!(result.is_err(), "{created:?}: {rule}");
        }
    }
}
