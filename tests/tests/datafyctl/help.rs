//! What the command says about itself, and about wrong arguments.

use crate::ctl::{Machine, listed_variables};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_help_of_each_command_has_an_example_that_parses() {
    let machine = Machine::with_volumes(0).await;
    let commands = ["", "snapshot", "restore", "attach", "deactivate", "check"];
    let of_journal = ["journal list", "journal settle", "journal resolve"];
    let others = ["journal", "fake", "completions"];
    for command in commands.into_iter().chain(of_journal).chain(others) {
        let ran = machine.run(&format!("{command} --help")).await.expect(0);
        let lists_codes = ["0", "1", "2", "3", "130"]
            .iter()
            .all(|code| ran.out.lines().any(|line| line.starts_with(&format!("  {code}  "))));
        assert!(lists_codes || others.contains(&command), "{ran}");
        let begin = format!("  datafyctl {command}");
        let examples: Vec<_> = ran.out.lines().filter(|line| line.starts_with(&begin)).collect();
        assert!(!examples.is_empty(), "{ran}");
        assert!(!ran.out.contains("--token "), "a token would be in the process list");
        for example in examples {
            // Without the comment, and what a shell does.
            let line = example.split('#').next().unwrap().split(" > ").next().unwrap();
            let line = line.trim().strip_prefix("datafyctl").unwrap();
            machine.run(&format!("{line} --help")).await.expect(0);
            if command != "fake" {
                // Without files, a token and the AWS CLI: whatever fails, it isn't the arguments.
                let variables = [("DATAFY_TOKEN", ""), ("PATH", "/nowhere")];
                let ran = machine.run_with(line, &variables).await;
                assert!(!ran.err.contains("Usage:"), "{example}: {ran}");
            }
        }
    }
}

#[tokio::test]
async fn the_help_names_the_variables_of_the_guide() {
    let machine = Machine::with_volumes(0).await;
    let with_journals = ["snapshot", "restore", "check"];
    for command in with_journals.into_iter().chain(["", "attach", "deactivate"]) {
        let help = machine.run(&format!("{command} --help")).await.expect(0).out;
        let words = help.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
        let named: BTreeSet<_> = words.filter(|word| word.contains('_')).collect();
        let is_read = |name: &&str| with_journals.contains(&command) || !name.contains("STATE");
        assert_eq!(named, listed_variables().filter(is_read).collect(), "{command}");
    }
}

#[tokio::test]
async fn the_help_speaks_of_resuming_only_where_there_is_a_journal() {
    let machine = Machine::with_volumes(0).await;
    for (command, has_journal) in
        [("snapshot", true), ("restore", true), ("attach", false), ("deactivate", false)]
    {
        let help = machine.run(&format!("{command} --help")).await.expect(0).out;
        assert_eq!(help.contains("continue with `--resume last`"), has_journal, "{help}");
        assert_eq!(help.contains("journal"), has_journal, "{help}");
    }
}

#[tokio::test]
async fn wrong_arguments_end_with_1_and_send_nothing() {
    let machine = Machine::with_volumes(1).await;
    machine.file("empty.txt", "# nothing\n\n");
    machine.file("bad.txt", "vol-1\n\nvol 2 # two\n");
    machine.file("bad.yaml", "accounts:\n  - token: t\n    volumes: [{id: vol-1, size: 8}]\n");
    machine.file("columns.csv", "name,snapshot,instance\na,dsnap-1,i-1\n");
    machine.restores("a,dsnap-1,i-1,/dev/sdb\nb,vol-1,i-1,/dev/sdc\n");
    for (line, expected) in [
        ("snapshot", "<VOLUME|--from <FILE>>"),
        ("snapshot vol-1 --from empty.txt", "cannot be used with"),
        ("snapshot --from empty.txt", "there is no volume in it"),
        ("snapshot --from bad.txt", "bad.txt: line 3: \"vol 2\" is not a volume ID"),
        ("snapshot --from none.txt", "none.txt"),
        ("snapshot vol-1 --description {host}", "only the placeholders"),
        ("snapshot vol-1 --rate 0", "rate"),
        ("snapshot vol-1 --token x", "unexpected argument '--token'"),
        ("snapshot vol-1 --sub-account a/b", "--sub-account"),
        ("snapshot vol-1 --job a/b", "a name has up to 100 letters"),
        ("snapshot vol-1 --region us-east-1", "need --run-aws"),
        ("snapshot vol-1 --only-creator", "need --run-aws"),
        ("snapshot vol-1 --resume none.jsonl", "none.jsonl"),
        ("restore dsnap-1", "--to <INSTANCE:DEVICE>"),
        ("restore dsnap-1 --to i-1", "give INSTANCE:DEVICE"),
        ("restore --from columns.csv", "columns.csv: CSV"),
        ("restore --from list.csv", "line: 3"),
        ("attach vol-1 i-1 /dev/sdb --within soon", "--within"),
        ("journal list none.jsonl", "none.jsonl"),
        ("journal settle bad.txt vol-1 applied", "is not a journal"),
        ("fake --listen nowhere", "--listen"),
        ("fake --listen 127.0.0.1:0 --scenario bad.yaml", "bad.yaml: unknown field"),
        ("fake --listen 127.0.0.1:0 --scenario bad.yaml", "line 3, column 27"),
        ("launch", "unrecognized subcommand"),
    ] {
        machine.run(line).await.expect(1).says(expected);
    }
    assert_eq!(machine.fake.requests().len(), 0);
    assert_eq!(machine.journals(), [""; 0]);
}

#[tokio::test]
async fn completions_are_printed_for_each_shell() {
    let machine = Machine::with_volumes(0).await;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        machine.run(&format!("completions {shell}")).await.expect(0).prints("snapshot");
    }
}
