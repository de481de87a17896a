//! What `datafyctl journal resolve` finds out from EC2, and settles.

use crate::ctl::{Machine, Ran};
use serde_json::json;

#[cfg(unix)]
mod aws {
    use super::{OLD, resolve};
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
        let snapshots = "snapshot vol-1 vol-2 vol-3 --concurrency 1";
        machine.run(snapshots).await.expect(3);
        ec2.mirror(&machine.fake, true).await;

        let journal = &machine.journals()[0];
        let variables = ec2.environment();
        let variables = variables.each_ref().map(|(name, it)| (*name, it.as_str()));
        let line = format!("journal resolve {journal} --run-aws --region us-east-1");
        let ran = machine.run_with(&line, &variables).await.expect(3);
        ran.says("aws ec2 describe-snapshots --filters 'Name=tag:datafy:source-volume:id,Values=vol-1,vol-2' --output json --region us-east-1")
            .prints("vol-1: create_snapshot: created dsnap-")
            .prints("vol-2: create_snapshot: not seen yet; look again after 20");
        // Only what EC2 has created is settled.
        let ran = machine.run(&format!("journal list {journal}")).await.expect(3);
        ran.says("3 items, 1 step unknown");
        machine.run(&format!("{snapshots} --resume last")).await.expect(3);
        assert_eq!(machine.created_snapshots(), 2);

