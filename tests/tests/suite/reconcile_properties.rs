//! No history makes a verdict about a create wrong.

use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::Subject;
use datafy_api_ext::jobs::journal::StepState;
use datafy_api_ext::reconcile::{
    Ec2Objects, Ec2Snapshot, Finding, SentCall, Settings, Verdict, find_out,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::time::Duration;

const HISTORIES: u32 = 3_000;
const SKEW: i64 = 60;
const SETTLING: i64 = 900;
const LONGEST: i64 = 600;

/// What happened to one call. Times are in seconds.
#[derive(Clone, Debug)]
struct Sent {
    begun: i64,
    lasted: i64,
    /// Whether its end was recorded.
    recorded: bool,
    /// Whether the result was.
    known: bool,
    traceable: bool,
    effect: Option<Effect>,
}

/// The objects that an effect created.
#[derive(Clone, Debug)]
struct Effect {
    /// How long after the beginning of the call each object was created, and then shown, in thousandths of the time there is.
    objects: Vec<(i64, i64)>,
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
    let effect =
        prop::collection::vec((part.clone(), part), 1..4).prop_map(|objects| Effect { objects });
    let sent = (
        0..12_000_i64,
        0..=LONGEST,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(effect),
    )
        .prop_map(|(begun, lasted, recorded, known, traceable, effect)| Sent {
            begun,
            lasted,
            recorded: recorded || known,
            known,
            traceable,
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
    fn calls(&self) -> Vec<(SentCall, Option<String>)> {
        let begun = self.calls.iter().enumerate().filter(|(_, sent)| sent.begun <= self.fetched);
        begun
            .map(|(number, sent)| {
                let mut subject = Subject::default();
                subject.volume = Some("vol-1".parse().unwrap());
                let mut call = SentCall::new("create_snapshot", subject, at(sent.begun));
                call.ended = sent.recorded.then(|| at(sent.begun + sent.lasted));
                call.marker = sent.traceable.then(|| marker(number));
                let id = sent.effect.as_ref().map(|_| format!("dsnap-{number}"));
                if sent.known {
                    call.state = if id.is_some() { StepState::Applied } else { StepState::Refused };
                    call.created_id.clone_from(&id);
                }
                (call, id)
            })
            .collect()
    }

    /// What EC2 shows at the time of the fetch.
    fn objects(&self) -> Ec2Objects {
        let mut shown = Vec::new();
        let object = |id: &str, time: i64| {
            Ec2Snapshot::new(format!("snap-{id}-{time}"))
                .start_time(at(time + self.skew))
                .tag("datafy:source-volume:id", "vol-1")
                .tag("datafy:snapshot:id", id)
        };
        for (number, sent) in self.calls.iter().enumerate() {
            let last = sent.begun + sent.lasted + SETTLING;
            for (created, seen) in sent.effect.iter().flat_map(|it| &it.objects) {
                let created = sent.begun + (last - sent.begun) * created / 1_000;
                if created + (last - created) * seen / 1_000 > self.fetched {
                    continue;
                }
                let object = object(&format!("dsnap-{number}"), created);
                shown.push(if self.carried && sent.traceable {
                    object.description(format!("nightly {}", marker(number)))
                } else {
                    object
                });
            }
        }
        for (number, time) in self.others.iter().enumerate() {
            let inside = |sent: &Sent| {
                let lasted = if sent.recorded { sent.lasted } else { LONGEST };
                (sent.begun - 2 * SKEW..=sent.begun + lasted + SETTLING + 2 * SKEW).contains(time)
            };
            if *time <= self.fetched && !self.calls.iter().any(inside) {
                shown.push(object(&format!("dsnap-other-{number}"), *time));
            }
        }
        let mut objects = Ec2Objects::new();
        objects.add_snapshots(shown);
        objects
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

/// Checks the findings about random histories. Returns the first wrong one.
fn check(
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
        let (mut calls, created): (Vec<_>, Vec<_>) = history.calls().into_iter().unzip();
        change(&mut calls);
        let found = find_out(&calls, &history.objects(), at(history.fetched), settings);
        for (finding, created) in found.iter().zip(&created) {
            let certain = match finding {
                Finding::Known => continue,
                Finding::Snapshot(Verdict::Happened(id)) => {
                    prop_assert_eq!(Some(id.as_str()), created.as_deref(), "{:?}", found);
                    true
                }
                Finding::Snapshot(Verdict::DidNotHappen) => {
                    prop_assert_eq!(None, created.as_deref(), "{:?}", found);
                    true
                }
                Finding::Snapshot(_) => false,
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
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
    let mut tally = Tally::default();
    let result = check(&settings(), &mut tally, |_| ());
    let Tally { certain, all } = tally;
    println!(
        "{certain} of {all} verdicts about crowded histories are certain: {} %",
        certain * 100 / all
    );
    assert_eq!(result, Ok(()));
    // Otherwise the test would prove little.
    assert!(certain * 2 > all, "{certain} of {all}");
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
    for (rule, settings, change) in weakened {
        assert!(check(&settings, &mut Tally::default(), change).is_err(), "{rule}");
    }
}
