//! What EC2 objects prove about calls.

use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::fake::{Answer, Fake, Fault};
use datafy_api_ext::jobs::journal::{Settled, StepState};
use datafy_api_ext::reconcile::{
    AttachVerdict, Attachment, Ec2Objects, Ec2Snapshot, Ec2Volume, Finding, Query, SentCall,
    Settings, Verdict, find_out, volumes_ready,
};
use datafy_api_ext::{Clock, Subject};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

const VOLUME: &str = "vol-1";

#[tokio::test]
async fn an_unknown_error_says_how_to_find_what_it_did() {
    let fake = Fake::start().await.unwrap();
    fake.account().add_volume(VOLUME.parse().unwrap(), 100);
    let datafy = fake.client().build().unwrap();
    let call = || datafy.volume(VOLUME.parse().unwrap()).create_snapshot().traceable();
    fake.inject(Fault::ApplyThenReset);
    let now = || DateTime::<Utc>::from(SystemTime::now());
    let before = now();
    let error = call().await.unwrap_err();
    let command = "aws ec2 describe-snapshots --filters Name=tag:datafy:source-volume:id,Values=vol-1 --output json";
    assert_eq!(error.how_to_find().as_deref(), Some(command));
    let sent = SentCall::from_error(&error).unwrap();
    assert_eq!(sent.marker.as_deref(), error.marker());
    assert_eq!(sent.state, StepState::Unknown);
    let second = TimeDelta::seconds(1);
    assert!(sent.begun > before - second && sent.begun <= sent.ended.unwrap(), "{sent:?}");
    assert!(sent.ended.unwrap() <= now() + second, "{sent:?}");

    fake.inject(Fault::Answer(Answer::status(409)));
    let refused = call().await.unwrap_err();
    assert_eq!(refused.how_to_find(), None);
    assert_eq!(SentCall::from_error(&refused).unwrap().state, StepState::Refused);
}

/// A clock of a machine that is suspended for an hour during a call: only the date moves on.
#[derive(Debug, Default)]
struct Suspended(AtomicBool);

impl Clock for Suspended {
    fn date(&self) -> SystemTime {
        let hours = i64::from(self.0.swap(true, Ordering::Relaxed));
        at(hours * 3_600).into()
    }
}

#[tokio::test]
async fn a_call_during_which_the_machine_was_suspended_is_as_long_as_it_really_was() {
    let fake = Fake::start().await.unwrap();
    fake.account().add_volume(VOLUME.parse().unwrap(), 100);
    fake.inject(Fault::ApplyThenReset);
    let datafy = fake.client().clock(Suspended::default()).build().unwrap();
    let error = datafy.volume(VOLUME.parse().unwrap()).create_snapshot().await.unwrap_err();
    assert!(error.elapsed() < Duration::from_secs(60), "{error:?}");
    assert_eq!((error.started(), error.ended()), (Some(at(0)), Some(at(3_600))));
    let sent = SentCall::from_error(&error).unwrap();
    for time in [3, 3_603] {
        let found = look(std::slice::from_ref(&sent), vec![snapshot("dsnap-1", time)], LATER);
        assert_eq!(found, ["created dsnap-1"], "{time}");
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + seconds)
}

/// A create that was begun and ended at these times.
fn create(begun: i64, ended: i64) -> SentCall {
    let mut subject = Subject::default();
    subject.volume = Some(VOLUME.parse().unwrap());
    let mut call = SentCall::new("create_snapshot", subject, at(begun));
    call.ended = Some(at(ended));
    call
}

fn marked(mut call: SentCall, marker: &str) -> SentCall {
    call.marker = Some(marker.to_owned());
    call
}

fn applied(mut call: SentCall, id: &str) -> SentCall {
    (call.state, call.created_id) = (StepState::Applied, Some(id.to_owned()));
    call
}

