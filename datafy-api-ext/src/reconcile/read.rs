//! Reads the output of the AWS CLI.

use super::ec2::{Ec2Objects, Ec2Snapshot, Ec2Volume};
use crate::one_line::OneLine;
use serde::Deserialize;

/// Why the output of the AWS CLI can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input}: JSON document {document}: {}", OneLine(problem))]
pub struct ReadError {
    input: String,
    document: usize,
    problem: String,
}

/// A page of a result.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    snapshots: Option<Vec<Ec2Snapshot>>,
    #[serde(default)]
    volumes: Option<Vec<Ec2Volume>>,
    #[serde(default)]
    next_token: Option<String>,
}

impl Ec2Objects {
    /// Adds the objects in the output of `aws ec2 describe-snapshots` and `describe-volumes`.
    ///
    /// `json` holds any number of documents, one after the other; each is the result of a [query](super::Query), or a page
    /// of it. Give the pages of a result in order, and each result once: as many as [`of_all`](super::Query::of_all)
    /// returns are expected, unless they are [marked as complete](Self::mark_complete). `name` is that of the file, for
    /// the messages of errors. An object with three tags takes about half a kilobyte of memory.
    ///
    /// Fails, and adds nothing, if the text holds no document, is not JSON, or a document holds neither `Snapshots` nor
    /// `Volumes`, or a field that is needed has another type. The message says which document it is, and the line and
    /// column.
    pub fn read(&mut self, name: &str, json: &[u8]) -> Result<(), ReadError> {
        let error = |document: usize, problem: String| ReadError {
            input: name.to_owned(),
            document: document + 1,
            problem,
        };
        let mut pages = Vec::new();
        for (at, page) in serde_json::Deserializer::from_slice(json).into_iter().enumerate() {
            let page: Page = page.map_err(|problem| error(at, problem.to_string()))?;
            if page.snapshots.is_none() && page.volumes.is_none() {
                let problem = "it is no result of describe-snapshots or describe-volumes: neither \
                    `Snapshots` nor `Volumes` is in it";
                return Err(error(at, problem.to_owned()));
            }
            pages.push(page);
        }
        if pages.is_empty() {
            return Err(error(0, "there is none; the command may have failed".to_owned()));
        }
        for page in pages {
            let continues = page.next_token.is_some_and(|token| !token.is_empty());
            if let Some(snapshots) = page.snapshots {
                self.snapshots.add_page(snapshots, continues);
            }
            if let Some(volumes) = page.volumes {
                self.volumes.add_page(volumes, continues);
            }
        }
        Ok(())
    }
}
