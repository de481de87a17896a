//! Which journal a run has, and what the commands `journal list` and `journal settle` do with it.

use crate::ctl::Machine;
use datafy_api_ext::fake::Fault;
use serde_json::json;

#[tokio::test]
async fn an_unfinished_run_is_not_repeated_by_accident() {
    let machine = Machine::with_volumes(2).await;
    machine.fake.inject(Fault::ApplyThenReset);
    let ran = machine.run("snapshot vol-1").await.expect(3).says("journal resolve");
    ran.says("\nthen continue: the same command with --resume ");
    machine.run("snapshot vol-1").await.expect(1).says("an earlier run is unfinished");
    // Another command is another job.
    machine.run("restore dsnap-1 --to i-1:/dev/sdb").await.expect(0);
    machine.run("snapshot vol-1 --resume last").await.expect(3).says("vol-1: not continued");
    assert_eq!(machine.created_snapshots(), 1);
    machine.run("snapshot vol-2 --new").await.expect(0);
    assert_eq!(machine.created_snapshots(), 2);
    // The first run is still the one to continue.
    machine.run("snapshot vol-1").await.expect(1);
    machine.run("snapshot vol-1 --resume last --json").await.expect(3);
}

#[tokio::test]
async fn a_finished_run_is_followed_by_a_new_one() {
    let machine = Machine::with_volumes(1).await;
    for _ in 0..2 {
        machine.run("snapshot vol-1").await.expect(0);
    }
    assert_eq!((machine.created_snapshots(), machine.journals().len()), (2, 2));
    let line = format!("snapshot vol-1 --resume {}", machine.journals()[0]);
    let ran = machine.run(&line).await.expect(0).prints("by an earlier run");
    ran.says("nothing was sent: earlier runs have done everything");
    assert_eq!(machine.created_snapshots(), 2);
}

#[tokio::test]
async fn a_run_that_is_resumed_with_a_shorter_list_stays_unfinished() {
    let machine = Machine::with_volumes(2).await;
    machine.run("snapshot vol-1 vol-2 vol-9").await.expect(2).says("\ncontinue: ");
    let ran = machine.run("snapshot vol-1 --resume last").await.expect(0);
    ran.says("the journal stays unfinished: it was begun with 3 items, and this run had 1");
    machine.run("snapshot vol-2").await.expect(1).says("an earlier run is unfinished");
    assert_eq!(machine.created_snapshots(), 2);
}

#[tokio::test]
async fn a_named_job_is_done_once() {
    let machine = Machine::with_volumes(2).await;
    let line = "snapshot vol-1 vol-9 --job nightly-{date}";
    machine.run(line).await.expect(2);
    machine.fake.add_volume("vol-9".parse().unwrap(), 100);
    machine.run(line).await.expect(0).says("resuming").says("1 done, 1 done by earlier runs");
    machine.run(line).await.expect(0).says("nothing was sent");
    assert_eq!(machine.created_snapshots(), 2);
    // An unfinished job of another name is no accident.
    machine.run("snapshot vol-8 --job a").await.expect(2);
    machine.run("snapshot vol-2 --job b").await.expect(0);
    let ran = machine.run("journal list --json").await.expect(0);
    let jobs: Vec<_> =
        ran.json().iter().map(|line| [line["job"].clone(), line["state"].clone()]).collect();
    assert!(jobs.contains(&["a", "unfinished"].map(Into::into)), "{jobs:?}");
    assert!(jobs.contains(&["b", "finished"].map(Into::into)), "{jobs:?}");
}

#[tokio::test]
async fn a_journal_lists_what_is_unknown_and_what_is_unattached() {
    let machine = Machine::with_volumes(2).await;
    machine.run("journal list").await.expect(0).says("there is no journal in");
    machine.run("restore dsnap-1 --to i-1:/dev/sdc --journal a.jsonl").await.expect(0);
    let ran = machine.run("journal list a.jsonl --orphans").await.expect(0);
    ran.says("no volume is unattached");
    machine.fake.inject(Fault::ApplyThenReset);
    machine.restores("a\u{1b}[31m,dsnap-1,i-1,/dev/sdb\nb,dsnap-2,i-9,/dev/sdb\n");
    let line = "restore --from list.csv --journal j.jsonl --within 0s --concurrency 1";
    machine.run(line).await.expect(3);

    let ran = machine.run("journal list j.jsonl").await.expect(3);
    assert!(!ran.out.contains('\u{1b}'), "{:?}", ran.out);
    let ran = ran.prints("create_volume_from_snapshots  unknown").prints("refused");
    ran.says("2 items, 1 step unknown, 1 volume unattached");
    let ran = machine.run("journal list j.jsonl --unknown --json").await.expect(3);
    let [step] = &ran.json()[..] else { panic!("{ran}") };
    let operation = json!("create_volume_from_snapshots");
    assert_eq!((&step["operation"], &step["unknown"]), (&operation, &json!(true)));
    let ran = machine.run("journal list j.jsonl --orphans --json").await.expect(3);
    let [orphan] = &ran.json()[..] else { panic!("{ran}") };
    assert_eq!(orphan["key"], "b");
    machine.run("journal list j.jsonl --orphans").await.prints("VOLUME").says("delete-volume");
}

#[tokio::test]
async fn what_is_settled_is_skipped_or_repeated_by_the_next_run() {
    let machine = Machine::with_volumes(2).await;
    machine.fake.inject(Fault::ApplyThenReset);
    machine.fake.inject(Fault::ReadThenReset);
    let line = "snapshot vol-1 vol-2 --concurrency 1";
    machine.run(line).await.expect(3);
    let settle = format!("journal settle {}", machine.journals()[0]);
    for (found, code, text) in [
        ("vol-9 not-applied", 1, "the journal has no item"),
        ("vol-1 applied", 1, "is missing"),
        ("vol-1 applied vol-1", 1, "is not a Datafy snapshot ID"),
        ("vol-1 applied dsnap-0c1", 0, "1 step unknown"),
        ("vol-1 not-applied", 1, "nothing is unknown"),
        ("vol-2 not-applied", 0, "0 steps unknown"),
    ] {
        machine.run(&format!("{settle} {found}")).await.expect(code).says(text);
    }
    let ran = machine.run(&format!("{line} --resume last")).await.expect(0);
    ran.prints("vol-1: created dsnap-0c1, by an earlier run").prints("vol-2: created dsnap-");
    assert_eq!(machine.created_snapshots(), 2);
    machine.run(line).await.expect(0);
}

#[tokio::test]
async fn a_journal_that_is_damaged_stops_new_runs() {
    let machine = Machine::with_volumes(1).await;
    machine.file("state/snapshot-20260101T000000Z-0.jsonl", "{}\n");
    machine.run("snapshot vol-1").await.expect(1).says("is not a journal");
    machine.run("journal list").await.expect(3).says("is not a journal");
    machine.run("snapshot vol-1 --job a").await.expect(0);
}
