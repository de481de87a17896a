//! Which EC2 objects to fetch.

use super::sent_call::SentCall;
use crate::id::SubAccountId;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The number of values that EC2 accepts in one filter.
const MOST_VALUES: usize = 200;

/// A query for EC2 objects. Its `Display` is a command line of the AWS CLI, quoted for a POSIX shell.
///
/// ```
/// use datafy_api_ext::Subject;
/// use datafy_api_ext::reconcile::{Query, SentCall};
///
/// let mut subject = Subject::default();
/// subject.volume = Some("vol-0b9176567fe16f0bc".parse()?);
/// let query = Query::of(&SentCall::new("create_snapshot", subject, Default::default())).unwrap();
/// assert_eq!(
///     query.to_string(),
///     "aws ec2 describe-snapshots \
///      --filters Name=tag:datafy:source-volume:id,Values=vol-0b9176567fe16f0bc --output json"
/// );
/// # Ok::<(), datafy_api_ext::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The sub-account of the calls, if any: it may belong to another AWS account.
    pub sub_account: Option<SubAccountId>,
    /// The subcommand of `aws ec2`: `describe-snapshots` or `describe-volumes`.
    pub command: &'static str,
    /// The filters, all of which must match.
    pub filters: Vec<Filter>,
}

/// A filter: one of the values must match.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// The name, such as `tag:datafy:snapshot:id`.
    pub name: String,
    /// The values.
    pub values: Vec<String>,
}

impl Query {
    fn new(
        sub_account: Option<SubAccountId>,
        (command, tag): (&'static str, &str),
        values: Vec<String>,
    ) -> Self {
        let filters = vec![Filter { name: format!("tag:{tag}"), values }];
        Self { sub_account, command, filters }
    }

    /// Returns the query for the objects of this call, or `None` if EC2 doesn't show its effect.
    ///
    /// After an attach that was refused with 409, it finds out what the volume is attached to.
    pub fn of(call: &SentCall) -> Option<Self> {
        let values = vec![call.key()?.to_owned()];
        Some(Self::new(call.subject.sub_account.clone(), call.target()?.query(), values))
    }

    /// Returns the queries for all calls of which something remains to be found out, with up to 200 IDs in each, and for
    /// each sub-account apart.
    pub fn of_all<'a>(calls: impl IntoIterator<Item = &'a SentCall>) -> Vec<Self> {
        let mut values: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for call in calls.into_iter().filter(|call| call.is_open()) {
            if let (Some(target), Some(key)) = (call.target(), call.key()) {
                let query = (&call.subject.sub_account, target.query());
                values.entry(query).or_default().insert(key);
            }
        }
        let mut queries = Vec::new();
        for ((sub_account, of), values) in values {
            let values: Vec<&str> = values.into_iter().collect();
            for values in values.chunks(MOST_VALUES) {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                queries.push(Self::new(sub_account.clone(), of, values));
            }
        }
        queries
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "aws ec2 {} --filters", self.command)?;
        for Filter { name, values } in &self.filters {
            let values: Vec<_> = values.iter().map(|value| shorthand(value)).collect();
            let filter = format!("Name={},Values={}", shorthand(name), values.join(","));
            write!(f, " {}", quoted(&filter))?;
        }
        f.write_str(" --output json")
    }
}

/// A text as a value in the shorthand syntax of the AWS CLI.
fn shorthand(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")).into()
}

/// A text as a word of a POSIX shell.
fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/=,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Query, quoted};
    use std::process::Command;

    fn words(command: &str) -> Vec<String> {
        let script = format!("for word in {command}; do printf '%s\\0' \"$word\"; done");
        let output = Command::new("sh").args(["-c", &script]).output().expect("sh runs");
        let printed = String::from_utf8(output.stdout).expect("the words are UTF-8");
        printed.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn a_shell_reads_each_text_as_one_word() {
        for text in [
            "", "a b", "it's", "$(id)", "`id`", "a\nb", "*", "~", "!x", "\\", "\"", "a;b&c|d",
            "{a,b}",
        ] {
            assert_eq!(words(&quoted(text)), [text], "{text:?}");
        }
    }

    #[test]
    fn a_shell_reads_the_filter_of_a_query_as_one_word() {
        let of = ("describe-volumes", "a b'c");
        let query = Query::new(None, of, vec!["vol-1".into(), "d,e \"f".into()]);
        let filter = r#"Name="tag:a b'c",Values=vol-1,"d,e \"f""#;
        let expected = ["aws", "ec2", "describe-volumes", "--filters", filter, "--output", "json"];
        assert_eq!(words(&query.to_string()), expected);
    }
}
