//! The commands that make calls.

use crate::ctl::{Machine, Ran};
use datafy_api_ext::fake::{Fake, Fault, Reply};
use serde_json::{Value, json};

#[tokio::test]
async fn a_snapshot_is_created_with_a_description_and_a_journal() {
    let machine = Machine::with_volumes(2).await;
    let ran = machine.run("snapshot vol-1 vol-2 --description 'night of {volume}'").await.expect(0);
    for snapshot in machine.fake.snapshots() {
        let Some(description) = &snapshot.description else { continue };
        let volume = &snapshot.volume;
        assert!(description.starts_with(&format!("night of {volume} [")), "{description}");
        assert!(ran.out.contains(&format!("{volume}: created {}", snapshot.id)), "{}", ran.out);
    }
    assert_eq!(machine.created_snapshots(), 2);
    let [journal] = &machine.journals()[..] else { panic!("{:?}", machine.journals()) };
    ran.says("the journal is ").says(journal).says("2 done");
}

#[tokio::test]
async fn a_list_is_read_from_a_file_or_standard_input() {
    let machine = Machine::with_volumes(3).await;
    machine.file("list.txt", "\u{feff}vol-1\n\n# nothing\n  vol-2 # the second\r\n");
    machine.run("snapshot --from list.txt --description {date}").await.expect(0);
    machine.file("third.txt", "vol-3\n");
    let mut command = machine.command("snapshot --from -");
    command.stdin(std::fs::File::open(machine.directory.path().join("third.txt")).unwrap());
    Ran::of(command).await.expect(0);
    assert_eq!(machine.created_snapshots(), 3);
    let today = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let year = today.format("%Y-").to_string();
    let snapshots = machine.fake.snapshots();
    let dated = snapshots.iter().filter_map(|it| it.description.as_ref());
    assert_eq!(dated.filter(|text| text.starts_with(&year)).count(), 2, "{snapshots:?}");
}

#[tokio::test]
async fn each_result_is_a_line_of_json() {
    let machine = Machine::with_volumes(2).await;
    machine.fake.inject_none();
    machine.fake.inject(Fault::ApplyThenReset);
    let line = "--json snapshot vol-1 vol-2 vol-3 --concurrency 1 --journal j.jsonl";
    let lines = machine.run(line).await.expect(3).json();
    let [begin, items @ .., end] = &lines[..] else { panic!("{lines:?}") };
    let path = machine.directory.path().join("j.jsonl");
    let expected = json!({ "event": "begin", "journal": path, "resumes": false, "items": 3 });
    assert_eq!(*begin, expected);
    let facts = |line: &Value| ["key", "state", "outcome"].map(|name| line[name].clone());
    assert_eq!(facts(&items[0]), [json!("vol-1"), json!("done"), Value::Null]);
    assert!(items[0]["snapshot"].as_str().unwrap().starts_with("dsnap-"));
    assert_eq!(facts(&items[1]), ["vol-2", "failed", "unknown"]);
    assert_eq!(facts(&items[2]), ["vol-3", "failed", "refused"]);
    assert_eq!(items[2]["error"]["status"], 404);
    let counts = ["done", "failed", "unknown", "exit_code"].map(|name| end[name].clone());
    assert_eq!((counts, &end["journal"]), ([1, 1, 1, 3].map(Value::from), &json!(path)));
}

#[tokio::test]
async fn a_refused_token_stops_the_run_and_a_file_overrides_it() {
    let machine = Machine::with_volumes(2).await;
    let refused = [("DATAFY_TOKEN", "another-token")];
    let ran = machine.run_with("snapshot vol-1 vol-2 --concurrency 1", &refused).await;
    ran.expect(3).says("refuses the token");
    machine.file("token", "fake-token\n");
    for (line, token) in [
        ("snapshot vol-1 vol-2 --resume last", refused[0]),
        ("snapshot vol-1", ("DATAFY_TOKEN", "")),
    ] {
        machine.run_with(&format!("{line} --token-file token"), &[token]).await.expect(0);
    }
}

