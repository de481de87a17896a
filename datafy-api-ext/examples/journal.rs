//! Lists a journal, and settles what is unknown.
//!
//! ```text
//! cargo run --example journal -- JOURNAL                           list the entries
//! cargo run --example journal -- JOURNAL settle KEY applied [ID]   the service acted; the next run skips the step
//! cargo run --example journal -- JOURNAL settle KEY not-applied    it did not; the next run repeats the step
//! cargo run --example journal -- JOURNAL settle --from-ec2         print the commands that list what may be there
//! cargo run --example journal -- JOURNAL settle --from-ec2 --fetched TIME FILE..
//!                                                                  settle what their output proves
//! ```
//!
//! Without arguments, it shows the listing and settling with a journal of a fake. Exits with 3 if an entry is unknown.
//!
//! Give `--from-ec2` the complete output of each command, in their order; `-` is standard input. `TIME` is not later than
//! the start of the first command: the list of commands ends with such a time. If a call may take longer than 10 minutes,
//! add `--longest-call SECONDS`. `RECONCILE.md` says what else a result relies on.

use chrono::{DateTime, SecondsFormat, Utc};
use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::journal::{Journal, Settled, Step, StepState};
use datafy_api_ext::reconcile::{Ec2Objects, Query, SentCall, Settings, find_out};
use datafy_api_ext::{Datafy, Untrusted, VolumeId};
use std::collections::HashSet;
use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<u8, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (journal, key, found) = match arguments[..] {
        [] => return on_a_fake().await,
        [journal] => return Ok(list(&Journal::read(journal)?)),
        [journal, "settle", "--from-ec2"] => return Ok(print_queries(&Journal::read(journal)?)),
        [journal, "settle", "--from-ec2", ref rest @ ..] => {
            let fetch = Fetch::parse(rest)?;
            return settle_from_ec2(Journal::read(journal)?, &fetch);
        }
        [journal, "settle", key, "not-applied"] => (journal, key, Settled::NotApplied),
        [journal, "settle", key, "applied"] => (journal, key, Settled::Applied { id: None }),
        [journal, "settle", key, "applied", id] => {
            (journal, key, Settled::Applied { id: Some(id.to_owned()) })
        }
        _ => {
            return Err("give JOURNAL, JOURNAL settle KEY applied [ID] | not-applied, or JOURNAL \
                        settle --from-ec2 [--fetched TIME [--longest-call SECONDS] FILE..]"
                .into());
        }
    };
    let mut journal = Journal::read(journal)?;
    let unknown = |step: &&Step| step.state == StepState::Unknown;
    let step = journal.entry(key).and_then(|entry| entry.steps.iter().find(unknown).cloned());
    let step = step.ok_or("no step of this key is unknown")?;
    journal.settle(key, &step.operation, step.number, found)?;
    Ok(list(&journal))
}

/// Prints a line for each step, and how many are unknown.
fn list(journal: &Journal) -> u8 {
    println!("{} at {}", journal.operation(), journal.endpoint());
    for entry in journal.entries() {
        for step in &entry.steps {
            let mut facts = vec![step.subject.to_string()];
            facts.extend(
                [&step.created_id, &step.marker].into_iter().flatten().map(ToString::to_string),
            );
            let facts = facts.join(", ");
            let (key, operation, state) = (&entry.key, &step.operation, step.state);
            println!("{}  {key}  {operation}  {state:?}  {facts}", step.begun.to_rfc3339());
        }
    }
    count(journal)
}

/// Prints how many steps are unknown.
fn count(journal: &Journal) -> u8 {
    let steps = journal.entries().flat_map(|entry| entry.steps);
    let unknown = steps.filter(|step| step.state == StepState::Unknown).count();
    println!("{} items, {unknown} steps unknown", journal.entries().len());
    if unknown > 0 { 3 } else { 0 }
}

/// All calls of a journal, with the keys of their entries and the numbers of their steps.
fn calls(journal: &Journal) -> (Vec<(Untrusted, u32)>, Vec<SentCall>) {
    let steps = |entry: datafy_api_ext::journal::Entry| {
        let key = |step: &Step| (entry.key.clone(), step.number);
        entry.steps.iter().map(|step| (key(step), step.into())).collect::<Vec<_>>()
    };
    journal.entries().flat_map(steps).unzip()
}

/// Prints the commands whose output shows what the unknown calls did, and a time before they run.
fn print_queries(journal: &Journal) -> u8 {
    let now = DateTime::<Utc>::from(SystemTime::now());
    let (_, calls) = calls(journal);
    let queries = Query::of_all(&calls);
    for query in &queries {
        if let Some(id) = &query.sub_account {
            println!("# in the AWS account of the sub-account {id}:");
        }
        println!("{query}");
    }
    if queries.is_empty() {
        return 0;
    }
    let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    println!("# then: settle --from-ec2 --fetched {now} FILE..");
    3
}

/// What was fetched from EC2.
struct Fetch<'a> {
    /// No request was sent before this time.
    begun: DateTime<Utc>,
    settings: Settings,
    files: Vec<&'a str>,
}

