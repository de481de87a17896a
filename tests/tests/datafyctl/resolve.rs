//! What `datafyctl journal resolve` finds out from EC2, and settles.

use crate::ctl::{Machine, Ran};
use serde_json::json;
use std::path::Path;

#[cfg(unix)]
mod aws {
    use super::{Lookups, old_journal};
    use crate::ctl::Machine;
    use crate::ec2::{Ec2, programs};
    use datafy_api_ext::fake::Fault;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_ec2_shows_is_settled_and_the_run_continues() {
        let Some(programs) = programs() else { return };
        let mut ec2 = Ec2::start(programs, true).await;
        let machine = Machine::with_volumes(0).await;
        for id in ["vol-1", "vol-2", "vol-3"] {
            machine.fake.add_volume(id.parse().unwrap(), 100);
        }
        machine.fake.inject(Fault::ApplyThenReset);
        machine.fake.inject(Fault::ReadThenReset);
        let arguments = ["snapshot", "vol-1", "vol-2", "vol-3", "--concurrency", "1"];
        machine.run(&arguments).await.expect(3);
        ec2.mirror(&machine.fake, true).await;

        let journal = &machine.journals()[0];
        let variables = ec2.environment();
        let variables: Vec<_> = variables.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let resolve = ["journal", "resolve", journal, "--run-aws"];
        let region = ["--region", "us-east-1"];
        let ran =
            machine.run_with(&[&resolve[..], &region].concat(), &variables, "").await.expect(3);
        ran.says("aws ec2 describe-snapshots --filters 'Name=tag:datafy:source-volume:id,Values=vol-1,vol-2' --output json --region us-east-1")
            .prints("vol-1: create_snapshot: created dsnap-")
            .prints("vol-2: create_snapshot: not seen yet; look again after 20");
        // Only what EC2 has created is settled.
        machine.run(&["journal", "list", journal]).await.expect(3).says("3 items, 1 step unknown");
        let resume = [&arguments[..], &["--resume", "last"]].concat();
        machine.run(&resume).await.expect(3);
        assert_eq!(machine.created_snapshots(), 2);

        // The script asks the same.
        let script = machine.run(&["journal", "resolve", journal]).await.expect(3).out;
        let script = machine.file("ask.sh", script);
        let mut sh = std::process::Command::new("sh");
        let status = sh.arg(&script).envs(variables.clone()).current_dir(machine.directory.path());
        assert!(status.status().unwrap().success());
        let from = ["journal", "resolve", journal, "--from", "datafy-ec2", "--json"];
        let ran = machine.run(&from).await.expect(3);
        let [finding] = &ran.json()[..] else { panic!("{}", ran.out) };
        assert_eq!((&finding["key"], &finding["settled"]), (&"vol-2".into(), &false.into()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_settled_as_not_applied_in_another_place() {
        let Some(programs) = programs() else { return };
        let ec2 = Ec2::start(programs, false).await;
        let machine = Machine::with_volumes(0).await;
        let journal = machine.file("old.jsonl", old_journal());
        let variables = ec2.environment();
        let variables: Vec<_> = variables.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let resolve = ["journal", "resolve", &journal, "--run-aws", "--only-creator"];
        let ran = machine.run_with(&resolve, &variables, "").await.expect(3);
        ran.prints("db-2: create_snapshot: created nothing; not settled: EC2 shows nothing of it")
            .says("aws ec2 describe-volumes")
            .says("2 steps unknown");
        for volume in ["vol-0a1", "vol-0a2"] {
            ec2.create_volume(&[("datafy:source-volume:id", volume)]).await;
        }
        let other = [("AWS_DEFAULT_REGION", "eu-west-1")];
        let elsewhere = [&variables[..], &other].concat();
        machine.run_with(&resolve, &elsewhere, "").await.expect(3);
        let ran = machine.run_with(&resolve, &variables, "").await.expect(0);
        ran.prints("db-2: create_snapshot: created nothing").says("0 steps unknown");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_aws_that_fails_or_is_missing_settles_nothing() {
        let machine = Machine::with_volumes(0).await;
        let journal = machine.file("old.jsonl", old_journal());
        let resolve = ["journal", "resolve", &journal, "--run-aws"];
        machine
            .run_with(&resolve, &[("PATH", "/nowhere")], "")
            .await
            .expect(1)
            .says("`aws` can't be run");
        let fails = "#!/bin/sh\nprintf '\\033[31mno credentials' >&2\nexit 255\n";
        let aws = machine.file("aws", fails);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&aws, mode).unwrap();
        let path = format!("{}:/usr/bin:/bin", machine.directory.path().display());
        let ran = machine.run_with(&resolve, &[("PATH", &path)], "").await.expect(1);
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
        ran.says("nothing was settled").says("no credentials");
        machine.resolve(&journal, &[]).await.expect(1);
    }
}

/// A journal of two creates of which no result is recorded.
fn old_journal() -> String {
    let begin = r#""operation":"create_snapshot","event":"begin","subject":{"volume""#;
    format!(
        r#"{{"time":"2026-01-01T02:00:00.000000Z","journal":"datafy","version":2,"job":null,"operation":"create_snapshot","endpoint":"https://api.datafy.io","sub_account":null}}
{{"time":"2026-01-01T02:00:01.000000Z","key":"db-1",{begin}:"vol-0a1"}}}}
{{"time":"2026-01-01T02:00:02.000000Z","key":"db-2",{begin}:"vol-0a2"}}}}
"#
    )
}

