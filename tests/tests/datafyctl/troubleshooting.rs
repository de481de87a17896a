//! The texts on the guide's page about errors are those that the command prints.

use crate::ctl::Machine;
use datafy_api_ext::Datafy;
use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::journal::Journal;
use futures_util::future::join_all;
use serde_json::json;

const PAGE: &str = include_str!("../../../datafy-api-ext/guide/troubleshooting.md");

/// The texts in the first column of the page's tables, in which `..` stands for anything.
fn listed() -> impl Iterator<Item = Vec<&'static str>> {
    let texts = PAGE.lines().filter_map(|line| line.strip_prefix("| `` ")?.split(" ``").next());
    texts.map(|text| text.split("..").collect())
}

fn matches(printed: &str, listed: &[&str]) -> bool {
    let mut rest = printed;
    listed.iter().all(|part| {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        true
    })
}

/// Runs lines one after the other on one machine, and returns what the last one says.
async fn last(faults: Vec<Fault>, variables: &[(&str, &str)], lines: &[&str]) -> String {
    let machine = Machine::with_volumes(2).await;
    for fault in faults {
        machine.fake.inject(fault);
    }
    machine.file("empty.jsonl", "");
    machine.file("list.jsonl", "vol-1\n");
    let header = r#"{"time":"2026-01-01T02:00:00.000000Z","journal":"datafy","version":2,"job":null,"operation":"create_snapshot","endpoint":"https://api.datafy.io","sub_account":null}"#;
    machine.file("other.jsonl", format!("{header}\n"));
    machine.file("future.jsonl", format!("{}\n", header.replace("\"version\":2", "\"version\":9")));
    machine.file("damaged.jsonl", format!("{header}\n{header}\n{header}\n"));
    machine.file("twice.txt", "vol-1\nvol-1\n");
    machine.restores("a,dsnap-1,i-1,/dev/sdb\nb,dsnap-2,i-1,/dev/sdb\n");
    machine.file("changed.csv", "name,snapshot,instance,device\na,dsnap-2,i-1,/dev/sdb\n");
    let mut said = String::new();
    for line in lines {
        said = machine.run_with(line, variables).await.err;
    }
    said
}

/// What the command is made to print.
async fn printed() -> Vec<String> {
    let endpoint = |url| ("DATAFY_ENDPOINT", url);
    let (closed, elsewhere) = ("http://127.0.0.1:1", "https://a.invalid");
    let variables: [&[(&str, &str)]; 10] = [
        &[("DATAFY_TOKEN", "")],
        &[("DATAFY_TOKEN", " ")],
        &[("DATAFY_TOKEN", "Bearer a-token")],
        &[("DATAFY_TOKEN", "another-token")],
        &[endpoint("http://example.org")],
        &[endpoint("nowhere")],
        &[endpoint(elsewhere)],
        &[endpoint(closed)],
        &[endpoint(elsewhere), ("HTTPS_PROXY", "ftp://a")],
        &[endpoint(elsewhere), ("HTTPS_PROXY", closed)],
    ];
    let settings = variables.map(|variables| last(vec![], variables, &["snapshot vol-1"]));
    let answer = |json| Fault::ApplyThenAnswer(Reply::json(200, &json));
    let faults = [
        vec![Fault::status(403)],
        vec![Fault::status(404)],
        vec![Fault::status(429); 4],
        vec![Fault::Answer(Reply::status(301).header("location", "https://elsewhere.example/"))],
        vec![Fault::status(503)],
        vec![Fault::ApplyThenAnswer(Reply::html(200))],
        vec![Fault::ApplyThenReset],
        vec![answer(json!({ "message": "" }))],
        vec![Fault::ApplyThenNameVolume("vol-9".parse().unwrap())],
        vec![answer(json!({ "datafySnapshotId": "", "volumeId": "vol-1" }))],
    ];
    let answers = faults.map(|faults| last(faults, &[], &["snapshot vol-1"]));
    let lost = || vec![Fault::ApplyThenReset];
    let attach = "attach vol-1 i-1 /dev/sdb";
    let lines: [(Vec<Fault>, &[&str]); 16] = [
        (vec![], &["snapshot i-1"]),
        (vec![], &["snapshot vol-1 --token-file none"]),
        (vec![], &[attach, attach]),
        (vec![], &["snapshot vol-1 --resume last"]),
        (lost(), &["snapshot vol-1", "snapshot vol-1"]),
        (lost(), &["snapshot vol-1", "snapshot vol-1 --resume last"]),
        (vec![], &["snapshot --from twice.txt"]),
        (vec![], &["restore --from list.csv --concurrency 1"]),
        (lost(), &["restore --from list.csv --job a", "restore --from changed.csv --job a"]),
        (vec![], &["snapshot vol-1 --resume empty.jsonl"]),
        (vec![], &["snapshot vol-1 --resume list.jsonl"]),
        (vec![], &["snapshot vol-1 --resume other.jsonl"]),
        (vec![], &["snapshot vol-1 --resume future.jsonl"]),
        (vec![], &["snapshot vol-1 --resume damaged.jsonl"]),
        (vec![], &["snapshot vol-1 --journal other.jsonl"]),
        (lost(), &["snapshot vol-1 --run-aws --wait 0s"]),
    ];
    let path = [("PATH", "/nowhere")];
    let lines = lines.map(|(faults, lines)| last(faults, &path, lines));
    let mut printed = join_all(settings).await;
    printed.extend(join_all(answers).await);
    printed.extend(join_all(lines).await);

    // An `https` endpoint that speaks no TLS, and a service that is down.
    let machine = Machine::with_volumes(100).await;
    let tls = machine.fake.endpoint().replace("http:", "https:");
    printed.push(machine.run_with("snapshot vol-1", &[endpoint(&*tls)]).await.err);
    machine.list(100);
    let _outage = machine.fake.outage().await;
    printed.push(machine.run("snapshot --from list.txt --new").await.err);
    // A journal in use.
    let machine = Machine::with_volumes(1).await;
    machine.run("snapshot vol-9").await.expect(2);
    let _journal = Journal::lock(machine.directory.path().join(&machine.journals()[0])).unwrap();
    for line in ["snapshot vol-1", "snapshot vol-1 --resume last"] {
        printed.push(machine.run(line).await.err);
    }
    printed.push(Datafy::builder().build().unwrap_err().to_string());
    printed
}

#[tokio::test]
async fn the_page_lists_what_the_command_prints() {
    let printed = printed().await;
    let listed: Vec<_> = listed().collect();
    assert!(!listed.is_empty());
    for listed in &listed {
        assert!(printed.iter().any(|text| matches(text, listed)), "nothing prints {listed:?}");
    }
    for text in printed {
        assert!(listed.iter().any(|listed| matches(&text, listed)), "the page lacks {text}");
    }
}
