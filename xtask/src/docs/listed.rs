//! The public items of the crate that people use, read from its listing in xtask/api, so that they are known when the
//! code doesn't compile.

use crate::files::{self, LISTING};
use heck::ToSnakeCase;
use std::path::Path;

/// The listing, without the name of the crate.
#[derive(Default)]
pub struct PublicItems(String);

impl PublicItems {
    /// Reads the listing below `root`. Without one, no items are known.
    pub fn load(root: &Path) -> Self {
        let listing = files::read(root, LISTING).unwrap_or_default();
        Self(listing.replace("datafy_api_ext::", ""))
    }

    /// The methods that set a parameter: `x_datafy_sub_account_id` is set with `sub_account`.
    pub fn setters(&self, parameter: &str) -> Vec<String> {
        let words = format!("_{parameter}_");
        self.select(|_, name, line| {
            let part = name.len() > 2 && words.contains(&format!("_{name}_"));
            part && line.contains("(self")
        })
    }

    /// The methods and fields called `name` of the call of an operation and of its answer.
    pub fn of_operation(&self, method: &str, name: &str) -> Vec<String> {
        let Some((operation, answer)) = self.operation(method) else { return Vec::new() };
        let owners = [operation, answer, &format!("Call<{operation}>")];
        self.select(|owner, other, _| other == name && owners.contains(&owner))
    }

    /// The methods that make the call of an operation.
    pub fn calls(&self, method: &str) -> Vec<String> {
        let Some((operation, _)) = self.operation(method) else { return Vec::new() };
        let call = format!("-> Call<{operation}>");
        self.select(|_, _, line| line.ends_with(&call))
    }

    /// The type of an operation and that of its answer: `CreateVolume` makes the call `create_volume_from_snapshots`.
    fn operation(&self, method: &str) -> Option<(&str, &str)> {
        let types = self.0.lines().filter_map(|line| line.strip_prefix("pub type "));
        let mut operations = types.filter_map(|line| line.split_once("::Answer = "));
        operations.find(|(operation, _)| method.starts_with(&operation.to_snake_case()))
    }

    /// The paths of the items for which `wanted` is true of their owner, name and line.
    fn select(&self, wanted: impl Fn(&str, &str, &str) -> bool) -> Vec<String> {
        let path = |line: &str| {
            let item = line.strip_prefix("pub ")?.trim_start_matches("async ");
            let item = item.trim_start_matches("fn ");
            // Not the parenthesis of a generic argument.
            let end = item.find("(self").or_else(|| item.find(['(', ' '])).unwrap_or(item.len());
            let path = &item[..end];
            let (owner, name) = path.trim_end_matches(':').rsplit_once("::")?;
            let ours = !owner.starts_with("fake::") && wanted(owner, name, line);
            ours.then(|| format!("{owner}::{name}"))
        };
        self.0.lines().filter_map(path).collect()
    }
}