impl<'a> Fetch<'a> {
    fn parse(arguments: &[&'a str]) -> Result<Self, Box<dyn Error>> {
        let (mut begun, mut settings, mut files) = (None, Settings::default(), Vec::new());
        let mut arguments = arguments.iter().copied();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument}: the value is missing"));
            let invalid = |error: &dyn Error| format!("{argument}: {error}");
            match argument {
                "--fetched" => begun = Some(value()?.parse().map_err(|error| invalid(&error))?),
                "--longest-call" => {
                    let seconds = value()?.parse().map_err(|error| invalid(&error))?;
                    settings.longest_call = Duration::from_secs(seconds);
                }
                file => files.push(file),
            }
        }
        let begun = begun.ok_or(
            "say when the first command was started: --fetched TIME, such as 2026-01-01T02:30:00Z",
        )?;
        if begun > DateTime::<Utc>::from(SystemTime::now()) {
            return Err("--fetched: the time is in the future".into());
        }
        Ok(Self { begun, settings, files })
    }
}

/// Settles what the output of the commands proves, and prints what was found out.
fn settle_from_ec2(mut journal: Journal, fetch: &Fetch<'_>) -> Result<u8, Box<dyn Error>> {
    let (keys, calls) = calls(&journal);
    let queries = Query::of_all(&calls);
    if queries.is_empty() {
        return Ok(count(&journal));
    }
    let (mut outputs, mut given) = (Vec::new(), HashSet::new());
    for &file in &fetch.files {
        let path = if file == "-" { file.into() } else { std::fs::canonicalize(file)? };
        if !given.insert(path) {
            return Err(format!("{file} is given twice; give the output of each command").into());
        }
        let mut json = Vec::new();
        if file == "-" {
            std::io::stdin().read_to_end(&mut json)?;
        } else {
            // A copy is younger than the output, and never older.
            let written = DateTime::<Utc>::from(std::fs::metadata(file)?.modified()?);
            if written + fetch.settings.clock_skew < fetch.begun {
                return Err(
                    format!("{file} was written before --fetched; run its command again").into()
                );
            }
            json = std::fs::read(file)?;
        }
        outputs.push((file, json));
    }
    let mut objects = Ec2Objects::new(fetch.begun);
    objects.read_all(&queries, outputs)?;
    let findings = find_out(&calls, &objects, &fetch.settings);
    for (((key, number), call), finding) in keys.iter().zip(&calls).zip(findings) {
        if call.state != StepState::Unknown {
            continue;
        }
        println!("{key}: {}: {finding}", call.operation);
        if let Some(found) = finding.settled() {
            journal.settle(key, &call.operation, *number, found)?;
        }
    }
    Ok(count(&journal))
}

async fn on_a_fake() -> Result<u8, Box<dyn Error>> {
    let fake = Fake::start().await?;
    let path = std::env::temp_dir().join(format!("datafy-journal-{}", std::process::id()));
    for number in 1..=3 {
        fake.account().add_volume(format!("vol-{number}").parse()?, 100);
    }
    let datafy = fake.client().build()?;
    // Both answers are lost. The first snapshot is created, and the second isn't.
    fake.inject(Fault::ApplyThenReset);
    fake.inject(Fault::ReadThenReset);
    create_snapshots(&datafy, &path).await?;

    let mut journal = Journal::read(&path)?;
    list(&journal);
    // Look for the marker of each unknown snapshot. With the real service, EC2 has the descriptions.
    let snapshots = fake.account().snapshots();
    let unknown = journal.entries().filter(|it| it.steps[0].state == StepState::Unknown);
    let mut found = Vec::new();
    for entry in unknown {
        let marker = entry.steps[0].marker.clone().unwrap_or_default();
        let snapshot = snapshots
            .iter()
            .find(|it| it.description.as_ref().is_some_and(|text| text.contains(&*marker)));
        let settled = match snapshot {
            Some(snapshot) => Settled::Applied { id: Some(snapshot.id.to_string()) },
            None => Settled::NotApplied,
        };
        found.push((entry.key.clone(), settled));
    }
    for (key, settled) in found {
        println!("{key}: {settled:?}");
        journal.settle(&key, "create_snapshot", 1, settled)?;
    }
    drop(journal);

    create_snapshots(&datafy, &path).await?;
    let code = list(&Journal::read(&path)?);
    println!("{} snapshots of 3 volumes", fake.account().snapshots().len());
    std::fs::remove_file(path)?;
    Ok(code)
}

async fn create_snapshots(datafy: &Datafy, journal: &Path) -> Result<(), Box<dyn Error>> {
    let ids: Vec<VolumeId> =
        (1..=3).map(|number| format!("vol-{number}").parse()).collect::<Result<_, _>>()?;
    let fleet = datafy.fleet(ids).concurrency(1).journal(journal);
    let mut run =
        fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot().traceable()).await?;
    while let Some(finished) = run.next().await {
        match finished.result {
            Ok(snapshot) => println!("{}: created {}", finished.item, snapshot.id),
            Err(not_done) => println!("{}: {not_done}", finished.item),
        }
    }
    Ok(())
}