/// What EC2 shows: a snapshot by the first of these creates.
fn snapshots() -> String {
    let tags = json!([
        { "Key": "datafy:source-volume:id", "Value": "vol-0a1" },
        { "Key": "datafy:snapshot:id", "Value": "dsnap-0c1" },
    ]);
    let snapshot = json!({
        "SnapshotId": "snap-0b1", "StartTime": "2026-01-01T02:00:03.512Z", "Description": "", "Tags": tags,
    });
    json!({ "Snapshots": [snapshot] }).to_string()
}

/// The EBS volumes of these volumes.
fn volumes(ids: &[&str]) -> String {
    let volume = |id: &&str| {
        json!({
            "VolumeId": format!("{id}f"), "CreateTime": "2025-01-01T00:00:00Z", "State": "available", "Attachments": [],
            "Tags": [{ "Key": "datafy:source-volume:id", "Value": id }],
        })
    };
    json!({ "Volumes": ids.iter().map(volume).collect::<Vec<_>>() }).to_string()
}

trait Lookups {
    /// Writes what the script would have written, and resolves a journal with it.
    async fn resolve(&self, journal: &str, files: &[(&str, String)]) -> Ran;
}

impl Lookups for Machine {
    async fn resolve(&self, journal: &str, files: &[(&str, String)]) -> Ran {
        let directory = self.directory.path().join("datafy-ec2");
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir(&directory).unwrap();
        for (name, content) in files {
            std::fs::write(directory.join(name), content).unwrap();
        }
        let directory = directory.to_str().unwrap();
        self.run(&["journal", "resolve", journal, "--only-creator", "--from", directory]).await
    }
}