fn snapshot(id: &str, time: i64) -> Ec2Snapshot {
    Ec2Snapshot::new(format!("snap-{id}-{time}"))
        .start_time(at(time))
        .tag("datafy:source-volume:id", VOLUME)
        .tag("datafy:snapshot:id", id)
}

fn look(calls: &[SentCall], snapshots: Vec<Ec2Snapshot>, fetched: i64) -> Vec<String> {
    let mut objects = Ec2Objects::new();
    objects.add_snapshots(snapshots);
    let findings = find_out(calls, &objects, at(fetched), &Settings::new());
    findings.iter().map(ToString::to_string).collect()
}

/// After the settling time.
const LATER: i64 = 10_000;

#[test]
fn a_create_is_absent_only_after_the_settling_time_and_the_clock_skew() {
    let end = 10 + 15 * 60 + 60;
    let early = look(&[create(0, 10)], vec![], end - 1);
    assert_eq!(early, ["not seen yet; look again after 2027-01-15T08:16:10Z"]);
    assert_eq!(look(&[create(0, 10)], vec![], end), ["created nothing"]);
}

#[test]
fn a_call_without_a_recorded_end_is_open_for_the_longest_time() {
    let mut call = create(0, 0);
    call.ended = None;
    let end = (10 + 15 + 1) * 60;
    assert!(look(&[call.clone()], vec![], end - 1)[0].starts_with("not seen yet"));
    assert_eq!(look(&[call], vec![], end), ["created nothing"]);
}

#[test]
fn the_only_group_in_the_window_is_that_of_the_call() {
    let last = 10 + 15 * 60 + 60;
    for (time, expected) in [
        (-61, "created nothing"),
        (-60, "created dsnap-1"),
        (last, "created dsnap-1"),
        (last + 1, "created nothing"),
    ] {
        let objects = vec![snapshot("dsnap-1", time), snapshot("dsnap-1", time + 2)];
        assert_eq!(look(&[create(0, 10)], objects, LATER), [expected], "{time}");
    }
}

#[test]
fn a_group_is_as_old_as_its_oldest_object() {
    let objects = vec![snapshot("dsnap-1", 5), snapshot("dsnap-1", -500)];
    assert_eq!(look(&[create(0, 10)], objects, LATER), ["created nothing"]);
}

#[test]
fn several_groups_in_the_window_are_ambiguous() {
    let objects = vec![snapshot("dsnap-2", 6), snapshot("dsnap-1", 5)];
    let expected = ["ambiguous: one of these, or none: dsnap-1 dsnap-2"];
    assert_eq!(look(&[create(0, 10)], objects, LATER), expected);
}

#[test]
fn a_group_that_a_known_call_created_is_left_out() {
    let calls = [applied(create(2, 8), "dsnap-1"), create(0, 10)];
    let objects = vec![snapshot("dsnap-1", 5), snapshot("dsnap-2", 6)];
    assert_eq!(look(&calls, objects, LATER), ["known before", "created dsnap-2"]);
    assert_eq!(look(&calls, vec![snapshot("dsnap-1", 5)], LATER)[1], "created nothing");
}

#[test]
fn a_group_in_the_windows_of_two_calls_is_ambiguous_for_both() {
    let calls = [create(0, 10), create(100, 110)];
    let ambiguous = "ambiguous: one of these, or none: dsnap-1";
    assert_eq!(look(&calls, vec![snapshot("dsnap-1", 105)], LATER), [ambiguous, ambiguous]);
    // The second call had not begun by then.
    let found = look(&calls, vec![snapshot("dsnap-1", 5)], LATER);
    assert_eq!(found, ["created dsnap-1", "created nothing"]);
}