#[tokio::test]
async fn an_option_overrides_a_variable_that_is_empty_or_invalid() {
    let machine = Machine::with_volumes(0).await;
    machine.file("token", "fake-token");
    let endpoint = format!("--endpoint {}", machine.fake.endpoint());
    for (variable, option) in [
        ("DATAFY_TOKEN", "--token-file token"),
        ("DATAFY_TOKEN_FILE", "--token-file token"),
        ("DATAFY_ENDPOINT", &endpoint),
        ("DATAFY_SUB_ACCOUNT_ID", "--sub-account sub-1"),
    ] {
        for value in [" ", "no value"] {
            let mut variables = vec![(variable, value)];
            if variable == "DATAFY_TOKEN_FILE" {
                variables.push(("DATAFY_TOKEN", ""));
            }
            machine.run_with("check", &variables).await.expect(1);
            machine.run_with(&format!("check {option}"), &variables).await.expect(0);
        }
    }
}

#[tokio::test]
async fn the_rate_and_the_endpoint_are_those_of_the_options() {
    let [machine, other] = [Machine::with_volumes(3).await, Machine::with_volumes(3).await];
    let endpoint = other.fake.endpoint();
    let line = format!("snapshot vol-1 vol-2 vol-3 --rate 10 --endpoint {endpoint} --json");
    let ran = machine.run(&line).await.expect(0);
    assert_eq!((machine.fake.requests().len(), other.created_snapshots()), (0, 3));
    // Three in at least two pauses of 0.1 s.
    assert!(ran.json().last().unwrap()["rate"].as_f64().unwrap() < 16.0, "{ran}");
}

#[tokio::test]
async fn a_plan_sends_nothing_and_leaves_no_journal() {
    let machine = Machine::with_volumes(2).await;
    let ran =
        machine.run("snapshot vol-1 vol-2 --plan --description 'of {volume}'").await.expect(0);
    ran.prints("vol-2: would create a snapshot, described as \"of vol-2\"").says("2 to do");
    let ran = machine.run("restore dsnap-1 --to i-1:/dev/sdb --plan --json").await.expect(0);
    let would = "create a volume from dsnap-1, and attach it to i-1 as /dev/sdb";
    assert_eq!((&ran.json()[0]["would"], &ran.json()[1]["to_do"]), (&json!(would), &json!(1)));
    machine.run("attach vol-1 i-1 /dev/sdb --plan").await.expect(0);
    machine.run("deactivate vol-1 --plan").await.expect(0);
    assert_eq!(machine.fake.requests().len(), 0);
    assert_eq!(machine.journals(), [""; 0]);
}

#[tokio::test]
async fn a_restore_that_failed_is_continued_and_its_plan_says_what_was_done() {
    let machine = Machine::with_volumes(2).await;
    machine.restores("a, dsnap-1, i-1, /dev/sdb\nb, dsnap-2, i-9, /dev/sdc\n");
    let ran = machine.run("restore --from list.csv --json --within 0s").await.expect(2);
    let volumes = machine.fake.volumes();
    let own = |snapshot| {
        let is_own = |it: &&datafy_api_ext::fake::FakeVolume| {
            it.source.as_ref().is_some_and(|it| it.as_str() == snapshot)
        };
        volumes.iter().find(is_own).unwrap()
    };
    assert_eq!(own("dsnap-1").device.as_ref().unwrap().as_str(), "/dev/sdb");
    let lines = ran.json();
    let line = lines.iter().find(|line| line["key"] == "a").unwrap();
    assert_eq!(line["volume"], own("dsnap-1").id.as_str());
    let ran = ran.says("exists, is billed and is not attached");
    assert!(ran.err.contains(own("dsnap-2").id.as_str()), "{ran}");
    let ran = machine.run("restore --from list.csv --resume last --plan").await.expect(0);
    ran.prints("a: vol-").prints("b: would create a volume from dsnap-2").prints("created vol-");
    machine.fake.add_instance("i-9".parse().unwrap());
    machine.run("restore --from list.csv --resume last").await.expect(0);
    assert_eq!(machine.effects("create_volume_from_snapshots"), 2);
}