        // The script asks the same.
        let script = machine.run(&format!("journal resolve {journal}")).await.expect(3).out;
        let mut sh = std::process::Command::new("sh");
        sh.args(["-c", &script]).envs(variables).current_dir(machine.directory.path());
        assert!(sh.status().unwrap().success());
        let line = format!("journal resolve {journal} --from datafy-ec2 --json");
        let ran = machine.run(&line).await.expect(3);
        let [finding] = &ran.json()[..] else { panic!("{ran}") };
        assert_eq!((&finding["key"], &finding["settled"]), (&"vol-2".into(), &false.into()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_settled_as_not_applied_in_another_region() {
        let Some(programs) = programs() else { return };
        let ec2 = Ec2::start(programs, true).await;
        let machine = Machine::with_volumes(0).await;
        machine.file("old.jsonl", OLD);
        for volume in ["vol-0a1", "vol-0a2"] {
            ec2.create_volume(&[("datafy:source-volume:id", volume)]).await;
        }
        let variables = ec2.environment();
        let variables = variables.each_ref().map(|(name, it)| (*name, it.as_str()));
        let line = "journal resolve old.jsonl --run-aws --only-creator --region";
        let ran = machine.run_with(&format!("{line} eu-west-1"), &variables).await.expect(3);
        ran.prints("db-2: create_snapshot: not looked up: EC2 shows neither")
            .says("2 steps unknown");
        let ran = machine.run_with(&format!("{line} us-east-1"), &variables).await.expect(0);
        ran.prints("db-2: create_snapshot: created nothing").says("0 steps unknown");
    }

    #[tokio::test]
    async fn an_aws_that_fails_settles_nothing_and_gets_the_options() {
        let machine = Machine::with_volumes(0).await;
        machine.file("old.jsonl", OLD);
        let aws = "#!/bin/sh\nprintf '\\033[31mno credentials: %s' \"$*\" >&2\nexit 255\n";
        let aws = machine.directory.path().join(machine.file("aws", aws));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&aws, mode).unwrap();
        let path = format!("{}:/usr/bin:/bin", machine.directory.path().display());
        let line = "journal resolve old.jsonl --run-aws --aws-profile backup --region us-east-1";
        let ran = machine.run_with(line, &[("PATH", &path)]).await.expect(1);
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
        ran.says("nothing was settled").says(
            "no credentials: ec2 describe-snapshots --filters Name=tag:datafy:source-volume:id,Values=vol-0a1,vol-0a2 \
             --output json --profile backup --region us-east-1",
        );
        resolve(&machine, &[]).await.expect(1);
    }
}

/// A journal of two creates of which no result is recorded.
const OLD: &str = r#"{"time":"2026-01-01T02:00:00.000000Z","journal":"datafy","version":2,"job":null,"operation":"create_snapshot","endpoint":"https://api.datafy.io","sub_account":null}
{"time":"2026-01-01T02:00:01.000000Z","key":"db-1","operation":"create_snapshot","event":"begin","subject":{"volume":"vol-0a1"}}
{"time":"2026-01-01T02:00:02.000000Z","key":"db-2","operation":"create_snapshot","event":"begin","subject":{"volume":"vol-0a2"}}
"#;

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

/// Writes what the script would have written, and resolves the old journal with it.
async fn resolve(machine: &Machine, files: &[(&str, String)]) -> Ran {
    let directory = machine.directory.path().join("datafy-ec2");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    for (name, content) in files {
        std::fs::write(directory.join(name), content).unwrap();
    }
    machine.run("journal resolve old.jsonl --only-creator --from datafy-ec2").await
}

/// What the script has written at this time, with this output of the first command, and the volumes of this one.
fn output(time: &str, first: String, volume_ids: &[&str]) -> [(&'static str, String); 3] {
    [("begun", format!("{time}\n")), ("1.json", first), ("2.json", volumes(volume_ids))]
}

const LATER: &str = "2026-01-01T03:00:00Z";
const BOTH: [&str; 2] = ["vol-0a1", "vol-0a2"];

#[tokio::test]
async fn output_that_is_unfit_or_uncertain_settles_nothing() {
    let machine = Machine::with_volumes(0).await;
    machine.file("old.jsonl", OLD);
    let good = output(LATER, snapshots(), &BOTH);
    for (files, expected) in [
        (&output("9999-01-01T00:00:00Z", snapshots(), &BOTH)[..], "in the future"),
        (&output("soon", snapshots(), &BOTH), "begun: "),
        (&good[1..], "begun: "),
        (&good[..2], "2.json: "),
        (&output(LATER, "[[]]".to_owned(), &BOTH), "1.json"),
    ] {
        resolve(&machine, files).await.expect(1).says(expected);
    }
    resolve(&machine, &good).await.expect(0);
    // Without a marker, only the only creator is certain.
    machine.file("old.jsonl", OLD);
    let ran = machine.run("journal resolve old.jsonl --from datafy-ec2").await.expect(3);
    ran.prints("created dsnap-0c1; not settled: that is certain only with --only-creator");
}

#[tokio::test]
async fn the_output_of_the_commands_settles_what_it_proves() {
    let machine = Machine::with_volumes(0).await;
    machine.file("old.jsonl", OLD);
    let script = machine.run("journal resolve old.jsonl").await.expect(3);
    let script = script
        .prints("mkdir datafy-ec2")
        .prints("Values=vol-0a1,vol-0a2' --output json > datafy-ec2/1.json");
    assert_eq!(script.out.matches("aws ec2 describe-").count(), 2, "{script}");

    // The window of a call without a recorded end closes 26 minutes after its beginning.
    let early = output("2026-01-01T02:20:00Z", snapshots(), &BOTH);
    let ran = resolve(&machine, &early)
        .await
        .expect(3)
        .prints("db-1: create_snapshot: created dsnap-0c1");
    ran.prints("db-2: create_snapshot: not seen yet; look again after 2026-01-01T02:26:02Z; run this again then")
        .says("1 step unknown");
    let script = machine.run("journal resolve old.jsonl").await.expect(3);
    assert!(!script.out.contains("vol-0a1"), "{script}");
    script.prints("Values=vol-0a2' --output json");
    let changed = output(LATER, snapshots(), &BOTH);
    resolve(&machine, &changed).await.expect(1).says("which the query doesn't ask for");

    let none = || json!({ "Snapshots": [] }).to_string();
    let ran = resolve(&machine, &output(LATER, none(), &[])).await.expect(3);
    ran.prints("not looked up: EC2 shows neither it nor what it is created from");
    let ran = resolve(&machine, &output(LATER, none(), &BOTH[1..])).await.expect(0);
    ran.prints("db-2: create_snapshot: created nothing");
    machine.run("journal resolve old.jsonl").await.expect(0).says("0 steps unknown");
}

#[tokio::test]
async fn the_calls_of_other_journals_explain_objects() {
    let machine = Machine::with_volumes(0).await;
    machine.file("old.jsonl", OLD);
    // Another run's create of the same volume in the same minute, which is known to have made the snapshot.
    let end = r#"{"time":"2026-01-01T02:00:03.000000Z","key":"x","operation":"create_snapshot","event":"end","outcome":"applied","created_id":"dsnap-0c1"}"#;
    let begun = OLD.replace("db-1", "x");
    let begun = begun.lines().filter(|line| !line.contains("db-2"));
    let lines: Vec<_> = begun.chain([end, ""]).collect();
    machine.file("state/snapshot-other.jsonl", lines.join("\n"));
    let ran = resolve(&machine, &output(LATER, snapshots(), &BOTH)).await.expect(0);
    ran.prints("db-1: create_snapshot: created nothing");
}
