//! Runs queries with the AWS CLI.

use crate::plain::quoted;
use crate::print::{Printer, Tone};
use clap::Args;
use datafy_api_ext::reconcile::{LookUp, Query};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How to run the AWS CLI. It only reads.
#[derive(Args, Clone)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Aws {
    /// Find out from EC2 what is unknown, with the AWS CLI. The commands only read, and each is printed before it is run
    #[arg(long = "run-aws", id = "run_aws")]
    pub(crate) run: bool,
    /// The profile of the AWS CLI
    #[arg(long = "aws-profile", value_name = "NAME")]
    profile: Option<String>,
    /// The AWS region of the volumes
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Assert that no other program, person, schedule or journal creates snapshots of these volumes, or volumes of these
    /// snapshots. Then an object without a marker is taken for that of the call, and a create of which EC2 shows nothing
    /// is repeated
    #[arg(long)]
    pub(crate) only_creator: bool,
}

impl Aws {
    /// Looks up what is unknown in a run, if the AWS CLI is to be run. Fails if only the other options are given.
    pub(crate) fn look_up(
        &self,
        wait: Option<Duration>,
        printer: &Printer,
    ) -> Result<Option<LookUp>, &'static str> {
        if !self.run && (self.only_creator || !self.options().is_empty()) {
            return Err("--aws-profile, --region and --only-creator need --run-aws");
        }
        let (aws, printer) = (self.clone(), printer.clone());
        let mut look_up = LookUp::new(move |query| {
            let (aws, printer) = (aws.clone(), printer.clone());
            async move { aws.ask(&query, &printer).await }
        });
        (look_up.only_creator, look_up.wait) = (self.only_creator, wait);
        Ok(self.run.then_some(look_up))
    }

    /// The arguments that name the account and the region.
    fn options(&self) -> Vec<String> {
        let options = [("--profile", &self.profile), ("--region", &self.region)];
        let given = options.into_iter().filter_map(|(name, value)| Some([name, value.as_deref()?]));
        given.flatten().map(str::to_owned).collect()
    }

    /// The command line of a query, as a shell reads it.
    pub(crate) fn line(&self, query: &Query) -> String {
        let mut line = query.to_string();
        for option in self.options() {
            line.push(' ');
            line.push_str(&quoted(&option));
        }
        line
    }

    /// Shows the command of a query, runs it, and returns its output.
    pub(crate) async fn ask(&self, query: &Query, printer: &Printer) -> Result<Vec<u8>, String> {
        if let Some(id) = &query.sub_account {
            printer.note(&format!("in the AWS account of the sub-account {id}:"));
        }
        printer.say(Tone::Quiet, &self.line(query));
        let mut command = Command::new("aws");
        command.args(query.args()).args(self.options()).env("AWS_PAGER", "");
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.map_err(|error| {
            format!("`aws` can't be run: {error}; install the AWS CLI, or ask elsewhere with the script of `datafyctl journal resolve`")
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let error = String::from_utf8_lossy(&output.stderr);
        Err(format!("`aws` failed ({}): {}", output.status, error.trim()))
    }
}
