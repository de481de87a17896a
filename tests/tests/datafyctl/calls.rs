//! The commands that make calls.

use crate::ctl::Machine;
use datafy_api_ext::fake::Fault;
use serde_json::{Value, json};

#[tokio::test]
async fn a_snapshot_is_created_with_a_description_and_a_journal() {
    let machine = Machine::with_volumes(2).await;
    let ran = machine
        .run(&["snapshot", "vol-1", "vol-2", "--description", "night of {volume}"])
        .await
        .expect(0);
    let snapshots = machine.fake.snapshots();
    for number in [1, 2] {
        let volume = format!("vol-{number}");
        let of_volume = |it: &&datafy_api_ext::fake::FakeSnapshot| {
            it.volume.as_str() == volume && it.description.is_some()
        };
        let snapshot = snapshots.iter().find(of_volume).unwrap();
        let description = snapshot.description.as_deref().unwrap();
        assert!(description.starts_with(&format!("night of {volume} [")), "{description}");
        assert!(ran.out.contains(&format!("{volume}: created {}", snapshot.id)), "{}", ran.out);
    }
    let [journal] = &machine.journals()[..] else { panic!("{:?}", machine.journals()) };
    ran.says(&format!("the journal is {journal}")).says("2 done");
}

#[tokio::test]
async fn a_list_is_read_from_a_file_or_standard_input() {
    let machine = Machine::with_volumes(3).await;
    let list = machine.file("list.txt", "\u{feff}vol-1\n\n# nothing\n  vol-2 # the second\r\n");
    machine.run(&["snapshot", "--from", &list, "--description", "{date}"]).await.expect(0);
    machine.run_with(&["snapshot", "--from", "-"], &[], "vol-3\n").await.expect(0);
    assert_eq!(machine.created_snapshots(), 3);
    let descriptions: Vec<_> =
        machine.fake.snapshots().into_iter().filter_map(|it| it.description).collect();
    let today = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let dated = |text: &&String| text.starts_with(&today.format("%Y-").to_string());
    assert_eq!(descriptions.iter().filter(dated).count(), 2, "{descriptions:?}");
}

