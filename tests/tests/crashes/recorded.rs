//! The output of the AWS CLI, recorded from a real EC2 API, so that it is read without one, too.
//!
//! `RECORD=1 cargo test --test crashes recorded` records it anew.

use crate::ec2::{Ec2, programs};
use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::fake::Fake;
use datafy_api_ext::reconcile::{Ec2Objects, Finding, Query, SentCall, Settings, find_out};
use datafy_api_ext::{DatafySnapshotId, DeviceName, Subject, VolumeId};
use serde_json::{Deserializer, Value};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Two snapshots of a volume, in pages; a volume that was restored from one of them, and attached.
const COMMANDS: [(&str, &str); 2] = [
    (
        "snapshots.json",
        "page=$(aws ec2 describe-snapshots --filters Name=tag:Managed-By,Values=Datafy.io \
         --max-items 3 --output json) && echo \"$page\" && aws ec2 describe-snapshots --filters \
         Name=tag:Managed-By,Values=Datafy.io --output json --starting-token \
         \"$(echo \"$page\" | sed -n 's/.*\"NextToken\": \"\\(.*\\)\".*/\\1/p')\"",
    ),
    (
        "volumes.json",
        "aws ec2 describe-volumes --filters Name=tag:Managed-By,Values=Datafy.io --output json",
    ),
];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/ec2").join(name)
}

#[test]
fn recorded_output_of_the_cli_is_read_and_proves_what_happened() {
    let text = |name: &str| String::from_utf8(fs::read(fixture(name)).unwrap()).unwrap();
    let [snapshots, volumes] = COMMANDS.map(|(name, _)| text(name));
    let begun: DateTime<Utc> = first(&snapshots, "StartTime").parse().unwrap();
    let snapshot = "dsnap-00000000000000001";
    let volume = "vol-00000000000000003";
    let mut about = [Subject::default(), Subject::default(), Subject::default()];
    about[0].volume = Some("vol-1".parse().unwrap());
    about[1].snapshot = Some(snapshot.parse().unwrap());
    about[2].volume = Some(volume.parse().unwrap());
    about[2].instance = Some(first(&volumes, "InstanceId").parse().unwrap());
    let operations = ["create_snapshot", "create_volume_from_snapshots", "attach_volume"];
    let mut calls: Vec<SentCall> =
        operations.iter().zip(about).map(|(name, of)| SentCall::new(*name, of, begun)).collect();
    let mut objects = Ec2Objects::new(begun + TimeDelta::hours(1));
    for (query, output) in calls.iter().zip([&snapshots, &volumes, &volumes]) {
        objects.read(&Query::of(query).unwrap(), output.as_bytes()).unwrap();
    }
    // Each volume was found by two queries.
    assert_eq!(objects.objects().count(), 8);
    let findings = find_out(&calls, &objects, &Settings::default());
    let Finding::Ambiguous(ids) = &findings[0] else { panic!("{findings:?}") };
    assert_eq!(ids.len(), 2, "there are two snapshots");
    let happened = |id: &str, marked| Finding::Happened { id: id.to_owned(), marked };
    assert_eq!(findings[1..], [happened(volume, false), Finding::Attached]);
    calls[0].marker = Some("[datafy-1]".to_owned());
    let findings = find_out(&calls, &objects, &Settings::default());
    assert_eq!(findings[0], happened(snapshot, true));
}

/// The first text in this member.
fn first(json: &str, member: &str) -> String {
    let (_, rest) = json.split_once(&format!("\"{member}\": \"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// The names of all members, and whether each holds a text, a number or another value.
fn shape(text: &[u8]) -> BTreeSet<(String, bool, bool)> {
    fn add(value: &Value, name: &str, shape: &mut BTreeSet<(String, bool, bool)>) {
        match value {
            Value::Array(items) => items.iter().for_each(|it| add(it, name, shape)),
            Value::Object(members) => members.iter().for_each(|(name, it)| add(it, name, shape)),
            _ => drop(shape.insert((name.to_owned(), value.is_string(), value.is_number()))),
        }
    }
    let mut all = BTreeSet::new();
    for document in Deserializer::from_slice(text).into_iter::<Value>() {
        add(&document.unwrap(), "", &mut all);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_output_of_the_cli_has_the_shape_that_was_recorded() {
    let Some(programs) = programs() else { return };
    let mut ec2 = Ec2::start(programs, true).await;
    let fake = Fake::start().await.unwrap();
    let volume: VolumeId = "vol-1".parse().unwrap();
    fake.add_volume(volume.clone(), 1);
    fake.add_instance(ec2.instance.clone());
    let datafy = fake.client().build().unwrap();
    for marker in ["[datafy-1]", "[datafy-2]"] {
        let call = datafy.volume(volume.clone()).create_snapshot();
        call.description(format!("nightly {marker}")).await.unwrap();
    }
    let device = DeviceName::new("/dev/sdf").unwrap();
    let source: DatafySnapshotId = "dsnap-00000000000000001".parse().unwrap();
    datafy.restore(source, ec2.instance.clone(), device).await.unwrap();
    ec2.mirror(&fake, true).await;
    for (name, command) in COMMANDS {
        let output = ec2.run(command);
        if std::env::var_os("RECORD").is_some() {
            fs::create_dir_all(fixture("")).unwrap();
            fs::write(fixture(name), &output).unwrap();
        }
        let recorded = fs::read(fixture(name)).unwrap();
        assert_eq!(shape(&output), shape(&recorded), "record {name} anew");
    }
}