#[tokio::test]
async fn a_volume_is_attached_and_its_autoscaling_deactivated() {
    let machine = Machine::with_volumes(1).await;
    let ran = machine.run("attach vol-1 i-1 /dev/sdb --within 1m").await.expect(0);
    ran.prints("vol-1: attached to i-1 as /dev/sdb");
    let ran = machine.run("deactivate vol-1 --json").await.expect(0);
    assert_eq!(ran.json()[0]["state"], "done");
    let operations: Vec<_> = machine.fake.effects().iter().filter_map(|it| it.operation).collect();
    assert_eq!(operations, ["attach_volume", "deactivate_autoscaling"]);
    assert_eq!(machine.journals(), [""; 0]);
}

#[tokio::test]
async fn the_account_is_sent_and_belongs_to_the_journal() {
    let machine = Machine::with_volumes(1).await;
    let sub_account = machine.fake.sub_account(&"sub-1".parse().unwrap());
    sub_account.add_volume("vol-1".parse().unwrap(), 1);
    machine.fake.inject(Fault::ReadThenReset);
    let account = "--sub-account sub-1 --account acc-1";
    machine.run(&format!("snapshot vol-1 {account}")).await.expect(3);
    let request = machine.fake.requests().pop().unwrap().to_string();
    assert!(request.contains("accounts=acc-1"), "{request}");
    // For another account it is another job.
    for other in ["", "--sub-account sub-1 --account acc-2"] {
        let ran = machine.run(&format!("snapshot vol-1 --resume last {other}")).await.expect(1);
        ran.says("no unfinished journal");
    }
    let journal = &machine.journals()[0];
    let line = format!("snapshot vol-1 --resume {journal} --sub-account sub-1");
    machine.run(&line).await.expect(1).says("`account`");
    machine.run(&format!("snapshot vol-1 --resume last {account}")).await.expect(3);
    let ran = machine.run(&format!("journal list {journal}")).await;
    ran.says("sub-account sub-1, account acc-1");
}

#[tokio::test]
async fn what_the_service_says_cannot_control_the_terminal() {
    let machine = Machine::with_volumes(1).await;
    let message = "a\u{1b}]0;title\u{7}\u{9b}31m\u{202e}b";
    let answer = Reply::json(400, &json!({ "message": message }));
    for line in ["deactivate vol-1", "deactivate vol-1 --json"] {
        machine.fake.inject(Fault::Answer(answer.clone()));
        let ran = machine.run(line).await.expect(2);
        let text = format!("{}{}", ran.out, ran.err);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{text:?}");
    }
}

#[tokio::test]
async fn check_opens_a_connection_and_sends_nothing() {
    let machine = Machine::with_volumes(0).await;
    let ran = machine.run("check --json").await.expect(0);
    let lines = ran.json();
    let value =
        |name: &str| lines.iter().find(|line| line["name"] == name).unwrap()["value"].clone();
    assert_eq!(value("endpoint"), format!("{}/, from DATAFY_ENDPOINT", machine.fake.endpoint()));
    assert_eq!(
        (value("token"), value("address")),
        ("from DATAFY_TOKEN".into(), "127.0.0.1".into())
    );
    assert!(value("connection").as_str().unwrap().starts_with("opened without TLS"));
    assert!(!ran.out.contains(Fake::TOKEN));
    assert_eq!(machine.fake.requests().len(), 0);

    let outage = machine.fake.outage().await;
    machine.run("check").await.expect(2).prints("no connection was made");
    drop(outage);
    let nowhere = ("DATAFY_ENDPOINT", "https://nowhere.invalid");
    machine.run_with("check", &[nowhere]).await.expect(2).prints("the host name was not resolved");
    let proxy = ("HTTPS_PROXY", "http://u:secret@127.0.0.1:1");
    let ran = machine.run_with("check", &[nowhere, proxy]).await.expect(2);
    assert!(!ran.out.contains("secret"), "{ran}");
    ran.prints("proxy        http://127.0.0.1:1");
}
