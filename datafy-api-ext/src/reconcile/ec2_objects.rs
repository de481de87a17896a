//! What EC2 answered to queries.

use super::ec2_object::{Ec2Object, Page};
use super::query::Query;
use super::target::{Kind, SNAPSHOTS, VOLUMES};
use crate::id::SubAccountId;
use crate::one_line::OneLine;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// What EC2 answered to queries, and what they asked for.
///
/// [`read`](Self::read) takes the output of the AWS CLI; [`add`](Self::add) takes what a program has fetched with an SDK.
/// Each takes the complete result of one query, once: nothing is concluded about an ID that no query asked for. Use a
/// new `Ec2Objects` for each look.
#[derive(Clone, Debug)]
pub struct Ec2Objects {
    /// A time before the first query was sent.
    pub(super) fetched: DateTime<Utc>,
    /// By the kind that the query asks for, and the value of the tag.
    shown: HashMap<Kind, HashMap<String, Shown>>,
}

/// What EC2 showed of an ID.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// The sub-accounts in whose AWS accounts it was asked for.
    asked_in: HashSet<Option<SubAccountId>>,
    objects: Vec<Ec2Object>,
}

/// Why this can't be used as the complete result of a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{command}: {}", OneLine(problem))]
pub struct ReadError {
    command: &'static str,
    problem: String,
}

/// What to do about output from which something was cut.
const CUT: &str = "give the output of the command as it is, without --query";

impl Ec2Objects {
    /// Returns no objects, and no results of queries.
    ///
    /// `fetched` is a time before the first query was sent, by the clock of this machine. It may be earlier: then some
    /// verdicts need a later look.
    pub fn new(fetched: DateTime<Utc>) -> Self {
        Self { fetched, shown: HashMap::new() }
    }

    /// Adds the objects in the output of the AWS CLI for one query.
    ///
    /// `output` is JSON, in UTF-8 or UTF-16. It may be several documents, one after the other: the pages of the result. An
    /// object with three tags takes about half a kilobyte of memory.
    ///
    /// Fails, and adds nothing, if this can't be the complete result of this query: it is not JSON, fields that each
    /// object has were cut, an object is not what the query asks for, or the last page has a `NextToken`. The message says
    /// which document it is. Fails, too, if the result of this query was given before.
    pub fn read(&mut self, query: &Query, output: &[u8]) -> Result<(), ReadError> {
        let fail = |problem| ReadError { command: query.command, problem };
        let json = decoded(output).map_err(|problem| fail(problem.to_owned()))?;
        let mut objects = Vec::new();
        // Whether the page that was read last has a successor.
        let mut continues = true;
        let pages = serde_json::Deserializer::from_str(&json).into_iter();
        for (number, page) in (1..).zip(pages) {
            let fail = |problem: String| fail(format!("JSON document {number}: {problem}"));
            let page: Page = page.map_err(|error| {
                fail(if error.is_data() { format!("{error}; {CUT}") } else { error.to_string() })
            })?;
            if !continues {
                return Err(fail("the result before it is complete".to_owned()));
            }
            let (command, found) = match (page.snapshots, page.volumes) {
                (Some(snapshots), None) => (SNAPSHOTS, snapshots),
                (None, Some(volumes)) => (VOLUMES, volumes),
                _ => ("", Vec::new()),
            };
            if command != query.command {
                return Err(fail(format!("it is not the output of {}", query.command)));
            }
            objects.extend(found);
            continues = page.next_token.is_some_and(|token| !token.is_empty());
        }
        if json.trim().is_empty() {
            return Err(fail("there is no JSON document; the command may have failed".to_owned()));
        }
        if continues {
            return Err(fail("the result is incomplete: the last page has a NextToken".to_owned()));
        }
        self.add(query, objects)
    }

    /// Adds the objects that a query found. There may be none.
    ///
    /// Fails, and adds nothing, if this can't be the complete result of this query, or if its result was given before.
    pub fn add(&mut self, query: &Query, objects: Vec<Ec2Object>) -> Result<(), ReadError> {
        let Query { sub_account, command, tag, .. } = query;
        let fail = |problem| Err(ReadError { command, problem });
        if query.values().iter().any(|value| self.has(query, value)) {
            return fail("the result of this query was given before".to_owned());
        }
        let values: HashSet<&str> = query.values().iter().map(String::as_str).collect();
        for object in &objects {
            let id = &object.id;
            match object.tag(tag) {
                _ if object.command != *command => {
                    return fail(format!("{id} is not of {command}"));
                }
                _ if object.state == "in-use" && object.attachments.is_empty() => {
                    return fail(format!("{id} is in use, but has no attachment; {CUT}"));
                }
                None => {
                    return fail(format!("{id} lacks the tag {tag}, which it was found by; {CUT}"));
                }
                Some(value) if !values.contains(value) => {
                    return fail(format!(
                        "{id} has {value} in the tag {tag}, which the query doesn't ask for; give each query its own output"
                    ));
                }
                Some(_) => {}
            }
        }
        let shown = self.shown.entry(query.kind()).or_default();
        for value in query.values() {
            shown.entry(value.clone()).or_default().asked_in.insert(sub_account.clone());
        }
        for object in objects {
            if let Some(shown) = object.tag(tag).and_then(|value| shown.get_mut(value)) {
                shown.objects.push(object);
            }
        }
        Ok(())
    }

    /// Whether the result of this query for this value is here.
    fn has(&self, query: &Query, value: &str) -> bool {
        let shown = self.shown.get(&query.kind()).and_then(|it| it.get(value));
        shown.is_some_and(|it| it.asked_in.contains(&query.sub_account))
    }

    /// Whether the result of this query is here.
    pub(super) fn has_all(&self, query: &Query) -> bool {
        query.values().iter().all(|value| self.has(query, value))
    }

    /// The objects of a kind that are found by this value, of all sub-accounts.
    pub(super) fn of(&self, kind: Kind, value: &str) -> &[Ec2Object] {
        let shown = self.shown.get(&kind);
        shown.and_then(|it| it.get(value)).map_or(&[], |it| &it.objects)
    }

    /// All objects. One that several queries found is here several times.
    pub fn objects(&self) -> impl Iterator<Item = &Ec2Object> {
        self.shown.values().flat_map(HashMap::values).flat_map(|shown| &shown.objects)
    }
}

/// The text of an output in UTF-8 or UTF-16: PowerShell writes both, with a byte order mark.
fn decoded(output: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = output.as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.map(Cow::Owned).ok_or("it is not valid UTF-16")
    };
    // JSON begins with an ASCII character, in UTF-16 beside a zero.
    let text = match output {
        [0xFF, 0xFE, ..] | [_, 0, ..] => utf16(u16::from_le_bytes)?,
        [0xFE, 0xFF, ..] | [0, ..] => utf16(u16::from_be_bytes)?,
        _ => str::from_utf8(output).map_err(|_| "it is neither UTF-8 nor UTF-16")?.into(),
    };
    Ok(match text.strip_prefix('\u{FEFF}') {
        Some(rest) => rest.to_owned().into(),
        None => text,
    })
}