#[tokio::test]
async fn each_result_is_a_line_of_json() {
    let machine = Machine::with_volumes(2).await;
    machine.fake.inject_none();
    machine.fake.inject(Fault::ApplyThenReset);
    let arguments = [
        "--json",
        "snapshot",
        "vol-1",
        "vol-2",
        "vol-3",
        "--concurrency",
        "1",
        "--journal",
        "j.jsonl",
    ];
    let ran = machine.run(&arguments).await.expect(3);
    let lines = ran.json();
    assert_eq!(lines.len(), 5);
    let path = std::path::absolute(machine.directory.path()).unwrap().join("j.jsonl");
    let begin = json!({ "event": "begin", "journal": path, "resumes": false, "items": 3 });
    assert_eq!(lines[0], begin);
    let facts =
        |line: &Value| (line["key"].clone(), line["state"].clone(), line["outcome"].clone());
    assert_eq!(facts(&lines[1]), (json!("vol-1"), json!("done"), Value::Null));
    assert!(lines[1]["snapshot"].as_str().unwrap().starts_with("dsnap-"));
    assert_eq!(facts(&lines[2]), (json!("vol-2"), json!("failed"), json!("unknown")));
    assert_eq!(facts(&lines[3]), (json!("vol-3"), json!("failed"), json!("refused")));
    assert_eq!(lines[3]["error"]["status"], 404);
    let end = &lines[4];
    assert_eq!((&end["done"], &end["failed"], &end["unknown"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&end["exit_code"], &end["journal"]), (&json!(3), &json!(path)));
}

#[tokio::test]
async fn a_failure_without_effect_ends_with_2() {
    let machine = Machine::with_volumes(1).await;
    let ran = machine.run(&["snapshot", "vol-1", "vol-9"]).await.expect(2);
    ran.prints("vol-1: created dsnap-")
        .says("vol-9: ")
        .says("there is no volume vol-9")
        .says("1 done, 1 failed");
}

#[tokio::test]
async fn a_dead_endpoint_gives_one_reason() {
    let machine = Machine::with_volumes(0).await;
    let list = machine.list(1..=500);
    machine.fake.begin_outage().await;
    let arguments = ["snapshot", "--from", &list, "--json"];
    let ran = machine.run(&arguments).await.expect(3);
    let lines = ran.json();
    assert!(lines.len() < 60, "{}", lines.len());
    let end = lines.last().unwrap();
    assert_eq!(end["stopped"]["reason"], "unreachable");
    ran.says("calls in a row were not sent").says("not attempted");
    machine.fake.end_outage().await.unwrap();
}

#[tokio::test]
async fn a_refused_token_stops_the_run() {
    let machine = Machine::with_volumes(2).await;
    let variables = [("DATAFY_TOKEN", "another-token")];
    let arguments = ["snapshot", "vol-1", "vol-2", "--concurrency", "1"];
    machine.run_with(&arguments, &variables, "").await.expect(3).says("refuses the token");
    let token = machine.file("token", "fake-token\n");
    let arguments = ["snapshot", "vol-1", "vol-2", "--resume", "last", "--token-file", &token];
    machine.run_with(&arguments, &variables, "").await.expect(0);
    machine
        .run_with(&["snapshot", "vol-1", "--token-file", &token], &[("DATAFY_TOKEN", "")], "")
        .await
        .expect(0);
}

#[tokio::test]
async fn a_plan_sends_nothing_and_leaves_no_journal() {
    let machine = Machine::with_volumes(2).await;
    let arguments = ["snapshot", "vol-1", "vol-2", "--plan", "--description", "of {volume}"];
    let ran = machine.run(&arguments).await.expect(0);
    ran.prints("vol-2: would create a snapshot, described as \"of vol-2\"").says("2 to do");
    let place = ["--to", "i-1:/dev/sdb", "--plan", "--json"];
    let ran = machine.run(&[&["restore", "dsnap-1"], &place[..]].concat()).await.expect(0);
    assert_eq!(
        ran.json()[0]["would"],
        "create a volume from dsnap-1, and attach it to i-1 as /dev/sdb"
    );
    assert_eq!(ran.json()[1]["to_do"], 1);
    machine.run(&["attach", "vol-1", "i-1", "/dev/sdb", "--plan"]).await.expect(0);
    machine.run(&["deactivate", "vol-1", "--plan"]).await.expect(0);
    assert_eq!(machine.fake.requests().len(), 0);
    assert_eq!(machine.journals(), [""; 0]);
}

#[tokio::test]
async fn a_plan_of_a_resumed_run_says_what_was_done() {
    let machine = Machine::with_volumes(2).await;
    let rows = "name,snapshot,instance,device\na,dsnap-1,i-1,/dev/sdb\nb,dsnap-2,i-2,/dev/sdb\n";
    let list = machine.file("list.csv", rows);
    let arguments = ["restore", "--from", &list, "--within", "0s"];
    machine.run(&arguments).await.expect(2).says("exists, is billed and is not attached");
    let ran =
        machine.run(&[&arguments[..], &["--resume", "last", "--plan"]].concat()).await.expect(0);
    ran.prints("a: vol-").prints("b: would create a volume from dsnap-2").prints("created vol-");
}

#[tokio::test]
async fn a_list_of_restores_is_created_and_attached() {
    let machine = Machine::with_volumes(2).await;
    machine.fake.hold_back_new_volumes(1);
    let rows =
        "name, snapshot, instance, device\na, dsnap-1, i-1, /dev/sdb\nb, dsnap-2, i-1, /dev/sdc\n";
    let list = machine.file("list.csv", rows);
    let ran = machine.run(&["restore", "--from", &list, "--json"]).await.expect(0);
    let volumes = machine.fake.volumes();
    for (name, snapshot, device) in [("a", "dsnap-1", "/dev/sdb"), ("b", "dsnap-2", "/dev/sdc")] {
        let own = |it: &&datafy_api_ext::fake::FakeVolume| {
            it.source.as_ref().is_some_and(|it| it.as_str() == snapshot)
        };
        let volume = volumes.iter().find(own).unwrap();
        assert_eq!(volume.device.as_ref().unwrap().as_str(), device);
        let lines = ran.json();
        let line = lines.iter().find(|line| line["key"] == name).unwrap();
        assert_eq!(line["volume"], volume.id.as_str());
    }
}

#[tokio::test]
async fn two_restores_to_one_device_are_refused_before_the_second_is_paid_for() {
    let machine = Machine::with_volumes(2).await;
    let rows = "name,snapshot,instance,device\na,dsnap-1,i-1,/dev/sdb\nb,dsnap-2,i-1,/dev/sdb\n";
    let list = machine.file("list.csv", rows);
    machine
        .run(&["restore", "--from", &list])
        .await
        .expect(3)
        .says("b: not attempted: i-1:/dev/sdb");
    assert_eq!(machine.effects("create_volume_from_snapshots"), 1);
}

#[tokio::test]
async fn a_volume_is_attached_and_its_autoscaling_deactivated() {
    let machine = Machine::with_volumes(1).await;
    let ran =
        machine.run(&["attach", "vol-1", "i-1", "/dev/sdb", "--within", "1m"]).await.expect(0);
    ran.prints("vol-1: attached to i-1 as /dev/sdb");
    let ran = machine.run(&["deactivate", "vol-1", "--json"]).await.expect(0);
    assert_eq!(ran.json()[0]["state"], "done");
    machine.run(&["attach", "vol-1", "i-1", "/dev/sdb"]).await.expect(2).says("409");
    let operations: Vec<_> = machine.fake.effects().iter().filter_map(|it| it.operation).collect();
    assert_eq!(operations, ["attach_volume", "deactivate_autoscaling"]);
    assert_eq!(machine.journals(), [""; 0]);
}

#[tokio::test]
async fn the_account_is_sent_and_belongs_to_the_journal() {
    let machine = Machine::with_volumes(1).await;
    machine.fake.sub_account(&"sub-1".parse().unwrap()).add_volume("vol-1".parse().unwrap(), 1);
    machine.fake.inject(Fault::ReadThenReset);
    let sub = ["--sub-account", "sub-1", "--account", "acc-1"];
    machine.run(&[&["snapshot", "vol-1"], &sub[..]].concat()).await.expect(3);
    let request = machine.fake.requests().pop().unwrap().to_string();
    assert!(request.contains("accounts=acc-1"), "{request}");
    // For another account it is another job.
    machine
        .run(&["snapshot", "vol-1", "--resume", "last"])
        .await
        .expect(1)
        .says("no unfinished journal");
    let other = ["--sub-account", "sub-1", "--account", "acc-2"];
    machine.run(&[&["snapshot", "vol-1", "--resume", "last"], &other[..]].concat()).await.expect(1);
    let journal = &machine.journals()[0];
    machine
        .run(&["snapshot", "vol-1", "--resume", journal, "--sub-account", "sub-1"])
        .await
        .expect(1)
        .says("`account`");
    machine.run(&[&["snapshot", "vol-1", "--resume", "last"], &sub[..]].concat()).await.expect(3);
    machine.run(&["journal", "list", journal]).await.says("sub-account sub-1, account acc-1");
}

#[tokio::test]
async fn what_the_service_says_cannot_control_the_terminal() {
    let machine = Machine::with_volumes(1).await;
    let message = "a\u{1b}]0;title\u{7}\u{9b}31m\u{202e}b";
    let answer = datafy_api_ext::fake::Reply::json(400, &json!({ "message": message }));
    for json in [&[][..], &["--json"]] {
        machine.fake.inject(Fault::Answer(answer.clone()));
        let ran = machine.run(&[&["deactivate", "vol-1"], json].concat()).await.expect(2);
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{text:?}");
        }
    }
}