#[test]
fn a_marker_decides_between_groups_and_between_calls() {
    let (one, two) = ("[datafy-aaaaaaaaaa]", "[datafy-bbbbbbbbbb]");
    let calls = [marked(create(0, 10), one), marked(create(0, 10), two)];
    let objects = vec![
        snapshot("dsnap-1", 5).description(format!("nightly {two}")),
        snapshot("dsnap-2", 5).description(format!("nightly {one}")),
    ];
    assert_eq!(look(&calls, objects.clone(), LATER), ["created dsnap-2", "created dsnap-1"]);
    let found = look(&calls, objects[..1].to_vec(), LATER);
    assert_eq!(found, ["created nothing", "created dsnap-1"]);
    let twice = vec![objects[0].clone(), snapshot("dsnap-3", 5).description(two)];
    let found = look(&calls, twice, LATER);
    assert_eq!(found[1], "ambiguous: one of these, or none: dsnap-1 dsnap-3");
}

#[test]
fn a_marker_that_no_call_explains_is_not_taken_for_the_call() {
    let objects = vec![snapshot("dsnap-1", 5).description("[datafy-cccccccccc]")];
    let found = look(&[create(0, 10)], objects, LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap-1"]);
}

#[test]
fn a_group_without_the_marker_is_not_taken_for_the_call_once_another_carries_one() {
    let (one, two) = ("[datafy-aaaaaaaaaa]", "[datafy-bbbbbbbbbb]");
    let calls = [marked(create(0, 10), one), marked(create(5_000, 5_010), two)];
    let plain = vec![snapshot("dsnap-1", 5)];
    assert_eq!(look(&calls, plain, LATER)[0], "created dsnap-1");
    let carried =
        vec![snapshot("dsnap-1", 5), snapshot("dsnap-2", 5_005).description(two.to_owned())];
    let found = look(&calls, carried, LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap-1", "created dsnap-2"]);
}

#[test]
fn a_required_marker_makes_the_only_group_ambiguous() {
    let mut objects = Ec2Objects::new();
    objects.add_snapshots([snapshot("dsnap-1", 5)]);
    let settings = Settings::new().require_marker(true);
    let found = find_out(&[create(0, 10)], &objects, at(LATER), &settings);
    assert!(matches!(found[0], Finding::Snapshot(Verdict::Ambiguous(_))), "{found:?}");
}

#[test]
fn objects_without_a_time_or_a_usable_id_are_ambiguous() {
    let untimed = snapshot("dsnap-1", 5).start_time(None);
    assert!(look(&[create(0, 10)], vec![untimed], LATER)[0].starts_with("ambiguous"));
    let odd = "dsnap-\u{1b}[31m\n";
    let found = look(&[create(0, 10)], vec![snapshot(odd, 5)], LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap- [31m "]);
    let others = vec![
        Ec2Snapshot::new("snap-1"),
        Ec2Snapshot::new("snap-2").start_time(at(5)).tag("datafy:source-volume:id", VOLUME),
    ];
    assert_eq!(look(&[create(0, 10)], others, LATER), ["ambiguous: one of these, or none: snap-2"]);
}

#[test]
fn an_object_without_the_tag_of_a_group_is_never_the_only_one_that_counts() {
    let untagged = |time| {
        Ec2Snapshot::new("snap-copy").start_time(time).tag("datafy:source-volume:id", VOLUME)
    };
    let of_the_call = snapshot("dsnap-1", 5);
    let found = look(&[create(0, 10)], vec![untagged(Some(at(5))), of_the_call], LATER);
    assert_eq!(found, ["created dsnap-1"]);
    for (time, expected) in [
        (Some(at(-61)), "created nothing"),
        (Some(at(5_000)), "created nothing"),
        (Some(at(5)), "ambiguous: one of these, or none: snap-copy"),
        (None, "ambiguous: one of these, or none: snap-copy"),
    ] {
        assert_eq!(look(&[create(0, 10)], vec![untagged(time)], LATER), [expected], "{time:?}");
    }
}

#[test]
fn a_marker_outside_the_window_is_that_of_an_earlier_use_of_the_call() {
    let call = marked(create(0, 10), "[datafy-aaaaaaaaaa]");
    let of_yesterday = snapshot("dsnap-1", -86_400).description("[datafy-aaaaaaaaaa]");
    let untimed = of_yesterday.clone().start_time(None);
    for object in [of_yesterday, untimed] {
        let found = look(std::slice::from_ref(&call), vec![object], LATER);
        assert_eq!(found, ["ambiguous: one of these, or none: dsnap-1"]);
    }
}

#[test]
fn a_clock_that_was_set_back_during_a_call_widens_its_window() {
    let found = look(&[create(0, -600)], vec![snapshot("dsnap-1", -590)], LATER);
    assert_eq!(found, ["created dsnap-1"]);
}

#[test]
fn an_applied_call_without_an_id_gets_the_id_or_stays_ambiguous() {
    let mut call = create(0, 10);
    call.state = StepState::Applied;
    let found = look(&[call.clone()], vec![snapshot("dsnap-1", 5)], LATER);
    assert_eq!(found, ["created dsnap-1"]);
    let found = look(&[call], vec![], LATER);
    assert_eq!(found, ["ambiguous: the service acted, and no object was found"]);
}

#[test]
fn several_calls_in_one_step_are_ambiguous() {
    let mut call = create(0, 10);
    call.created_id = Some("dsnap-1".to_owned());
    let found = look(&[call], vec![snapshot("dsnap-2", 5)], LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap-2"]);
}

fn restore(begun: i64, ended: i64) -> SentCall {
    let mut subject = Subject::default();
    subject.snapshot = Some("dsnap-1".parse().unwrap());
    let mut call = SentCall::new("create_volume_from_snapshots", subject, at(begun));
    call.ended = Some(at(ended));
    call
}

/// An attach to `i-1` that was begun at the time 0.
fn attach() -> SentCall {
    let mut subject = Subject::default();
    subject.volume = Some(VOLUME.parse().unwrap());
    subject.instance = Some("i-1".parse().unwrap());
    SentCall::new("attach_volume", subject, at(0))
}

fn restored(id: &str, volume: &str, time: i64) -> Ec2Volume {
    Ec2Volume::new(id)
        .create_time(at(time))
        .state("available")
        .tag("datafy:restored-from-snapshot:id", "dsnap-1")
        .tag("datafy:source-volume:id", volume)
}

#[test]
fn a_created_volume_is_grouped_by_the_datafy_volume() {
    let look = |volumes: Vec<Ec2Volume>| {
        let mut objects = Ec2Objects::new();
        objects.add_volumes(volumes);
        find_out(&[restore(0, 10)], &objects, at(LATER), &Settings::new()).remove(0)
    };
    let found = look(vec![restored("vol-a", "vol-9", 5), restored("vol-b", "vol-9", 6)]);
    assert_eq!(found, Finding::Volume(Verdict::Happened("vol-9".parse().unwrap())));
    assert_eq!(found.settled(), Some(Settled::Applied { id: Some("vol-9".to_owned()) }));
    assert_eq!(look(vec![]).settled(), Some(Settled::NotApplied));
    // Its first EBS volumes may have been replaced, and the tags of new ones follow.
    let mut untagged = restored("vol-a", "vol-9", 5_000);
    untagged.tags.truncate(1);
    for younger in [restored("vol-a", "vol-9", 5_000), untagged] {
        let found = look(vec![younger]);
        assert!(matches!(found, Finding::Volume(Verdict::Ambiguous(_))), "{found:?}");
        assert_eq!(found.settled(), None);
    }
}

#[test]
fn a_volume_may_be_that_of_any_call_that_began_before_its_ebs_volumes() {
    let look = |calls: &[SentCall], volumes: Vec<Ec2Volume>| {
        let mut objects = Ec2Objects::new();
        objects.add_volumes(volumes);
        let findings = find_out(calls, &objects, at(LATER), &Settings::new());
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let calls = [restore(0, 10), restore(5_000, 5_010)];
    let ambiguous = "ambiguous: one of these, or none: vol-9";
    // That of the first call, replaced, or that of the second one.
    assert_eq!(look(&calls, vec![restored("vol-a", "vol-9", 5_005)]), [ambiguous, ambiguous]);
    let found = look(&calls, vec![restored("vol-a", "vol-9", 5)]);
    assert_eq!(found, ["created vol-9", "created nothing"]);
    // A call that doesn't say from which snapshot may have created it.
    let mut other = restore(0, 10);
    other.subject.snapshot = None;
    let found = look(&[restore(0, 10), other], vec![restored("vol-a", "vol-9", 5)]);
    assert_eq!(found, [ambiguous, "not looked up: the call doesn't say what to look for"]);
}

#[test]
fn an_attachment_that_was_seen_before_the_call_proves_nothing() {
    let call = attach();
    let mut objects = Ec2Objects::new();
    let volume = Ec2Volume::new("a").tag("datafy:source-volume:id", VOLUME);
    objects.add_volumes([volume.attachment(Attachment::new("i-1", "/dev/sdb", "attached"))]);
    let find =
        |fetched| find_out(std::slice::from_ref(&call), &objects, at(fetched), &Settings::new());
    assert!(matches!(find(-1)[0], Finding::NotLookedUp(_)), "{:?}", find(-1));
    assert_eq!(find(0), [Finding::Attach(AttachVerdict::Attached)]);
}

#[test]
fn an_attach_is_judged_by_all_ebs_volumes() {
    let call = attach();
    let volume = |id: &str, attached: &[(&str, &str)]| {
        attached.iter().fold(
            Ec2Volume::new(id).tag("datafy:source-volume:id", VOLUME),
            |volume, (instance, state)| {
                volume.attachment(Attachment::new(*instance, "/dev/sdb", *state))
            },
        )
    };
    let elsewhere = AttachVerdict::AttachedElsewhere {
        instance: "i-2".to_owned(),
        device: Some("/dev/sdb".to_owned()),
    };
    let ours: &[_] = &[("i-1", "attached")];
    let theirs: &[_] = &[("i-2", "attached")];
    let table = [
        (vec![], AttachVerdict::NoVolumes),
        (vec![volume("a", ours), volume("b", ours)], AttachVerdict::Attached),
        (vec![volume("a", &[("i-2", "attached"), ("i-1", "attached")])], AttachVerdict::Attached),
        (vec![volume("a", ours), volume("b", &[])], AttachVerdict::Partly { attached: 1, of: 2 }),
        (
            vec![volume("a", ours), volume("b", theirs)],
            AttachVerdict::Partly { attached: 1, of: 2 },
        ),
        (vec![volume("a", &[("i-1", "attaching")])], AttachVerdict::Partly { attached: 0, of: 1 }),
        (vec![volume("a", theirs), volume("b", &[])], elsewhere),
        (vec![volume("a", &[("i-1", "detached")])], AttachVerdict::NotAttached),
        (vec![volume("a", ours), volume("b", &[]).state("deleted")], AttachVerdict::Attached),
        // The later state of the same volume counts.
        (vec![volume("a", &[]), volume("a", ours)], AttachVerdict::Attached),
    ];
    for (volumes, expected) in table {
        let mut objects = Ec2Objects::new();
        objects.add_volumes(volumes.clone());
        let found = find_out(std::slice::from_ref(&call), &objects, at(0), &Settings::new());
        let settled =
            (expected == AttachVerdict::Attached).then_some(Settled::Applied { id: None });
        assert_eq!(found, [Finding::Attach(expected)], "{volumes:?}");
        assert_eq!(found[0].settled(), settled);
    }
}

#[test]
fn a_volume_is_ready_once_all_ebs_volumes_are() {
    let volume = VOLUME.parse().unwrap();
    let ebs = |id: &str, state: &str| {
        Ec2Volume::new(id).state(state).tag("datafy:source-volume:id", VOLUME)
    };
    let check =
        |volumes: &[Ec2Volume]| volumes_ready(&volume, volumes).map_err(|it| it.to_string());
    assert_eq!(check(&[]), Err("EC2 shows no EBS volume of vol-1".to_owned()));
    assert_eq!(check(&[ebs("vol-a", "available"), ebs("vol-b", "in-use")]), Ok(()));
    let creating = [ebs("vol-a", "available"), ebs("vol-b", "creating")];
    assert_eq!(check(&creating), Err("vol-b is creating".to_owned()));
    let other = Ec2Volume::new("vol-c").state("available");
    assert!(check(&[other]).is_err());
}

#[test]
fn pages_of_the_command_line_are_read_one_after_the_other() {
    let pages = br#"{"Snapshots": [{"SnapshotId": "snap-1", "StartTime": "2026-01-01T02:00:00.512000+00:00",
        "Description": null, "Tags": null, "Encrypted": true}], "NextToken": "x"}
        {"Snapshots": [{"SnapshotId": "snap-2", "Tags": [{"Key": "datafy:snapshot:id", "Value": "dsnap-1"},
        {"Key": "Name"}, {"Key": "datafy:x", "Value": null}]}], "NextToken": null}
        {"Volumes": [{"VolumeId": "vol-1", "Attachments": null}]}"#;
    let mut objects = Ec2Objects::new();
    objects.read("pages", pages).unwrap();
    let ids: Vec<_> = objects.snapshots().iter().map(|it| it.snapshot_id.as_str()).collect();
    assert_eq!(ids, ["snap-1", "snap-2"]);
    assert_eq!(objects.snapshots()[0].start_time, "2026-01-01T02:00:00.512Z".parse().ok());
    assert_eq!(objects.snapshots()[1].tags.len(), 2);
    assert_eq!(objects.volumes().len(), 1);
}

#[test]
fn an_incomplete_or_missing_result_proves_nothing() {
    let mut objects = Ec2Objects::new();
    let calls = [create(0, 10)];
    let look =
        |objects: &Ec2Objects| find_out(&calls, objects, at(LATER), &Settings::new()).remove(0);
    objects.read("volumes", br#"{"Volumes": []}"#).unwrap();
    assert!(matches!(look(&objects), Finding::NotLookedUp(_)));
    objects.read("page 1", br#"{"Snapshots": [], "NextToken": "x"}"#).unwrap();
    assert!(matches!(look(&objects), Finding::NotLookedUp(_)));
    objects.read("page 2", br#"{"Snapshots": []}"#).unwrap();
    assert_eq!(look(&objects), Finding::Snapshot(Verdict::DidNotHappen));
}

#[test]
fn a_result_does_not_stand_for_that_of_another_query() {
    let calls = [restore(0, 10), attach()];
    assert_eq!(Query::of_all(&calls).len(), 2);
    let look =
        |objects: &Ec2Objects| find_out(&calls, objects, at(LATER), &Settings::new()).remove(0);
    let (whole, page) = (br#"{"Volumes": []}"#, br#"{"Volumes": [], "NextToken": "x"}"#);
    let mut objects = Ec2Objects::new();
    // Only the first page of one result, and the other result.
    objects.read("1.json", page).unwrap();
    objects.read("2.json", whole).unwrap();
    let missing = "not looked up: the result of another query is missing, or its last page";
    assert_eq!(look(&objects).to_string(), missing);
    objects.read("1.json", whole).unwrap();
    assert_eq!(look(&objects), Finding::Volume(Verdict::DidNotHappen));
    // A program that has fetched all itself says so.
    let mut objects = Ec2Objects::new();
    objects.add_volumes([]);
    assert_eq!(look(&objects), Finding::Volume(Verdict::DidNotHappen));
}

#[test]
fn unusable_output_is_reported_with_its_place_and_adds_nothing() {
    let table: [(&str, &str); 7] = [
        ("", "f.json: JSON document 1: there is none; the command may have failed"),
        (
            r#"{"Snapshots": [{"Snap"#,
            "f.json: JSON document 1: EOF while parsing a string at line 1 column 21",
        ),
        (
            "{\"Snapshots\": []}\n{\"Snapshots\": [\n{\"SnapshotId\": 5}]}",
            "f.json: JSON document 2: invalid type: integer `5`, expected a string at line 3 column 16",
        ),
        (
            r#"{"Snapshots": [{}]}"#,
            "f.json: JSON document 1: missing field `SnapshotId` at line 1 column 17",
        ),
        (
            r#"{"Reservations": []}"#,
            "f.json: JSON document 1: it is no result of describe-snapshots or describe-volumes: neither \
             `Snapshots` nor `Volumes` is in it",
        ),
        ("An error occurred", "f.json: JSON document 1: expected value at line 1 column 1"),
        (
            r#"{"Volumes": [{"VolumeId": "v", "CreateTime": "yesterday"}]}"#,
            "f.json: JSON document 1: input contains invalid characters at line 1 column 56",
        ),
    ];
    for (json, expected) in table {
        let mut objects = Ec2Objects::new();
        let error = objects.read("f.json", json.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(objects.snapshots().is_empty(), "{json}");
    }
}

#[test]
fn queries_name_each_open_subject_once_and_at_most_200_in_each() {
    let mut calls: Vec<_> = (0..201)
        .map(|number| {
            let mut call = create(0, 10);
            call.subject.volume = Some(format!("vol-{number}").parse().unwrap());
            call
        })
        .collect();
    calls.push(create(5, 6));
    calls.push(restore(0, 10));
    let mut known = create(0, 10);
    known.subject.volume = Some("vol-known".parse().unwrap());
    calls.push(applied(known, "dsnap-9"));
    let queries = Query::of_all(&calls);
    let sizes: Vec<_> = queries.iter().map(|it| (it.command, it.filters[0].values.len())).collect();
    let expected =
        [("describe-snapshots", 200), ("describe-snapshots", 1), ("describe-volumes", 1)];
    assert_eq!(sizes, expected);
    assert!(queries.iter().all(|it| !it.to_string().contains("vol-known")));
}

#[test]
fn each_sub_account_has_queries_and_needs_results_of_its_own_account() {
    let of = |sub_account: Option<&str>| {
        let mut call = create(0, 10);
        call.subject.sub_account = sub_account.map(|id| id.parse().unwrap());
        call
    };
    let calls = [of(None), of(Some("sub-1")), of(Some("sub-2"))];
    let queries = Query::of_all(&calls);
    let of: Vec<_> = queries.iter().map(|it| it.sub_account.as_ref().map(AsRef::as_ref)).collect();
    assert_eq!(of, [None, Some("sub-1"), Some("sub-2")]);
    let mut objects = Ec2Objects::new();
    for looked_up in [false, false, true] {
        objects.read("one account", br#"{"Snapshots": []}"#).unwrap();
        let found = find_out(&calls, &objects, at(LATER), &Settings::new());
        assert_eq!(matches!(found[0], Finding::Snapshot(_)), looked_up, "{found:?}");
    }
}

/// A quadratic search would take hours.
#[test]
fn the_time_is_linear_in_the_number_of_objects() {
    let calls: Vec<_> =
        (0..10_000).map(|number| create(number * 3_000, number * 3_000 + 10)).collect();
    let snapshots =
        (0..100_000).map(|number| snapshot(&format!("dsnap-{number}"), number * 300 + 5));
    let mut objects = Ec2Objects::new();
    objects.add_snapshots(snapshots);
    let started = Instant::now();
    let found = find_out(&calls, &objects, at(40_000_000), &Settings::new());
    assert_eq!(found.len(), calls.len());
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
