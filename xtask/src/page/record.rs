//! The record of a page: its OpenAPI document without sentences, and what is ours.

use super::{Page, Shape};
use crate::document::{Comparison, Facts, Pointer, Spec, document, members};
use crate::files::{self, RECORD};
use crate::yaml;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the document says under `x-page`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    shape: Shape,
    ours: Ours,
    gone: BTreeSet<String>,
}

/// What the spec states and the page doesn't, by pointer: facts on which the page is silent, and our names.
pub type Ours = BTreeMap<Pointer, Value>;

/// A page as it was recorded.
pub struct Recorded {
    pub page: Page,
    pub ours: Ours,
    /// Names that earlier records had.
    pub gone: BTreeSet<String>,
}

/// What is ours in the spec.
pub fn ours(spec: &Spec, comparison: &Comparison) -> Ours {
    let silent = comparison.silent.iter().map(|silent| &silent.fact);
    let silent =
        silent.filter_map(|fact| Some((fact.clone(), spec.facts.get(fact)?.value.clone()?)));
    let of_operation = spec.facts.operations().flat_map(|place| {
        let member = |key: &str| Some((place.then(&[key]), spec.of_operation(place, key)?.clone()));
        ["operationId", "x-idempotent"].into_iter().filter_map(member)
    });
    let schemas = members(spec.value().pointer("/components/schemas")).map(|(name, _)| json!(name));
    let schemas = [(Pointer("/components/schemas".to_owned()), schemas.collect())];
    silent.chain(of_operation).chain(schemas).collect()
}

/// The text of the record of a page that states `page` and was compared with the spec. `before` is the record that it
/// replaces.
pub fn write(
    page: &Facts,
    shape: Shape,
    spec: &Spec,
    comparison: &Comparison,
    before: Option<&Recorded>,
) -> String {
    let mut gone = BTreeSet::new();
    if let Some(before) = before {
        gone.extend(before.gone.iter().cloned());
        gone.extend(names(&before.page.facts));
    }
    let gone = &gone - &(&names(page) | &names(&spec.facts));
    let about = About { shape, ours: ours(spec, comparison), gone };
    let mut document = document(page);
    document["x-page"] = serde_json::to_value(about).unwrap_or_default();
    format!(
        "# The vendor's page as an OpenAPI document, without its sentences. Written by `cargo xtask docs PAGE --record`.\n{}",
        yaml::write(&document)
    )
}

/// The names of parameters, properties and headers, which prose may use.
pub fn names(facts: &Facts) -> BTreeSet<String> {
    let places = facts.map.iter().filter(|(_, fact)| fact.value.is_none());
    places.filter_map(|(place, _)| place.name()).collect()
}

/// Reads the record below `root`, if there is one.
pub fn load(root: &Path) -> Result<Option<Recorded>> {
    let Some(text) = files::read_if_exists(root, RECORD)? else { return Ok(None) };
    let again = "replace it with `cargo xtask docs PAGE --record`";
    let Spec { document, facts, unreadable, .. } = Spec::parse(RECORD, text).context(again)?;
    let about = document.value.get("x-page").cloned().unwrap_or_default();
    let about = serde_json::from_value(about).context(RECORD).context(again);
    let About { shape, ours, gone } = about?;
    let page = Page { shape, facts, unreadable };
    Ok(Some(Recorded { page, ours, gone }))
}
