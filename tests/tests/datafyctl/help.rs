//! What the command says about itself, and about wrong arguments.

use crate::ctl::Machine;

const COMMANDS: [&[&str]; 9] = [
    &["snapshot"],
    &["restore"],
    &["attach"],
    &["deactivate"],
    &["journal", "list"],
    &["journal", "settle"],
    &["journal", "resolve"],
    &["check"],
    &["fake"],
];

#[tokio::test]
async fn the_help_of_each_command_has_an_example_that_parses() {
    let machine = Machine::with_volumes(0).await;
    for command in COMMANDS {
        let ran = machine.run(&[command, &["--help"]].concat()).await.expect(0);
        let begin = format!("  datafyctl {}", command.join(" "));
        let examples: Vec<_> = ran.out.lines().filter(|line| line.starts_with(&begin)).collect();
        assert!(!examples.is_empty(), "{}", ran.out);
        for example in examples {
            // Without the comment, and what a shell does.
            let line = example.split('#').next().unwrap().split(" > ").next().unwrap();
            let mut words = shell_words(line);
            words.remove(0);
            // Files that don't exist, and no service: whatever fails, it isn't the arguments.
            words.push("--help".to_owned());
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            machine.run(&words).await.expect(0);
            let words = &words[..words.len() - 1];
            if command != ["fake"] {
                let variables = [("DATAFY_TOKEN", ""), ("PATH", "/nowhere")];
                let ran = machine.run_with(words, &variables, "").await;
                assert!(!ran.err.contains("Usage:"), "{example}: {}", ran.err);
            }
        }
    }
}

/// Splits a line into words as a shell does, as far as the examples need it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.trim().chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[tokio::test]
async fn the_help_names_the_exit_codes_and_the_variables() {
    let machine = Machine::with_volumes(0).await;
    for arguments in [&["--help"][..], &["snapshot", "--help"]] {
        let ran = machine.run(arguments).await.expect(0);
        for text in ["Exit codes:", "DATAFY_TOKEN ", "DATAFY_TOKEN_FILE", "DATAFY_ENDPOINT"] {
            assert!(ran.out.contains(text), "no {text} in {}", ran.out);
        }
        assert!(!ran.out.contains("--token "), "a token would be in the process list");
    }
}

#[tokio::test]
async fn wrong_arguments_end_with_1_and_send_nothing() {
    let machine = Machine::with_volumes(1).await;
    let empty = machine.file("empty.txt", "# nothing\n\n");
    let bad = machine.file("bad.txt", "vol-1\n\nvol 2 # two\n");
    let twice = machine.file("twice.txt", "vol-1\nvol-1\n");
    let columns = machine.file("columns.csv", "name,snapshot,instance\na,dsnap-1,i-1\n");
    let row = machine.file(
        "row.csv",
        "name,snapshot,instance,device\na,dsnap-1,i-1,/dev/sdb\nb,vol-1,i-1,/dev/sdc\n",
    );
    let table: &[(&[&str], &str)] = &[
        (&["snapshot"], "<VOLUME|--from <FILE>>"),
        (&["snapshot", "i-1"], "\"i-1\" is not a volume ID"),
        (&["snapshot", "vol-1", "--from", &empty], "cannot be used with"),
        (&["snapshot", "--from", &empty], "there is no volume in it"),
        (&["snapshot", "--from", &bad], "bad.txt: line 3: \"vol 2\" is not a volume ID"),
        (&["snapshot", "--from", &twice], "two items have the key"),
        (&["snapshot", "--from", "/nowhere/list"], "nowhere"),
        (&["snapshot", "vol-1", "--description", "{host}"], "only the placeholders"),
        (&["snapshot", "vol-1", "--rate", "0"], "rate"),
        (&["snapshot", "vol-1", "--token", "x"], "unexpected argument '--token'"),
        (&["snapshot", "vol-1", "--job", "a/b"], "a name has up to 100 letters"),
        (&["snapshot", "vol-1", "--resume", "last"], "there is no unfinished journal"),
        (&["snapshot", "vol-1", "--resume", "/nowhere/j"], "nowhere"),
        (&["snapshot", "vol-1", "--journal", &empty], "exists; continue its run with `--resume`"),
        (&["snapshot", "vol-1", "--resume", &empty], "is not a journal"),
        (&["restore", "dsnap-1"], "--to <INSTANCE:DEVICE>"),
        (&["restore", "dsnap-1", "--to", "i-1"], "give INSTANCE:DEVICE"),
        (&["restore", "--from", &columns], "columns.csv: CSV"),
        (&["restore", "--from", &row], "line: 3"),
        (&["attach", "vol-1", "i-1", "/dev/sdb", "--within", "soon"], "--within"),
        (&["journal", "list", "/nowhere/j"], "nowhere"),
        (&["journal", "settle", &empty, "vol-1", "applied"], "is not a journal"),
        (&["fake", "--listen", "nowhere"], "--listen"),
        (&["launch"], "unrecognized subcommand"),
    ];
    for (arguments, expected) in table {
        machine.run(arguments).await.expect(1).says(expected);
    }
    assert_eq!(machine.fake.requests().len(), 0);
    assert_eq!(machine.journals(), [""; 0]);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    let machine = Machine::with_volumes(1).await;
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("DATAFY_TOKEN", "")], "there is no token; set DATAFY_TOKEN"),
        (&[("DATAFY_ENDPOINT", "http://example.org")], "plain http to example.org"),
        (&[("DATAFY_ENDPOINT", "nowhere")], "`DATAFY_ENDPOINT` can't be used"),
        (&[("DATAFY_SUB_ACCOUNT_ID", "a/b")], "`DATAFY_SUB_ACCOUNT_ID` can't be used"),
    ];
    for (variables, expected) in table {
        for command in [&["snapshot", "vol-1"][..], &["check"]] {
            machine.run_with(command, variables, "").await.expect(1).says(expected);
        }
    }
    assert_eq!(machine.fake.requests().len(), 0);
}

#[tokio::test]
async fn completions_are_printed_for_each_shell() {
    let machine = Machine::with_volumes(0).await;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        machine.run(&["completions", shell]).await.expect(0).prints("snapshot");
    }
}