#[tokio::test]
async fn check_opens_a_connection_and_sends_nothing() {
    let machine = Machine::with_volumes(0).await;
    let ran = machine.run(&["check", "--json"]).await.expect(0);
    let lines = ran.json();
    let value = |name: &str| {
        let line = lines.iter().find(|line| line["name"] == name);
        line.map(|line| line["value"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(value("endpoint"), format!("{}/, from DATAFY_ENDPOINT", machine.fake.endpoint()));
    assert_eq!(value("token"), "from DATAFY_TOKEN");
    assert_eq!(value("address"), "127.0.0.1");
    assert!(value("connection").starts_with("opened without TLS"), "{}", value("connection"));
    assert!(!ran.out.contains(datafy_api_ext::fake::Fake::TOKEN));
    assert_eq!(machine.fake.requests().len(), 0);

    machine.fake.begin_outage().await;
    machine.run(&["check"]).await.expect(2).prints("no connection was made");
    machine.fake.end_outage().await.unwrap();
    let variables = [
        ("DATAFY_ENDPOINT", "https://nowhere.invalid"),
        ("HTTPS_PROXY", "http://u:secret@127.0.0.1:1"),
    ];
    let ran = machine.run_with(&["check"], &variables, "").await.expect(2);
    assert!(!ran.out.contains("secret"), "{}", ran.out);
    ran.prints("proxy        http://127.0.0.1:1");
    let variables = [("DATAFY_ENDPOINT", "https://nowhere.invalid")];
    machine
        .run_with(&["check"], &variables, "")
        .await
        .expect(2)
        .prints("the host name was not resolved");
}
