//! What EC2 objects prove about calls: the tables of RECONCILE.md.

use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::journal::Settled;
use datafy_api_ext::reconcile::{
    Attachment, Ec2Object, Ec2Objects, Finding, Query, SentCall, Settings, find_out, volumes_ready,
};
use datafy_api_ext::{Clock, Outcome, Subject};
use serde_json::{Value, json};
use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + seconds)
}

fn tag(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// A call about `vol-1`, `dsnap-1` and `i-1`.
fn call(operation: &str, begun: i64, ended: Option<i64>) -> SentCall {
    let mut subject = Subject::default();
    match operation {
        "create_volume_from_snapshots" => subject.snapshot = Some("dsnap-1".parse().unwrap()),
        _ => subject.volume = Some("vol-1".parse().unwrap()),
    }
    if operation == "attach_volume" {
        subject.instance = Some("i-1".parse().unwrap());
    }
    let mut call = SentCall::new(operation, subject, at(begun));
    call.ended = ended.map(at);
    call
}

fn create() -> SentCall {
    call("create_snapshot", 0, Some(10))
}

fn restore() -> SentCall {
    call("create_volume_from_snapshots", 0, Some(10))
}

fn attach() -> SentCall {
    call("attach_volume", 0, None)
}

/// Calls as `fixtures/ec2/creates.txt` writes them.
fn calls(operation: &str, text: &str) -> Vec<SentCall> {
    let call = |text: &str| {
        let end = text.find(['#', '=', '+']).unwrap_or(text.len());
        let (begun, ended) = text[..end].split_once("..").unwrap();
        let mut call = call(operation, begun.parse().unwrap(), ended.parse().ok());
        for (at, sign) in text.match_indices(['#', '=', '+']) {
            let value = text[at + 1..].split(['#', '=', '+']).next().unwrap().to_owned();
            match sign {
                "#" => call.marker = Some(marker(&value)),
                "=" => {
                    call.outcome = Outcome::Applied;
                    call.created_id = Some(value).filter(|it| it != "?");
                }
                _ => call.created_id = Some(value),
            }
        }
        call
    };
    text.split_whitespace().map(call).collect()
}

fn marker(letter: &str) -> String {
    format!("[datafy-{}]", letter.repeat(10))
}

/// An EBS object of the Datafy snapshot or volume `group`: restored from `dsnap-1`, or a snapshot of `vol-1`.
pub(crate) fn object(
    is_restored: bool,
    group: Option<&str>,
    time: DateTime<Utc>,
    description: &str,
) -> Ec2Object {
    let (subject, of) = if is_restored {
        (tag("datafy:restored-from-snapshot:id", "dsnap-1"), "datafy:source-volume:id")
    } else {
        (tag("datafy:source-volume:id", "vol-1"), "datafy:snapshot:id")
    };
    let tags = [Some(subject), group.map(|group| tag(of, group))].into_iter().flatten().collect();
    if is_restored {
        Ec2Object::volume("ebs", time, "available", vec![], tags)
    } else {
        Ec2Object::snapshot("ebs", time, description, tags)
    }
}

/// EBS objects as `fixtures/ec2/creates.txt` writes them.
fn objects(operation: &str, text: &str) -> Vec<Ec2Object> {
    let is_restored = operation == "create_volume_from_snapshots";
    let parse = |text: &str| {
        let (text, markers) = text.split_once('#').unwrap_or((text, ""));
        let (group, time) = text.split_once('@').unwrap();
        let markers = markers.chars().map(|letter| marker(&letter.to_string()));
        let description = format!("nightly {}", markers.collect::<String>());
        let group = Some(group).filter(|group| !group.is_empty());
        object(is_restored, group, at(time.parse().unwrap()), &description)
    };
    text.split_whitespace().map(parse).chain([source(is_restored)]).collect()
}

/// An EBS volume of `vol-1` with attachments to these instances in these states.
pub(crate) fn ebs(id: &str, time: i64, attached: &[(&str, &str)]) -> Ec2Object {
    let state = if attached.is_empty() { "available" } else { "in-use" };
    let attachments = attached.iter().map(|(instance, state)| Attachment::new(*instance, *state));
    let tags = vec![tag("datafy:source-volume:id", "vol-1")];
    Ec2Object::volume(id, at(time), state, attachments.collect(), tags)
}

/// Answers the queries for these calls as EC2 does.
pub(crate) fn seen(
    calls: &[SentCall],
    objects: &[Ec2Object],
    fetched: DateTime<Utc>,
) -> Ec2Objects {
    answered(calls, objects, fetched, |found, query, objects| found.add(query, objects).unwrap())
}

/// Answers the queries for these calls, and adds each answer by `add`.
pub(crate) fn answered(
    calls: &[SentCall],
    objects: &[Ec2Object],
    fetched: DateTime<Utc>,
    add: impl Fn(&mut Ec2Objects, &Query, Vec<Ec2Object>),
) -> Ec2Objects {
    let mut found = Ec2Objects::new(fetched);
    for query in Query::of_all(calls) {
        let has_value = |value: &str| query.values().iter().any(|it| it == value);
        let is_found = |it: &&Ec2Object| {
            // A snapshot has no state.
            it.state.is_empty() == (query.command == "describe-snapshots")
                && it.tag(query.tag).is_some_and(has_value)
        };
        add(&mut found, &query, objects.iter().filter(is_found).cloned().collect());
    }
    found
}

/// What shows that EC2 was asked in the right place: an EBS volume of `vol-1`, or an EBS snapshot of `dsnap-1`.
pub(crate) fn source(is_restored: bool) -> Ec2Object {
    if is_restored {
        let tags = vec![tag("datafy:snapshot:id", "dsnap-1")];
        Ec2Object::snapshot("snap-source", at(LONG_AGO), "", tags)
    } else {
        ebs("vol-source", LONG_AGO, &[])
    }
}

fn findings(calls: &[SentCall], objects: &[Ec2Object], fetched: i64) -> Vec<Finding> {
    find_out(calls, &seen(calls, objects, at(fetched)), &Settings::default())
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// After the settling time.
const LATER: i64 = 10_000;
/// When the window ends of a call that ended at 10, and of one that began at 0 and whose end was not recorded.
const END: i64 = 10 + (15 + 1) * 60;
const LATEST_END: i64 = (10 + 15 + 1) * 60;

#[test]
fn what_a_create_did_is_decided_by_its_window_its_marker_and_all_other_calls() {
    let table = include_str!("../../fixtures/ec2/creates.txt").replace("\\u{1b}", "\u{1b}");
    let mut operation = "";
    let (mut rows, lines) = (0, table.lines().filter(|line| !line.is_empty()));
    for line in lines.filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [sent, shown_by_ec2, expected] = columns[..] else {
            operation = line;
            continue;
        };
        let found = findings(&calls(operation, sent), &objects(operation, shown_by_ec2), LATER);
        assert_eq!(shown(&found).join(", "), expected, "{line}");
        for finding in found {
            let settled = match &finding {
                Finding::Happened { id, .. } => Some(Settled::Applied { id: Some(id.clone()) }),
                Finding::DidNotHappen => Some(Settled::NotApplied),
                _ => None,
            };
            assert_eq!(finding.settled(), settled, "{line}");
        }
        rows += 1;
    }
    assert!(rows > 30, "{rows}");
    // The object may also be that of a call that doesn't say from what.
    let mut calls = calls("create_volume_from_snapshots", "0..10 0..10");
    calls[1].subject = Subject::default();
    let found = findings(&calls, &objects("create_volume_from_snapshots", "vol-9@5"), LATER);
    let expected = [
        "ambiguous: one of these, or none: vol-9",
        "not looked up: the call doesn't say what to look for",
    ];
    assert_eq!(shown(&found), expected);
}

#[test]
fn nothing_is_absent_before_ec2_shows_everything() {
    let unrecorded = call("create_snapshot", 0, None);
    let elsewhere = "not looked up: EC2 shows neither it nor what it is created from; ask in the account and the region of the volume";
    for (call, objects, end, finding) in [
        (create(), vec![source(false)], END, "created nothing"),
        (restore(), vec![source(true)], END, "created nothing"),
        (create(), vec![], END, elsewhere),
        (restore(), vec![], END, elsewhere),
        (unrecorded, vec![source(false)], LATEST_END, "created nothing"),
        (attach(), vec![], LATEST_END, "EC2 shows no EBS volume of it"),
    ] {
        let early = findings(from_ref(&call), &objects, end - 1).remove(0);
        assert_eq!(early, Finding::NotYetSeen { look_again_after: at(end) });
        assert_eq!(shown(&findings(&[call], &objects, end)), [finding]);
    }
}

const OURS: &[(&str, &str)] = &[("i-1", "attached")];
const THEIRS: &[(&str, &str)] = &[("i-2", "attached")];
/// When a volume was created that EC2 shows whole.
const LONG_AGO: i64 = -10_000;

#[test]
fn an_attach_is_judged_by_all_ebs_volumes_from_the_time_that_proves_it() {
    let volume = |id: &str, attached: &[(&str, &str)]| ebs(id, LONG_AGO, attached);
    let mut device = volume("a", THEIRS);
    device.attachments[0].device = Some("/dev/sdb".to_owned());
    let mut deleted = volume("b", &[]);
    deleted.state = "deleted".to_owned();
    let by_call = (15 + 1) * 60;
    let table: Vec<(Vec<Ec2Object>, i64, &str)> = vec![
        (vec![volume("a", OURS), volume("b", OURS)], 60, "attached"),
        (vec![volume("a", &[("i-2", "attached"), ("i-1", "attached")])], 60, "attached"),
        (vec![volume("a", OURS), deleted], 60, "attached"),
        // The later state of the same volume counts.
        (vec![volume("a", &[]), volume("a", OURS)], 60, "attached"),
        // The EBS volumes of a new volume appear one by one; its first one may be old enough to show that all are there.
        (vec![ebs("a", -10, OURS)], by_call, "attached"),
        (vec![ebs("a", -10 * 60, OURS)], by_call, "attached"),
        (vec![ebs("a", -16 * 60, OURS), ebs("b", -5, OURS)], (10 + 15 + 1 - 16) * 60, "attached"),
        (vec![volume("a", OURS), volume("b", &[])], 60, "1 of 2 EBS volumes attached"),
        (vec![volume("a", OURS), volume("b", THEIRS)], 60, "1 of 2 EBS volumes attached"),
        (vec![volume("a", &[("i-1", "attaching")])], 60, "0 of 1 EBS volumes attached"),
        (vec![volume("a", THEIRS), volume("b", &[])], 60, "attached to i-2"),
        (vec![device], 60, "attached to i-2 as /dev/sdb"),
        (vec![volume("a", &[("i-1", "detached")])], LATEST_END, "not attached"),
        (vec![volume("a", &[])], LATEST_END, "not attached"),
    ];
    for (volumes, time, expected) in table {
        let early = findings(&[attach()], &volumes, time - 1).remove(0);
        let look_again_after = at(time);
        assert_eq!(early, Finding::NotYetSeen { look_again_after }, "{volumes:?}");
        let found = findings(&[attach()], &volumes, time).remove(0);
        assert_eq!(found.to_string(), expected, "{volumes:?}");
        let settled = (found == Finding::Attached).then_some(Settled::Applied { id: None });
        assert_eq!(found.settled(), settled);
    }
}

#[test]
fn a_volume_is_ready_once_all_ebs_volumes_are() {
    let volume = "vol-1".parse().unwrap();
    let check = |states: &[&str]| {
        let mut objects = Ec2Objects::new(at(0));
        let ebs = |(number, state): (usize, &&str)| {
            let mut ebs = ebs(&format!("vol-{number}"), 0, OURS);
            (*state).clone_into(&mut ebs.state);
            ebs
        };
        let volumes = states.iter().enumerate().map(ebs).collect();
        objects.add(&Query::ebs_volumes(&volume), volumes).unwrap();
        volumes_ready(&volume, &objects)
    };
    assert_eq!(check(&["available", "in-use"]), Ok(()));
    assert_eq!(check(&[]).unwrap_err(), "EC2 shows no EBS volume of vol-1");
    assert_eq!(check(&["available", "creating"]).unwrap_err(), "vol-1 is creating");
    let unasked = volumes_ready(&volume, &Ec2Objects::new(at(0))).unwrap_err();
    assert_eq!(unasked, "no result of a query for the EBS volumes of vol-1 was given");
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
async fn an_error_says_how_to_find_what_its_call_did_and_when_it_was_in_flight() {
    let fake = Fake::start().await.unwrap();
    fake.add_volume("vol-1".parse().unwrap(), 100);
    let datafy = fake.client().clock(Suspended::default()).build().unwrap();
    let call = || datafy.volume("vol-1".parse().unwrap()).create_snapshot().traceable();
    fake.inject(Fault::ApplyThenReset);
    let error = call().await.unwrap_err();
    let command = "aws ec2 describe-snapshots --filters 'Name=tag:datafy:source-volume:id,Values=vol-1' --output json";
    assert_eq!(error.how_to_find().as_deref(), Some(command));
    let sent = SentCall::from(&error);
    assert_eq!((sent.marker.as_deref(), sent.outcome), (error.marker(), Outcome::Unknown));
    assert!(error.elapsed() < Duration::from_secs(60), "{error:?}");
    assert_eq!((sent.begun, sent.ended), (at(0), Some(at(3_600))));

    fake.inject(Fault::status(409));
    let refused = call().await.unwrap_err();
    assert_eq!(refused.how_to_find(), None);
    assert_eq!(SentCall::from(&refused).outcome, Outcome::Refused);
}

#[test]
fn queries_ask_for_each_open_subject_once_for_at_most_200_and_for_each_sub_account() {
    let mut calls: Vec<_> = (0..201).map(|_| create()).collect();
    for (number, call) in calls.iter_mut().enumerate() {
        call.subject.volume = Some(format!("vol-{number}").parse().unwrap());
    }
    let mut other = create();
    other.subject.sub_account = Some("sub-1".parse().unwrap());
    let mut known = self::calls("create_snapshot", "0..10=dsnap-9").remove(0);
    known.subject.volume = Some("vol-known".parse().unwrap());
    calls.extend([create(), attach(), restore(), other, known]);
    let queries = Query::of_all(&calls);
    let of = |it: &Query| (it.sub_account.is_some(), it.command, it.tag, it.values().len());
    let expected = [
        (false, "describe-snapshots", "datafy:snapshot:id", 1),
        (false, "describe-snapshots", "datafy:source-volume:id", 200),
        (false, "describe-snapshots", "datafy:source-volume:id", 1),
        (false, "describe-volumes", "datafy:restored-from-snapshot:id", 1),
        (false, "describe-volumes", "datafy:source-volume:id", 200),
        (false, "describe-volumes", "datafy:source-volume:id", 1),
        (true, "describe-snapshots", "datafy:source-volume:id", 1),
        (true, "describe-volumes", "datafy:source-volume:id", 1),
    ];
    assert_eq!(queries.iter().map(of).collect::<Vec<_>>(), expected);
    assert!(queries.iter().all(|it| !it.to_string().contains("vol-known")));
    let filter = "Name=tag:datafy:restored-from-snapshot:id,Values=dsnap-1";
    let args = ["ec2", "describe-volumes", "--filters", filter, "--output", "json"];
    assert_eq!(queries[3].args(), args);
}

#[test]
fn nothing_is_concluded_without_the_result_of_a_query() {
    let calls = [create(), restore(), attach()];
    let mut objects = Ec2Objects::new(at(LATER));
    let missing = "not looked up: no result of a query for it was given";
    let mut expected = [missing; 3];
    let results = [
        (vec![source(true)], vec![]),
        (vec![], vec![(0, "not looked up: EC2 shows neither")]),
        (vec![], vec![(1, "created nothing")]),
        (vec![source(false)], vec![(0, "created nothing"), (2, "not attached")]),
    ];
    for (query, (found, changed)) in Query::of_all(&calls).iter().zip(results) {
        objects.add(query, found).unwrap();
        let twice = objects.add(query, vec![]).unwrap_err().to_string();
        assert_eq!(twice, format!("{}: the result of this query was given before", query.command));
        for (at, finding) in changed {
            expected[at] = finding;
        }
        let findings = shown(&find_out(&calls, &objects, &Settings::default()));
        for (finding, expected) in findings.iter().zip(expected) {
            assert!(finding.starts_with(expected), "{finding}");
        }
    }
    // An ID that the query didn't ask for, or not in this sub-account.
    let mut others = [create(), create()];
    others[0].subject.volume = Some("vol-2".parse().unwrap());
    others[1].subject.sub_account = Some("sub-1".parse().unwrap());
    assert_eq!(shown(&find_out(&others, &objects, &Settings::default())), [missing; 2]);
}

/// An output for snapshots of `vol-1`, and one for its EBS volumes, with what EC2 always sends.
fn outputs() -> [Value; 2] {
    let tags = json!([{ "Key": "datafy:source-volume:id", "Value": "vol-1" }]);
    let attachments = json!([{ "InstanceId": "i-1", "State": "attached" }]);
    let time = "2026-01-01T02:00:00.512000+00:00";
    [
        json!({ "Snapshots": [{ "SnapshotId": "snap-1", "StartTime": time, "Tags": tags }] }),
        json!({ "Volumes": [{ "VolumeId": "vol-a", "CreateTime": time, "State": "in-use",
            "Attachments": attachments, "Tags": tags }] }),
    ]
}

/// Reads the output of the query for a call, and returns the objects or why it can't be used.
fn read(call: &SentCall, output: impl AsRef<[u8]>) -> Result<Vec<Ec2Object>, String> {
    let mut objects = Ec2Objects::new(at(LATER));
    let result = objects.read(&Query::of(call).unwrap(), output.as_ref());
    let all: Vec<_> = objects.objects().cloned().collect();
    assert!(result.is_ok() || all.is_empty(), "{all:?}");
    let found = shown(&find_out(from_ref(call), &objects, &Settings::default())).remove(0);
    assert_eq!(found.starts_with("not looked up"), result.is_err(), "{found}");
    result.map(|()| all).map_err(|error| error.to_string())
}

#[test]
fn output_of_the_command_line_is_read_in_each_form() {
    let [snapshots, volumes] = outputs();
    assert_eq!(
        read(&attach(), volumes.to_string()).unwrap()[0].attachments,
        [Attachment::new("i-1", "attached")]
    );
    let mut page = snapshots.clone();
    page["NextToken"] = "x".into();
    let pages = read(&create(), format!("{page}\n{snapshots}")).unwrap();
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[0].time, "2026-01-01T02:00:00.512Z".parse::<DateTime<Utc>>().unwrap());
    // What PowerShell writes: UTF-16 with a byte order mark, or UTF-8 with one.
    let mut described = snapshots;
    described["Snapshots"][0]["Description"] = "Größe 🙂".into();
    let json = described.to_string();
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let with_mark = format!("\u{feff}{json}");
    let forms =
        [little(&with_mark), big(&with_mark), little(&json), big(&json), with_mark.into_bytes()];
    for output in forms {
        assert_eq!(read(&create(), output).unwrap()[0].description, "Größe 🙂");
    }
    let mut cut = little(&json);
    cut.pop();
    let latin: Vec<u8> = json.chars().map(|it| u8::try_from(it).unwrap_or(b'?')).collect();
    for (output, problem) in
        [(cut, "it is not valid UTF-16"), (latin, "it is neither UTF-8 nor UTF-16")]
    {
        let expected = format!("describe-snapshots: {problem}");
        assert_eq!(read(&create(), output).unwrap_err(), expected);
    }
}

const CUT: &str = "give the output of the command as it is, without --query";

#[test]
fn output_that_cannot_be_the_complete_result_of_the_query_is_refused_with_its_place() {
    let [snapshots, volumes] = outputs();
    let changed = |from: &str, to: &str| snapshots.to_string().replace(from, to);
    let none = r#"{"Snapshots": []}"#;
    let page = r#"{"Snapshots": [], "NextToken": "x"}"#;
    let of_volumes = r#"{"Volumes": []}"#;
    let integer = "{\"Snapshots\": [\n{\"SnapshotId\": 5}]}";
    let document = "JSON document 1: it is not the output of describe-snapshots";
    for (output, problem) in [
        (String::new(), "there is no JSON document; the command may have failed"),
        ("An error occurred".to_owned(), "JSON document 1: expected value at line 1 column 1"),
        (r#"{"Reservations": []}"#.to_owned(), document),
        (volumes.to_string(), document),
        (format!("{page}{of_volumes}"), "JSON document 2: it is not the output of describe-snap"),
        (page.to_owned(), "the result is incomplete: the last page has a NextToken"),
        (format!("{none}{none}"), "JSON document 2: the result before it is complete"),
        (changed("source-volume", "x"), "snap-1 lacks the tag datafy:source-volume:id"),
        (changed("vol-1", "vol-2"), "snap-1 has vol-2 in the tag datafy:source-volume:id, which"),
        (format!("{page}\n{integer}"), "JSON document 2: invalid type: integer `5`, expected"),
    ] {
        let error = read(&create(), &output).unwrap_err();
        let expected = format!("describe-snapshots: {problem}");
        assert!(error.starts_with(&expected), "{output}: {error}");
    }
    let mut unattached = volumes;
    unattached["Volumes"][0]["Attachments"] = json!([]);
    let error = read(&attach(), unattached.to_string()).unwrap_err();
    assert!(error.contains("vol-a is in use, but has no attachment"), "{error}");
    // An SDK's objects are checked in the same way.
    let mut objects = Ec2Objects::new(at(LATER));
    let query = Query::of(&create()).unwrap();
    let error = objects.add(&query, vec![ebs("vol-a", 0, &[])]).unwrap_err().to_string();
    assert_eq!(error, "describe-snapshots: vol-a is not of describe-snapshots");
}

/// Removes each member of each object in turn, at any depth, and replaces each object by the list of its values, as
/// `--query` of the AWS CLI can.
fn each_cut(whole: &Value) -> Vec<Value> {
    let mut cuts = Vec::new();
    if let Value::Object(members) = whole {
        cuts.push(members.values().cloned().collect());
        for name in members.keys() {
            let mut rest = members.clone();
            rest.remove(name);
            cuts.push(Value::Object(rest));
        }
    }
    let children: Vec<String> = match whole {
        Value::Object(members) => members.keys().map(|name| format!("/{name}")).collect(),
        Value::Array(items) => (0..items.len()).map(|at| format!("/{at}")).collect(),
        _ => Vec::new(),
    };
    for child in children {
        for cut in each_cut(whole.pointer(&child).unwrap()) {
            let mut changed = whole.clone();
            *changed.pointer_mut(&child).unwrap() = cut;
            cuts.push(changed);
        }
    }
    cuts
}

#[test]
fn output_from_which_anything_was_cut_is_refused() {
    let [snapshots, volumes] = outputs();
    for (call, whole, cuts) in [(create(), snapshots, 9), (attach(), volumes, 14)] {
        let all = each_cut(&whole);
        assert_eq!(all.len(), cuts);
        for cut in all {
            let error = read(&call, cut.to_string()).expect_err(&cut.to_string());
            assert!(
                error.contains(CUT) || cut.as_object().is_some_and(serde_json::Map::is_empty),
                "{cut}: {error}"
            );
        }
    }
    // Lists as long as an object has fields that are read, in their order.
    let [snapshots, volumes] = outputs();
    let time = &volumes["Volumes"][0]["CreateTime"];
    let tags = &volumes["Volumes"][0]["Tags"];
    for (call, whole, place, list) in [
        (create(), &snapshots, "", json!([[], null, null])),
        (create(), &snapshots, "/Snapshots/0", json!(["snap-1", time, "", tags])),
        (attach(), &volumes, "/Volumes/0", json!(["vol-a", time, "available", [], tags])),
        (attach(), &volumes, "/Volumes/0/Attachments/0", json!(["i-1", null, "attached"])),
        (attach(), &volumes, "/Volumes/0/Tags/0", json!(["datafy:source-volume:id", "vol-1"])),
    ] {
        let mut cut = whole.clone();
        *cut.pointer_mut(place).unwrap() = list;
        let error = read(&call, cut.to_string()).expect_err(place);
        assert!(error.contains("invalid type: sequence, expected an object"), "{cut}: {error}");
    }
}

/// A search through all objects for each call would take hours.
#[test]
fn the_time_is_linear_in_the_number_of_objects() {
    let calls: Vec<_> = (0..20_000)
        .map(|number| {
            let mut call = create();
            call.subject.volume = Some(format!("vol-{number}").parse().unwrap());
            call
        })
        .collect();
    let of = |number: usize| {
        let volume = tag("datafy:source-volume:id", &format!("vol-{}", number % 20_000));
        let tags = vec![volume, tag("datafy:snapshot:id", &format!("dsnap-{number}"))];
        Ec2Object::snapshot(format!("snap-{number}"), at(5), "", tags)
    };
    let mut objects = Ec2Objects::new(at(LATER));
    let started = Instant::now();
    for query in Query::of_all(&calls) {
        let numbers = query.values().iter().map(|value| value[4..].parse::<usize>().unwrap());
        let found = numbers.flat_map(|number| (0..5).map(move |nth| of(number + nth * 20_000)));
        let is_answer = query.command == "describe-snapshots";
        objects.add(&query, if is_answer { found.collect() } else { vec![] }).unwrap();
    }
    let found = find_out(&calls, &objects, &Settings::default());
    assert!(found.iter().all(|it| matches!(it, Finding::Ambiguous(ids) if ids.len() == 5)));
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