#[tokio::test]
async fn the_output_of_the_commands_settles_what_it_proves() {
    let machine = Machine::with_volumes(0).await;
    let journal = machine.file("old.jsonl", old_journal());
    let script = machine.run(&["journal", "resolve", &journal]).await.expect(3);
    let script = script
        .prints("mkdir datafy-ec2")
        .prints("Values=vol-0a1,vol-0a2' --output json > datafy-ec2/1.json")
        .out;
    assert_eq!(script.matches("aws ec2 describe-").count(), 2, "{script}");
    let begun = |time: &str| ("begun", format!("{time}\n"));
    let both = volumes(&["vol-0a1", "vol-0a2"]);
    let output = |time| [begun(time), ("1.json", snapshots()), ("2.json", both.clone())];

    machine
        .resolve(&journal, &output("9999-01-01T00:00:00Z"))
        .await
        .expect(1)
        .says("in the future");
    machine.resolve(&journal, &output("soon")).await.expect(1).says("begun: ");
    machine.resolve(&journal, &output("2026-01-01T03:00:00Z")[1..]).await.expect(1).says("begun: ");
    machine
        .resolve(&journal, &output("2026-01-01T03:00:00Z")[..2])
        .await
        .expect(1)
        .says("2.json: ");
    let cut =
        [begun("2026-01-01T03:00:00Z"), ("1.json", "[[]]".to_owned()), ("2.json", both.clone())];
    machine.resolve(&journal, &cut).await.expect(1);
    machine.resolve(&journal, &output("2026-01-01T03:00:00Z")).await.expect(0);
    std::fs::write(&journal, old_journal()).unwrap();
    let directory = machine.directory.path().join("datafy-ec2");
    let ran = machine
        .run(&["journal", "resolve", &journal, "--from", directory.to_str().unwrap()])
        .await
        .expect(3);
    ran.prints("db-1: create_snapshot: created dsnap-0c1; not settled: that is certain only with --only-creator")
        .says("2 steps unknown");
    // The window of a call without a recorded end closes 26 minutes after its beginning.
    let ran = machine.resolve(&journal, &output("2026-01-01T02:20:00Z")).await.expect(3);
    ran.prints("db-1: create_snapshot: created dsnap-0c1")
        .prints("db-2: create_snapshot: not seen yet; look again after 2026-01-01T02:26:02Z; run this again then")
        .says("1 step unknown");
    let script = machine.run(&["journal", "resolve", &journal]).await.expect(3);
    let script = script.prints("Values=vol-0a2' --output json").out;
    assert!(!script.contains("vol-0a1"), "{script}");
    let changed = output("2026-01-01T03:00:00Z");
    machine.resolve(&journal, &changed).await.expect(1).says("which the query doesn't ask for");

    let none = || ("1.json", json!({ "Snapshots": [] }).to_string());
    let elsewhere = [begun("2026-01-01T03:00:00Z"), none(), ("2.json", volumes(&[]))];
    let ran = machine.resolve(&journal, &elsewhere).await.expect(3);
    ran.prints("created nothing; not settled: EC2 shows nothing of it")
        .prints("--aws-profile and --region");
    let here = [begun("2026-01-01T03:00:00Z"), none(), ("2.json", volumes(&["vol-0a2"]))];
    machine
        .resolve(&journal, &here)
        .await
        .expect(0)
        .prints("db-2: create_snapshot: created nothing");
    machine.run(&["journal", "resolve", &journal]).await.expect(0).says("0 steps unknown");
}

#[tokio::test]
async fn the_calls_of_other_journals_explain_objects() {
    let machine = Machine::with_volumes(0).await;
    let journal = machine.file("old.jsonl", old_journal());
    // Another run's create of the same volume in the same minute, which is known to have made the snapshot.
    let end = r#"{"time":"2026-01-01T02:00:03.000000Z","key":"x","operation":"create_snapshot","event":"end","outcome":"applied","created_id":"dsnap-0c1"}"#;
    let begun = old_journal().replace("db-1", "x");
    let lines: Vec<_> = begun.lines().filter(|line| !line.contains("db-2")).chain([end]).collect();
    let other = format!(
        "{}
",
        lines.join(
            "
"
        )
    );
    let output = [
        ("begun", "2026-01-01T03:00:00Z".to_owned()),
        ("1.json", snapshots()),
        ("2.json", volumes(&["vol-0a1", "vol-0a2"])),
    ];
    std::fs::create_dir_all(machine.state()).unwrap();
    std::fs::write(machine.state().join("snapshot-other.jsonl"), other).unwrap();
    let ran = machine.resolve(&journal, &output).await.expect(0);
    ran.prints("db-1: create_snapshot: created nothing");
    assert!(Path::new(&journal).exists());
}
