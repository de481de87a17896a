//! What EC2 objects prove about calls.

use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::fake::{Fake, Fault, Reply};
use datafy_api_ext::journal::{Settled, StepState};
use datafy_api_ext::reconcile::{
    Attachment, Ec2Objects, Ec2Snapshot, Ec2Volume, Finding, Query, SentCall, Settings, find_out,
    volumes_ready,
};
use datafy_api_ext::{Clock, Subject};
use serde_json::{Value, json};
use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

const VOLUME: &str = "vol-1";

#[tokio::test]
async fn an_unknown_error_says_how_to_find_what_it_did() {
    let fake = Fake::start().await.unwrap();
    fake.add_volume(VOLUME.parse().unwrap(), 100);
    let datafy = fake.client().build().unwrap();
    let call = || datafy.volume(VOLUME.parse().unwrap()).create_snapshot().traceable();
    fake.inject(Fault::ApplyThenReset);
    let now = || DateTime::<Utc>::from(SystemTime::now());
    let before = now();
    let error = call().await.unwrap_err();
    let command = "aws ec2 describe-snapshots --filters 'Name=tag:datafy:source-volume:id,Values=vol-1' --output json";
    assert_eq!(error.how_to_find().as_deref(), Some(command));
    let sent = SentCall::from_error(&error).unwrap();
    assert_eq!(sent.marker.as_deref(), error.marker());
    assert_eq!(sent.state, StepState::Unknown);
    let second = TimeDelta::seconds(1);
    assert!(sent.begun > before - second && sent.begun <= sent.ended.unwrap(), "{sent:?}");
    assert!(sent.ended.unwrap() <= now() + second, "{sent:?}");

    fake.inject(Fault::Answer(Reply::status(409)));
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
    fake.add_volume(VOLUME.parse().unwrap(), 100);
    fake.inject(Fault::ApplyThenReset);
    let datafy = fake.client().clock(Suspended::default()).build().unwrap();
    let error = datafy.volume(VOLUME.parse().unwrap()).create_snapshot().await.unwrap_err();
    assert!(error.elapsed() < Duration::from_secs(60), "{error:?}");
    assert_eq!((error.started(), error.ended()), (Some(at(0)), Some(at(3_600))));
    let sent = SentCall::from_error(&error).unwrap();
    for time in [3, 3_603] {
        let found = look(from_ref(&sent), vec![snapshot("dsnap-1", time)], LATER);
        assert_eq!(found, ["created dsnap-1"], "{time}");
    }
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
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

pub(crate) fn tag(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn snapshot(id: &str, time: i64) -> Ec2Snapshot {
    let tags = vec![tag("datafy:source-volume:id", VOLUME), tag("datafy:snapshot:id", id)];
    Ec2Snapshot::new(format!("snap-{id}-{time}"), at(time), "", tags)
}

fn described(mut snapshot: Ec2Snapshot, description: &str) -> Ec2Snapshot {
    description.clone_into(&mut snapshot.description);
    snapshot
}

/// Answers the queries for these calls as EC2 does.
pub(crate) fn seen(
    calls: &[SentCall],
    snapshots: &[Ec2Snapshot],
    volumes: &[Ec2Volume],
    fetched: DateTime<Utc>,
) -> Ec2Objects {
    let mut objects = Ec2Objects::new(fetched);
    for query in Query::of_all(calls) {
        let is_found = |tags: &[(String, String)]| {
            tags.iter().any(|(key, value)| key == query.tag && query.values.contains(value))
        };
        if query.command == "describe-snapshots" {
            let found = snapshots.iter().filter(|it| is_found(&it.tags));
            objects.add_snapshots(&query, found.cloned().collect()).unwrap();
        } else {
            let found = volumes.iter().filter(|it| is_found(&it.tags));
            objects.add_volumes(&query, found.cloned().collect()).unwrap();
        }
    }
    objects
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn look(
    calls: &[SentCall],
    snapshots: impl IntoIterator<Item = Ec2Snapshot>,
    fetched: i64,
) -> Vec<String> {
    let snapshots: Vec<_> = snapshots.into_iter().collect();
    let objects = seen(calls, &snapshots, &[], at(fetched));
    shown(&find_out(calls, &objects, &Settings::default()))
}

fn look_at_volumes(calls: &[SentCall], volumes: &[Ec2Volume], fetched: i64) -> Vec<Finding> {
    find_out(calls, &seen(calls, &[], volumes, at(fetched)), &Settings::default())
}

/// After the settling time.
const LATER: i64 = 10_000;

#[test]
fn a_create_is_absent_only_after_the_settling_time_and_the_clock_skew() {
    let end = 10 + 15 * 60 + 60;
    let early = look(&[create(0, 10)], [], end - 1);
    assert_eq!(early, ["not seen yet; look again after 2027-01-15T08:16:10Z"]);
    assert_eq!(look(&[create(0, 10)], [], end), ["created nothing"]);
}

#[test]
fn a_call_without_a_recorded_end_is_open_for_the_longest_time() {
    let mut call = create(0, 0);
    call.ended = None;
    let end = (10 + 15 + 1) * 60;
    assert!(look(&[call.clone()], [], end - 1)[0].starts_with("not seen yet"));
    assert_eq!(look(&[call], [], end), ["created nothing"]);
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
        described(snapshot("dsnap-1", 5), &format!("nightly {two}")),
        described(snapshot("dsnap-2", 5), &format!("nightly {one}")),
    ];
    assert_eq!(look(&calls, objects.clone(), LATER), ["created dsnap-2", "created dsnap-1"]);
    let found = look(&calls, objects[..1].to_vec(), LATER);
    assert_eq!(found, ["created nothing", "created dsnap-1"]);
    let twice = vec![objects[0].clone(), described(snapshot("dsnap-3", 5), two)];
    let found = look(&calls, twice, LATER);
    assert_eq!(found[1], "ambiguous: one of these, or none: dsnap-1 dsnap-3");
}

#[test]
fn a_marker_that_no_call_explains_is_not_taken_for_the_call() {
    let objects = vec![described(snapshot("dsnap-1", 5), "[datafy-cccccccccc]")];
    let found = look(&[create(0, 10)], objects, LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap-1"]);
}

#[test]
fn a_group_without_the_marker_is_not_taken_for_the_call_once_another_carries_one() {
    let (one, two) = ("[datafy-aaaaaaaaaa]", "[datafy-bbbbbbbbbb]");
    let calls = [marked(create(0, 10), one), marked(create(5_000, 5_010), two)];
    let plain = vec![snapshot("dsnap-1", 5)];
    assert_eq!(look(&calls, plain, LATER)[0], "created dsnap-1");
    let carried = vec![snapshot("dsnap-1", 5), described(snapshot("dsnap-2", 5_005), two)];
    let found = look(&calls, carried, LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap-1", "created dsnap-2"]);
}

#[test]
fn a_required_marker_makes_the_only_group_ambiguous() {
    let objects = seen(&[create(0, 10)], &[snapshot("dsnap-1", 5)], &[], at(LATER));
    let mut settings = Settings::default();
    settings.require_marker = true;
    let found = find_out(&[create(0, 10)], &objects, &settings);
    let [Finding::Ambiguous(ids)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(ids[..], ["dsnap-1"]);
}

#[test]
fn an_object_without_a_usable_id_is_ambiguous() {
    let odd = "dsnap-\u{1b}[31m\n";
    let found = look(&[create(0, 10)], [snapshot(odd, 5)], LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap- [31m "]);
}

#[test]
fn an_object_without_the_tag_of_a_group_is_never_the_only_one_that_counts() {
    let untagged = |time| {
        let mut copy = snapshot("dsnap-1", time);
        copy.snapshot_id = "snap-copy".to_owned();
        copy.tags.truncate(1);
        copy
    };
    let of_the_call = snapshot("dsnap-1", 5);
    let found = look(&[create(0, 10)], [untagged(5), of_the_call], LATER);
    assert_eq!(found, ["created dsnap-1"]);
    for (time, expected) in [
        (-61, "created nothing"),
        (5_000, "created nothing"),
        (5, "ambiguous: one of these, or none: snap-copy"),
    ] {
        assert_eq!(look(&[create(0, 10)], [untagged(time)], LATER), [expected], "{time}");
    }
}

#[test]
fn a_copy_with_all_tags_is_as_old_as_its_original() {
    let (original, mut copy) = (snapshot("dsnap-1", -5_000), snapshot("dsnap-1", 5));
    copy.snapshot_id = "snap-copy".to_owned();
    let found = look(&[create(0, 10)], [original, copy.clone()], LATER);
    assert_eq!(found, ["created nothing"]);
    // A limit, which the documentation states: the original is in another region, or deleted.
    assert_eq!(look(&[create(0, 10)], [copy.clone()], LATER), ["created dsnap-1"]);
    let known = applied(create(-5_000, -4_990), "dsnap-1");
    let found = look(&[create(0, 10), known], [copy], LATER);
    assert_eq!(found[0], "created nothing");
}

#[test]
fn a_marker_outside_the_window_is_that_of_an_earlier_use_of_the_call() {
    let call = marked(create(0, 10), "[datafy-aaaaaaaaaa]");
    let of_yesterday = described(snapshot("dsnap-1", -86_400), "[datafy-aaaaaaaaaa]");
    let found = look(&[call], [of_yesterday], LATER);
    assert_eq!(found, ["ambiguous: one of these, or none: dsnap-1"]);
}

#[test]
fn a_clock_that_was_set_back_during_a_call_widens_its_window() {
    let found = look(&[create(0, -600)], [snapshot("dsnap-1", -590)], LATER);
    assert_eq!(found, ["created dsnap-1"]);
}

#[test]
fn an_applied_call_without_an_id_gets_the_id_or_stays_ambiguous() {
    let mut call = create(0, 10);
    call.state = StepState::Applied;
    let found = look(&[call.clone()], [snapshot("dsnap-1", 5)], LATER);
    assert_eq!(found, ["created dsnap-1"]);
    let found = look(&[call], [], LATER);
    assert_eq!(found, ["ambiguous: the service acted, and no object was found"]);
}

#[test]
fn several_calls_in_one_step_are_ambiguous() {
    let mut call = create(0, 10);
    call.created_id = Some("dsnap-1".to_owned());
    let found = look(&[call], [snapshot("dsnap-2", 5)], LATER);
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

/// A volume from the snapshot of [`restore`].
fn restored(id: &str, volume: &str, time: i64) -> Ec2Volume {
    let tags = vec![
        tag("datafy:restored-from-snapshot:id", "dsnap-1"),
        tag("datafy:source-volume:id", volume),
    ];
    Ec2Volume::new(id, at(time), "available", vec![], tags)
}

#[test]
fn a_created_volume_is_grouped_by_the_datafy_volume() {
    let look = |volumes: &[Ec2Volume]| look_at_volumes(&[restore(0, 10)], volumes, LATER).remove(0);
    let found = look(&[restored("vol-a", "vol-9", 5), restored("vol-b", "vol-9", 6)]);
    assert_eq!(found, Finding::Happened { id: "vol-9".to_owned(), marked: false });
    assert_eq!(found.settled(), Some(Settled::Applied { id: Some("vol-9".to_owned()) }));
    assert_eq!(look(&[]).settled(), Some(Settled::NotApplied));
    // Its first EBS volumes may have been replaced, and the tags of new ones follow.
    let mut untagged = restored("vol-a", "vol-9", 5_000);
    untagged.tags.truncate(1);
    for younger in [restored("vol-a", "vol-9", 5_000), untagged] {
        let found = look(&[younger]);
        assert!(matches!(found, Finding::Ambiguous(_)), "{found:?}");
        assert_eq!(found.settled(), None);
    }
}

#[test]
fn a_volume_may_be_that_of_any_call_that_began_before_its_ebs_volumes() {
    let look = |calls: &[SentCall], time| {
        shown(&look_at_volumes(calls, &[restored("vol-a", "vol-9", time)], LATER))
    };
    let calls = [restore(0, 10), restore(5_000, 5_010)];
    let ambiguous = "ambiguous: one of these, or none: vol-9";
    // That of the first call, replaced, or that of the second one.
    assert_eq!(look(&calls, 5_005), [ambiguous, ambiguous]);
    assert_eq!(look(&calls, 5), ["created vol-9", "created nothing"]);
    // A call that doesn't say from which snapshot may have created it.
    let mut other = restore(0, 10);
    other.subject.snapshot = None;
    let found = look(&[restore(0, 10), other], 5);
    assert_eq!(found, [ambiguous, "not looked up: the call doesn't say what to look for"]);
}

/// An EBS volume of `vol-1` that was created at this time, with attachments to these instances in these states.
fn ebs(id: &str, time: i64, attached: &[(&str, &str)]) -> Ec2Volume {
    let state = if attached.is_empty() { "available" } else { "in-use" };
    let attachments = attached.iter().map(|(instance, state)| Attachment::new(*instance, *state));
    let tags = vec![tag("datafy:source-volume:id", VOLUME)];
    Ec2Volume::new(id, at(time), state, attachments.collect(), tags)
}

/// When a volume was created that EC2 shows whole.
const LONG_AGO: i64 = -10_000;
const OURS: &[(&str, &str)] = &[("i-1", "attached")];

#[test]
fn an_attachment_that_may_have_been_seen_before_the_call_proves_nothing() {
    for (volume, expected) in [
        (ebs("a", LONG_AGO, OURS), "attached"),
        (ebs("a", LONG_AGO, &[("i-2", "attached")]), "attached to i-2"),
        (ebs("a", LONG_AGO, &[("i-1", "attaching")]), "0 of 1 EBS volumes attached"),
    ] {
        let look = |fetched| shown(&look_at_volumes(&[attach()], from_ref(&volume), fetched));
        assert_eq!(look(59), ["not seen yet; look again after 2027-01-15T08:01:00Z"]);
        assert_eq!(look(60), [expected]);
    }
}

/// The times are those of the clocks that differ most.
#[test]
fn the_ebs_volumes_of_a_new_volume_appear_one_by_one() {
    let look = |volumes: &[Ec2Volume], fetched| {
        shown(&look_at_volumes(&[attach()], volumes, fetched)).remove(0)
    };
    let by_call = 15 * 60 + 60;
    for time in [-10, -10 * 60] {
        let new = [ebs("a", time, OURS)];
        assert!(look(&new, by_call - 1).starts_with("not seen yet"), "{time}");
        assert_eq!(look(&new, by_call), "attached");
    }
    // Its first EBS volume is that old, so all are shown before the settling time of the call has passed.
    let older = [ebs("a", -16 * 60, OURS), ebs("b", -5, OURS)];
    let by_age = (10 + 15 + 1 - 16) * 60;
    assert!(look(&older, by_age - 1).starts_with("not seen yet"));
    assert_eq!(look(&older, by_age), "attached");
}

#[test]
fn a_volume_is_not_attached_only_after_the_settling_time() {
    let end = (10 + 15 + 1) * 60;
    for (volumes, expected) in
        [(vec![], "EC2 shows no EBS volume of it"), (vec![ebs("a", LONG_AGO, &[])], "not attached")]
    {
        let look = |fetched| shown(&look_at_volumes(&[attach()], &volumes, fetched)).remove(0);
        assert!(look(end - 1).starts_with("not seen yet"), "{expected}");
        assert_eq!(look(end), expected);
    }
}

#[test]
fn an_attach_is_judged_by_all_ebs_volumes() {
    let volume = |id: &str, attached: &[(&str, &str)]| ebs(id, LONG_AGO, attached);
    let mut device = ebs("a", LONG_AGO, &[("i-2", "attached")]);
    device.attachments[0].device = Some("/dev/sdb".to_owned());
    let elsewhere = |device: Option<&str>| Finding::AttachedElsewhere {
        instance: "i-2".to_owned(),
        device: device.map(str::to_owned),
    };
    let theirs: &[_] = &[("i-2", "attached")];
    let mut deleted = volume("b", &[]);
    deleted.state = "deleted".to_owned();
    let table = [
        (vec![], Finding::NoVolumes),
        (vec![volume("a", OURS), volume("b", OURS)], Finding::Attached),
        (vec![volume("a", &[("i-2", "attached"), ("i-1", "attached")])], Finding::Attached),
        (vec![volume("a", OURS), volume("b", &[])], Finding::Partly { attached: 1, of: 2 }),
        (vec![volume("a", OURS), volume("b", theirs)], Finding::Partly { attached: 1, of: 2 }),
        (vec![volume("a", &[("i-1", "attaching")])], Finding::Partly { attached: 0, of: 1 }),
        (vec![volume("a", theirs), volume("b", &[])], elsewhere(None)),
        (vec![device], elsewhere(Some("/dev/sdb"))),
        (vec![volume("a", &[("i-1", "detached")])], Finding::NotAttached),
        (vec![volume("a", OURS), deleted], Finding::Attached),
        // The later state of the same volume counts.
        (vec![volume("a", &[]), volume("a", OURS)], Finding::Attached),
    ];
    for (volumes, expected) in table {
        let found = look_at_volumes(&[attach()], &volumes, LATER);
        let settled = (expected == Finding::Attached).then_some(Settled::Applied { id: None });
        assert_eq!(found, [expected], "{volumes:?}");
        assert_eq!(found[0].settled(), settled);
    }
}

#[test]
fn a_volume_is_ready_once_all_ebs_volumes_are() {
    let volume = VOLUME.parse().unwrap();
    let query = Query::ebs_volumes(&volume);
    let ebs = |id: &str, state: &str| {
        let mut ebs = ebs(id, 0, OURS);
        ebs.state = state.to_owned();
        ebs
    };
    let check = |volumes: &[Ec2Volume]| {
        let mut objects = Ec2Objects::new(at(0));
        objects.add_volumes(&query, volumes.to_vec()).unwrap();
        volumes_ready(&volume, &objects).map_err(|it| it.to_string())
    };
    assert_eq!(check(&[]), Err("EC2 shows no EBS volume of vol-1".to_owned()));
    assert_eq!(check(&[ebs("vol-a", "available"), ebs("vol-b", "in-use")]), Ok(()));
    let creating = [ebs("vol-a", "available"), ebs("vol-b", "creating")];
    assert_eq!(check(&creating), Err("vol-b is creating".to_owned()));
    let nothing = volumes_ready(&volume, &Ec2Objects::new(at(0))).unwrap_err().to_string();
    assert_eq!(nothing, "no result of a query for the EBS volumes of vol-1 was given");
}

/// The query for the snapshots of `vol-1`.
fn of_snapshots() -> Query {
    Query::of(&create(0, 10)).unwrap()
}

const SNAPSHOT: &str = r#"{"SnapshotId": "snap-1", "StartTime": "2026-01-01T02:00:00.512000+00:00", "Description": "",
    "Encrypted": true, "VolumeId": "vol-ffffffff", "Tags": [{"Key": "datafy:source-volume:id", "Value": "vol-1"},
    {"Key": "datafy:snapshot:id", "Value": "dsnap-1"}, {"Key": "Name", "Value": ""}]}"#;

#[test]
fn pages_of_the_command_line_are_read_one_after_the_other() {
    let other = SNAPSHOT.replace("snap-1", "snap-2").replace(r#""Description": "","#, "");
    let pages = format!(
        r#"{{"Snapshots": [{SNAPSHOT}], "NextToken": "x"}}
        {{"Snapshots": [{other}], "NextToken": null}}"#
    );
    let mut objects = Ec2Objects::new(at(LATER));
    objects.read(&of_snapshots(), pages.as_bytes()).unwrap();
    let ids: Vec<_> = objects.snapshots().iter().map(|it| it.snapshot_id.as_str()).collect();
    assert_eq!(ids, ["snap-1", "snap-2"]);
    assert_eq!(
        objects.snapshots()[0].start_time,
        "2026-01-01T02:00:00.512Z".parse::<DateTime<Utc>>().unwrap()
    );
    assert_eq!(objects.snapshots()[0].tags.len(), 2);
}

/// What PowerShell writes: UTF-16 with a byte order mark, or UTF-8 with one.
#[test]
fn output_in_utf_16_or_with_a_byte_order_mark_is_read() {
    let json = format!(r#"{{"Snapshots": [{}]}}"#, SNAPSHOT.replace(r#""""#, r#""Größe 🙂""#));
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let marked = format!("\u{feff}{json}");
    for output in [little(&marked), big(&marked), little(&json), big(&json), marked.into_bytes()] {
        let mut objects = Ec2Objects::new(at(LATER));
        objects.read(&of_snapshots(), &output).unwrap();
        assert_eq!(objects.snapshots()[0].description, "Größe 🙂");
    }
    let read = |output: &[u8]| Ec2Objects::new(at(0)).read(&of_snapshots(), output).unwrap_err();
    let mut cut = little(&json);
    cut.pop();
    assert_eq!(read(&cut).to_string(), "describe-snapshots: it is not valid UTF-16");
    let latin: Vec<u8> = json.chars().map(|it| u8::try_from(it).unwrap_or(b'?')).collect();
    assert_eq!(read(&latin).to_string(), "describe-snapshots: it is neither UTF-8 nor UTF-16");
}

#[test]
fn nothing_is_concluded_without_the_result_of_a_query() {
    let calls = [create(0, 10), restore(0, 10), attach()];
    let queries = Query::of_all(&calls);
    let mut objects = Ec2Objects::new(at(LATER));
    let missing = "not looked up: no result of a query for it was given";
    let mut expected = [missing; 3];
    let results = [
        (0, r#"{"Snapshots": []}"#, "created nothing"),
        (1, r#"{"Volumes": []}"#, "created nothing"),
        (2, r#"{"Volumes": []}"#, "EC2 shows no EBS volume of it"),
    ];
    for (at, result, finding) in results {
        let found = shown(&find_out(&calls, &objects, &Settings::default()));
        assert_eq!(found, expected, "{at}");
        objects.read(&queries[at], result.as_bytes()).unwrap();
        expected[at] = finding;
    }
    assert_eq!(shown(&find_out(&calls, &objects, &Settings::default())), expected);
    // An ID that the query didn't ask for, or not in this sub-account.
    let mut others = [create(0, 10), create(0, 10)];
    others[0].subject.volume = Some("vol-2".parse().unwrap());
    others[1].subject.sub_account = Some("sub-1".parse().unwrap());
    let found = shown(&find_out(&others, &objects, &Settings::default()));
    assert_eq!(found, [missing; 2]);
}

#[test]
fn the_result_of_a_query_is_not_taken_for_that_of_another() {
    let mut second = create(0, 10);
    second.subject.volume = Some("vol-2".parse().unwrap());
    let queries = [of_snapshots(), Query::of(&second).unwrap()];
    let found = format!(r#"{{"Snapshots": [{SNAPSHOT}]}}"#);
    let none = r#"{"Snapshots": []}"#;
    let page = r#"{"Snapshots": [], "NextToken": "x"}"#;
    let read = |outputs: &[&str]| {
        let mut objects = Ec2Objects::new(at(LATER));
        let outputs = (1..).zip(outputs).map(|(number, it)| (format!("{number}.json"), it));
        let result = objects.read_all(&queries, outputs).map_err(|error| error.to_string());
        assert!(result.is_ok() || objects.snapshots().is_empty());
        result
    };
    assert_eq!(read(&[&found, none]), Ok(()));
    assert_eq!(read(&[&format!("{page}{found}{none}")]), Ok(()));
    let other = "2.json: JSON document 1: snap-1 has vol-1 in the tag datafy:source-volume:id, which the query doesn't \
        ask for; give each query its own output";
    assert_eq!(read(&[&found, &found]), Err(other.to_owned()));
    for (outputs, number) in [(&[&found, none, none][..], 3), (&[&found], 1), (&[], 0)] {
        let expected = format!(
            "the output: expected the results of 2 queries, found {number}; give the output of each command once, in \
             their order"
        );
        assert_eq!(read(outputs), Err(expected));
    }
    let incomplete =
        "2.json: JSON document 1: the result is incomplete: the last page has a NextToken";
    assert_eq!(read(&[&found, page]), Err(incomplete.to_owned()));
    let mut objects = Ec2Objects::new(at(LATER));
    objects.read(&queries[0], none.as_bytes()).unwrap();
    let twice = objects.read(&queries[0], none.as_bytes()).unwrap_err().to_string();
    let expected = "describe-snapshots: JSON document 1: the result of this query was given before";
    assert_eq!(twice, expected);
}

const CUT: &str = "give the output of the command as it is, without --query";

/// Reads the output of a query for the snapshots of `vol-1`, or for its EBS volumes. Returns why it can't be used.
fn unusable(json: &str) -> String {
    let call = if json.contains("Volumes") { attach() } else { create(0, 10) };
    let mut objects = Ec2Objects::new(at(LATER));
    let error = objects.read(&Query::of(&call).unwrap(), json.as_bytes()).expect_err(json);
    assert!(objects.snapshots().is_empty() && objects.volumes().is_empty(), "{json}");
    let found = shown(&find_out(&[call], &objects, &Settings::default()));
    assert!(found[0].starts_with("not looked up"), "{json}: {found:?}");
    error.to_string()
}

#[test]
fn unusable_output_is_reported_with_its_place_and_adds_nothing() {
    for (json, expected) in [
        ("", "describe-snapshots: there is no JSON document; the command may have failed"),
        (
            r#"{"Snapshots": [{"Snap"#,
            "describe-snapshots: JSON document 1: EOF while parsing a string at line 1 column 21",
        ),
        (
            "An error occurred",
            "describe-snapshots: JSON document 1: expected value at line 1 column 1",
        ),
        (
            r#"{"Reservations": []}"#,
            "describe-snapshots: JSON document 1: it is no result of describe-snapshots or describe-volumes: it must \
             have one of `Snapshots` and `Volumes`",
        ),
    ] {
        assert_eq!(unusable(json), expected);
    }
    let json =
        "{\"Snapshots\": [], \"NextToken\": \"x\"}\n{\"Snapshots\": [\n{\"SnapshotId\": 5}]}";
    let place = "describe-snapshots: JSON document 2: invalid type: integer `5`, expected a string at line 3 column 16";
    assert_eq!(unusable(json), format!("{place}; {CUT}"));
    let mut objects = Ec2Objects::new(at(0));
    let other = objects.read(&of_snapshots(), br#"{"Volumes": []}"#).unwrap_err().to_string();
    assert_eq!(
        other,
        "describe-snapshots: JSON document 1: it is not the output of describe-snapshots"
    );
}

/// `--query` of the AWS CLI can make lists of anything, and serde reads the fields of a struct from a list.
#[test]
fn lists_in_place_of_objects_are_refused_at_each_level() {
    let tag = r#"["datafy:source-volume:id", "vol-1"]"#;
    let snapshot = format!(r#"["snap-1", "2026-01-01T02:00:03Z", "", [{tag}]]"#);
    let volume = |attachment: &str| {
        format!(
            r#"{{"VolumeId": "vol-a", "CreateTime": "2026-01-01T02:00:03Z", "State": "in-use", "Attachments":
            [{attachment}], "Tags": [{{"Key": "datafy:source-volume:id", "Value": "vol-1"}}]}}"#
        )
    };
    for json in [
        "[]".to_owned(),
        "[[]]".to_owned(),
        "[[],[]]".to_owned(),
        "[[], null, null]".to_owned(),
        format!("[[{snapshot}]]"),
        r#"{"Snapshots": [["snap-1"]]}"#.to_owned(),
        format!(r#"{{"Snapshots": [{snapshot}]}}"#),
        format!(
            r#"{{"Snapshots": [{}]}}"#,
            SNAPSHOT.replace(r#"{"Key": "datafy:source-volume:id", "Value": "vol-1"}"#, tag)
        ),
        format!(r#"{{"Volumes": [{}]}}"#, volume(r#"["i-1", "/dev/sdb", "attached"]"#)),
        r#"{"Volumes": [[]]}"#.to_owned(),
        r#"{"Volumes": [["vol-a", "2026-01-01T02:00:03Z", "available", [], []]]}"#.to_owned(),
    ] {
        let error = unusable(&json);
        assert!(error.contains("expected an object"), "{json}: {error}");
    }
    let usable =
        format!(r#"{{"Volumes": [{}]}}"#, volume(r#"{"InstanceId": "i-1", "State": "attached"}"#));
    let mut objects = Ec2Objects::new(at(LATER));
    objects.read(&Query::of(&attach()).unwrap(), usable.as_bytes()).unwrap();
    assert_eq!(objects.volumes().len(), 1);
}

/// Removes each member of each object in turn, at any depth.
fn without_a_member(whole: &Value) -> Vec<(String, Value)> {
    let mut cut = Vec::new();
    match whole {
        Value::Object(members) => {
            for (name, value) in members {
                let mut rest = members.clone();
                rest.remove(name);
                cut.push((name.clone(), Value::Object(rest)));
                for (path, value) in without_a_member(value) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), value);
                    cut.push((format!("{name}.{path}"), Value::Object(changed)));
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for (path, item) in without_a_member(item) {
                    let mut changed = items.clone();
                    changed[at] = item;
                    cut.push((format!("{at}.{path}"), Value::Array(changed)));
                }
            }
        }
        _ => {}
    }
    cut
}

#[test]
fn output_from_which_a_field_was_cut_is_not_looked_up() {
    let tags = json!([{ "Key": "datafy:source-volume:id", "Value": "vol-1" }]);
    let time = "2026-01-01T02:00:03Z";
    let attachments = json!([{ "InstanceId": "i-1", "State": "attached" }]);
    let snapshots = json!({ "Snapshots": [
        { "SnapshotId": "snap-1", "StartTime": time, "Tags": tags }
    ] });
    let volumes = |state: &str, attachments: &Value| {
        json!({ "Volumes": [{ "VolumeId": "vol-a", "CreateTime": time, "State": state,
            "Attachments": attachments, "Tags": tags }] })
    };
    for (whole, fields) in [
        (snapshots, 6),
        (volumes("in-use", &attachments), 10),
        (volumes("available", &json!([])), 8),
    ] {
        let cut = without_a_member(&whole);
        assert_eq!(cut.len(), fields);
        for (path, cut) in cut {
            let error = unusable(&cut.to_string());
            assert!(error.contains(CUT) || !path.contains('.'), "{path}: {error}");
        }
    }
    let trimmed =
        r#"{"Snapshots": [{"SnapshotId": "snap-1", "StartTime": "2026-01-01T02:00:03Z"}]}"#;
    assert!(unusable(trimmed).contains("missing field `Tags`"));
    let without_tag = format!(r#"{{"Snapshots": [{}]}}"#, SNAPSHOT.replace("source-volume", "x"));
    let expected = "describe-snapshots: JSON document 1: snap-1 lacks the tag datafy:source-volume:id, which it was \
        found by; ";
    assert_eq!(unusable(&without_tag), format!("{expected}{CUT}"));
    let unattached = volumes("in-use", &json!([]));
    let expected = "describe-volumes: JSON document 1: vol-a is in use, but has no attachment; ";
    assert_eq!(unusable(&unattached.to_string()), format!("{expected}{CUT}"));
    // An SDK's objects are checked in the same way.
    let mut objects = Ec2Objects::new(at(LATER));
    let bare = Ec2Snapshot::new("snap-1", at(0), "", vec![]);
    let error = objects.add_snapshots(&of_snapshots(), vec![bare]).unwrap_err().to_string();
    assert!(error.starts_with("describe-snapshots: snap-1 lacks the tag"), "{error}");
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
    let sizes: Vec<_> = queries.iter().map(|it| (it.command, it.values.len())).collect();
    let expected =
        [("describe-snapshots", 200), ("describe-snapshots", 1), ("describe-volumes", 1)];
    assert_eq!(sizes, expected);
    assert!(queries.iter().all(|it| !it.to_string().contains("vol-known")));
}

#[test]
fn each_sub_account_has_queries_of_its_own() {
    let of = |sub_account: Option<&str>| {
        let mut call = create(0, 10);
        call.subject.sub_account = sub_account.map(|id| id.parse().unwrap());
        call
    };
    let calls = [of(None), of(Some("sub-1")), of(Some("sub-2"))];
    let queries = Query::of_all(&calls);
    let of: Vec<_> = queries.iter().map(|it| it.sub_account.as_ref().map(AsRef::as_ref)).collect();
    assert_eq!(of, [None, Some("sub-1"), Some("sub-2")]);
}

#[test]
fn the_arguments_of_a_query_are_those_of_its_command_line() {
    let filter = "Name=tag:datafy:source-volume:id,Values=vol-1";
    let args = ["ec2", "describe-snapshots", "--filters", filter, "--output", "json"];
    assert_eq!(of_snapshots().args(), args);
}

/// A quadratic search would take hours.
#[test]
fn the_time_is_linear_in_the_number_of_objects() {
    let calls: Vec<_> =
        (0..10_000).map(|number| create(number * 3_000, number * 3_000 + 10)).collect();
    let snapshots: Vec<_> =
        (0..100_000).map(|number| snapshot(&format!("dsnap-{number}"), number * 300 + 5)).collect();
    let objects = seen(&calls, &snapshots, &[], at(40_000_000));
    let started = Instant::now();
    let found = find_out(&calls, &objects, &Settings::default());
    assert_eq!(found.len(), calls.len());
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
