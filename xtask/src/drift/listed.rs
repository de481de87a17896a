//! The public items of the crate that people use, read from its listing in xtask/api, so that they are known when the
//! code doesn't compile.

use crate::files::{self, LISTING};
use heck::ToSnakeCase;
use std::path::Path;

/// The methods and fields that the listing names.
#[derive(Default)]
pub struct PublicItems {
    items: Vec<Item>,
    /// The type of each operation and that of its answer.
    operations: Vec<(String, String)>,
}

struct Item {
    owner: String,
    name: String,
    /// The whole line, without the name of the crate.
    line: String,
}

impl PublicItems {
    /// Reads the listing below `root`. Without one, no items are known.
    pub fn load(root: &Path) -> Self {
        let mut public = Self::default();
        let listing = files::read(root, LISTING).unwrap_or_default();
        for line in listing.replace("datafy_api_ext::", "").lines() {
            let Some(declared) = line.strip_prefix("pub ") else { continue };
            if let Some((operation, answer)) = declared.split_once("::Answer = ") {
                let operation = operation.trim_start_matches("type ").to_owned();
                public.operations.push((operation, answer.to_owned()));
                continue;
            }
            let path = declared.trim_start_matches("async ").trim_start_matches("fn ");
            let path = path.split(['(', ' ']).next().unwrap_or_default().trim_end_matches(':');
            if let Some((owner, name)) = path.rsplit_once("::")
                && !path.starts_with("fake::")
            {
                let (owner, name, line) = (owner.to_owned(), name.to_owned(), line.to_owned());
                public.items.push(Item { owner, name, line });
            }
        }
        public
    }

    /// The methods that set a parameter: `x_datafy_sub_account_id` is set with `sub_account`.
    pub fn setters(&self, parameter: &str) -> Vec<String> {
        let words = format!("_{parameter}_");
        self.named(|item| {
            let part = item.name.len() > 2 && words.contains(&format!("_{}_", item.name));
            part && item.line.contains("(self")
        })
    }

    /// The methods and fields called `name` of the call of an operation and of its answer.
    pub fn of_operation(&self, method: &str, name: &str) -> Vec<String> {
        let Some((operation, answer)) = self.operation(method) else { return Vec::new() };
        let call = format!("Call<{operation}>");
        self.named(|item| {
            item.name == name && [operation, answer, &call].contains(&item.owner.as_str())
        })
    }

    /// The methods that make the call of an operation.
    pub fn calls(&self, method: &str) -> Vec<String> {
        let Some((operation, _)) = self.operation(method) else { return Vec::new() };
        let call = format!("-> Call<{operation}>");
        self.named(|item| item.line.ends_with(&call))
    }

    /// `CreateVolume` makes the call `create_volume_from_snapshots`.
    fn operation(&self, method: &str) -> Option<(&str, &str)> {
        let named = |kind: &str| method.starts_with(&kind.to_snake_case());
        let found = self.operations.iter().find(|(operation, _)| named(operation))?;
        Some((&found.0, &found.1))
    }

    fn named(&self, wanted: impl Fn(&Item) -> bool) -> Vec<String> {
        let items = self.items.iter().filter(|item| wanted(item));
        items.map(|item| format!("{}::{}", item.owner, item.name)).collect()
    }
}
