//! The edit of openapi.yaml that makes it say what the page says.

mod describe;
mod lines;
mod moves;

use super::schemes;
use crate::codegen::yaml::escape;
use crate::contract::keywords::{Compared, PARAMETER, SCHEMA, compared};
use crate::contract::{Aspect, Difference, Facts, Place, Spec, Step};
use crate::report::Hunk;
use describe::{content, retype};
use heck::ToLowerCamelCase;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Stands for a description; `check` reports it until it is replaced.
pub const TO_DESCRIBE: &str = "Describe it in your own words.";

pub struct Editor<'a> {
    spec: &'a Spec,
    page: &'a Facts,
    /// The differences of the page: a parameter that has moved is referred to under its new name.
    all: &'a [Difference],
    /// The IDs of new operations.
    ids: BTreeMap<&'a Place, String>,
    /// The hunks of what is added.
    added: BTreeMap<&'a Place, Vec<Hunk>>,
    /// The JSON pointers of what is replaced as a whole, each with its hunks.
    whole: Vec<(String, Vec<Hunk>)>,
    /// The JSON pointers of what is deleted, and of the lists and mappings that grow.
    deleted: RefCell<BTreeSet<String>>,
    grown: RefCell<BTreeSet<String>>,
}

impl<'a> Editor<'a> {
    pub fn new(spec: &'a Spec, page: &'a Facts, all: &'a [Difference]) -> Self {
        let (added, whole, deleted, grown) = Default::default();
        let ids = operation_ids(spec, all);
        let mut editor = Self { spec, page, all, ids, added, whole, deleted, grown };
        // An edit may depend on what the others delete and add.
        for difference in all {
            let hunks = editor.specific(difference);
            // Adding something doesn't depend on the others.
            if let (Difference::Added { place }, Some(hunks)) = (difference, hunks) {
                editor.added.insert(place, hunks);
            }
        }
        let mut whole: Vec<(String, Vec<Hunk>)> = Vec::new();
        for difference in all {
            let pair = match difference {
                Difference::Added { place } if editor.added.contains_key(place) => None,
                Difference::Changed { place, aspect: Aspect::Content, .. } => editor.content(place),
                _ if editor.specific(difference).is_some() => None,
                Difference::Changed { place, .. } => editor.replace_schema(place),
                other => editor.replace_schema(&other.place().parent()),
            };
            whole.extend(pair);
        }
        editor.whole = whole;
        editor
    }

    /// The hunks for a difference, if they can be given exactly. What several differences need is a hunk that each
    /// of them gives.
    pub fn hunks(&self, difference: &Difference) -> Option<Vec<Hunk>> {
        let place = difference.place();
        let at = match difference {
            Difference::Changed { aspect: Aspect::Required, .. } if is_body(place) => None,
            Difference::Changed { aspect: Aspect::Content, .. } if is_body(place) => {
                self.holder(place)
            }
            Difference::Changed { .. } => self.pointer(place),
            Difference::Added { .. } | Difference::Removed { .. } if is_header(place) => None,
            _ => self.pointer(&place.parent()),
        };
        let is_within = |whole: &str| {
            at.is_some_and(|at| {
                at.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        // The outermost, if several are.
        let whole =
            self.whole.iter().filter(|(whole, _)| is_within(whole)).min_by_key(|(at, _)| at.len());
        let added =
            || self.added.get(place).filter(|_| matches!(difference, Difference::Added { .. }));
        whole.map(|(_, hunks)| hunks).or_else(added).cloned().or_else(|| self.specific(difference))
    }

    fn specific(&self, difference: &Difference) -> Option<Vec<Hunk>> {
        match difference {
            Difference::Changed { place, aspect, page, .. } => {
                self.change(place, *aspect, page.as_ref())
            }
            Difference::Added { place } => self.add(place),
            Difference::Removed { place } => self.remove(place),
            Difference::Moved { place, to } => match (place.last()?, to.last()?) {
                (Step::Property(name), Step::Property(new)) => {
                    self.rename_property(place, name, new)
                }
                (Step::Operation { .. }, _) => self.move_operation(place, to),
                _ => self.move_parameter(place, to),
            },
        }
    }

    /// Where the spec describes a place: for a body or an answer, its schema.
    fn pointer(&self, place: &Place) -> Option<&'a str> {
        self.spec.facts.get(place).map(|subject| &*subject.pointer)
    }

    /// Where the spec describes a body or an answer itself.
    fn holder(&self, place: &Place) -> Option<&'a str> {
        self.spec.facts.get(place).map(|subject| &*subject.holder)
    }

    fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.spec.value().pointer(pointer)
    }

    fn change(&self, place: &Place, aspect: Aspect, page: Option<&Value>) -> Option<Vec<Hunk>> {
        let keyword = aspect.keyword();
        let value = match (aspect, page) {
            (Aspect::Content | Aspect::Alternatives, _) => return None,
            (Aspect::Servers, page) => {
                let urls = page?.as_array()?.iter().map(|url| json!({ "url": url }));
                return Some(vec![self.set("", "servers", &urls.collect())?]);
            }
            (Aspect::Security, page) => return self.secure(place, page?.as_str()?),
            (Aspect::Required, page) => {
                let required = page? == &Value::Bool(true);
                if let Some(Step::Property(name)) = place.last() {
                    return self.require(place, name, required).map(|hunk| vec![hunk]);
                }
                Some(json!(required))
            }
            // A page that runs the values together doesn't show where one ends.
            (Aspect::Enum, Some(values)) if !values.is_array() => return None,
            (Aspect::Type, page) => {
                let scalar =
                    |kind: &str| ["string", "integer", "number", "boolean"].contains(&kind);
                let before = self.spec.facts.value(place, Aspect::Type)?.as_str()?;
                let kind = page?.as_str().filter(|kind| scalar(kind) && scalar(before))?;
                Some(json!(kind))
            }
            (Aspect::Discriminator, Some(name)) => Some(json!({ "propertyName": name })),
            // It refers to components of the page.
            (Aspect::Not, Some(value)) if value.to_string().contains("\"$ref\"") => return None,
            (_, value) => {
                let kind = self.spec.facts.value(place, Aspect::Type).and_then(Value::as_str);
                value.map(|value| retype(aspect, value, kind))
            }
        };
        let owner = self.owner(place, aspect)?;
        Some(vec![match value {
            Some(value) => self.set(&owner, keyword, &value)?,
            None => self.delete(&format!("{owner}/{keyword}"))?,
        }])
    }

    /// The pointer to the object that states an aspect of a place.
    fn owner(&self, place: &Place, aspect: Aspect) -> Option<String> {
        let mut pointer = self.pointer(place)?.to_owned();
        if is_body(place) && aspect == Aspect::Required {
            return self.holder(place).map(str::to_owned);
        }
        let keyword = aspect.keyword();
        let here = |pointer: &str| self.at(pointer).is_some_and(|it| it.get(keyword).is_some());
        if let Some(Step::Parameter { .. }) = place.last() {
            let (own, of_schema) = (compared(PARAMETER, keyword), compared(SCHEMA, keyword));
            if here(&pointer)
                || own.is_some() && (of_schema.is_none() || aspect == Aspect::Required)
            {
                return Some(pointer);
            }
            pointer += "/schema";
        }
        let kind = self.spec.facts.value(place, Aspect::Type).and_then(Value::as_str).unwrap_or("");
        if matches!(compared(SCHEMA, keyword), Some(Compared::OfScalar(_))) {
            pointer += &"/items".repeat(kind.matches("[]").count());
        }
        self.at(&pointer)?.get("$ref").is_none().then_some(pointer)
    }

    /// Replaces the schema of a place, or the whole parameter. Returns the pointer of what is replaced.
    fn replace_schema(&self, place: &Place) -> Option<(String, Vec<Hunk>)> {
        let pointer = self.pointer(place)?;
        if let Step::Parameter { .. } = place.last()? {
            return Some((pointer.to_owned(), self.move_parameter(place, place)?));
        }
        // An operation has no schema, nor has a body without content.
        if place.0.len() < 2 || Some(pointer) == self.holder(place) {
            return None;
        }
        let mut schemas = Map::new();
        let schema = self.schema(place, Some(pointer), &mut schemas);
        let mut hunks = vec![self.replace_value(pointer, &schema)?];
        hunks.extend(self.add_schemas(schemas)?);
        Some((pointer.to_owned(), hunks))
    }

    /// Replaces the content of a body or an answer: its media types, and its schema if that stands there.
    fn content(&self, place: &Place) -> Option<(String, Vec<Hunk>)> {
        if !is_body(place) {
            return self.replace_schema(place);
        }
        let holder = self.holder(place)?;
        let own = format!("{holder}/content");
        let media = self.page.value(place, Aspect::Content)?.as_array()?;
        let hunks = if media.is_empty() {
            vec![self.delete(&own)?]
        } else {
            let mut schemas = Map::new();
            let old = self.at(&own).and_then(Value::as_object).filter(|old| !old.is_empty());
            let schema = match old {
                None => self.component(place, &mut schemas),
                Some(old) => {
                    let mut all = old.values().filter_map(|media| media.get("schema"));
                    match all.find(|schema| schema.get("$ref").is_some()) {
                        Some(reference) => reference.clone(),
                        None => self.schema(place, self.pointer(place), &mut schemas),
                    }
                }
            };
            let mut hunks = vec![self.set(holder, "content", &content(media, &schema))?];
            hunks.extend(self.add_schemas(schemas)?);
            hunks
        };
        Some((holder.to_owned(), hunks))
    }

    /// Sets the security of all operations or of one.
    fn secure(&self, place: &Place, words: &str) -> Option<Vec<Hunk>> {
        let (requirement, schemes) = schemes::requirement(self.spec, words)?;
        let own = |place: &Place| self.spec.of_operation(place, "security").is_some();
        let becomes =
            |place: &Place| self.page.value(place, Aspect::Security).and_then(Value::as_str);
        let mut shared = self.spec.facts.operations().filter(|place| !own(place));
        let shared = !own(place) && shared.all(|place| becomes(place) == Some(words));
        let owner = if shared { "" } else { self.pointer(place)? };
        let mut hunks = vec![self.set(owner, "security", &requirement)?];
        if !schemes.is_empty() {
            hunks.push(self.append("/components", "securitySchemes", &schemes.into())?);
        }
        Some(hunks)
    }

    /// Adds a property to the list of required ones, or removes it from there.
    fn require(&self, place: &Place, name: &str, required: bool) -> Option<Hunk> {
        let owner = &self.spec.facts.get(&place.parent())?.pointer;
        if required {
            let list = self.spec.value().pointer(owner)?.get("required");
            let required =
                self.beside(place).filter(|(other, _)| self.page.is(other, Aspect::Required));
            let names: Vec<_> = required.map(|(_, name)| name).collect();
            let name = self.name_on_page(place)?;
            return self.append(owner, "required", &list.map_or(json!(names), |_| json!([name])));
        }
        let list = format!("{owner}/required");
        let names = self.spec.value().pointer(&list)?.as_array()?;
        let at = names.iter().position(|other| other == name)?;
        self.delete(&format!("{list}/{at}"))
    }

    /// The properties of the same schema that are added or become required. What all of them need is a hunk
    /// that each of them gives.
    fn beside(&self, place: &Place) -> impl Iterator<Item = (&Place, &String)> {
        let owner = place.parent();
        let places = self.all.iter().filter_map(|difference| match difference {
            Difference::Added { place }
            | Difference::Changed { place, aspect: Aspect::Required, .. } => Some(place),
            _ => None,
        });
        places
            .filter(move |place| place.parent() == owner)
            .filter_map(|place| Some((place, self.name_on_page(place)?)))
    }

    fn add(&self, place: &Place) -> Option<Vec<Hunk>> {
        let parent = place.parent();
        let owner = self.pointer(&parent);
        let mut schemas = Map::new();
        let hunk = match place.last()? {
            Step::Operation { path, method } => {
                self.add_operation(place, path, method, &mut schemas)?
            }
            Step::Parameter { name, .. } if is_header(place) => {
                let header = json!({ name: self.header(place, &mut schemas)? });
                self.append(self.holder(&parent)?, "headers", &header)?
            }
            Step::Parameter { .. } => {
                let item = json!([self.parameter_item(place, &mut schemas)]);
                self.append(owner?, "parameters", &item)?
            }
            Step::Body => self.set(owner?, "requestBody", &self.body(place, &mut schemas))?,
            Step::Answer(status) => {
                let answer = json!({ status: self.answer(place, &mut schemas)? });
                self.append(owner?, "responses", &answer)?
            }
            Step::Values => {
                self.set(owner?, "additionalProperties", &self.schema(place, None, &mut schemas))?
            }
            Step::Property(name) => {
                let known = self.at(owner?)?.get("properties").is_some();
                let new = self.beside(place).filter(|(other, _)| {
                    if known { *other == place } else { self.spec.facts.get(other).is_none() }
                });
                let properties: Map<_, _> = new
                    .map(|(other, name)| (name.clone(), self.schema(other, None, &mut schemas)))
                    .collect();
                let mut hunks = vec![self.append(owner?, "properties", &properties.into())?];
                if self.page.is(place, Aspect::Required) {
                    hunks.push(self.require(place, name, true)?);
                }
                if !known {
                    hunks.extend(self.no_longer_unknown(&parent));
                }
                hunks.extend(self.add_schemas(schemas)?);
                return Some(hunks);
            }
            Step::Items | Step::Alternative(_) => return None,
        };
        Some([hunk].into_iter().chain(self.add_schemas(schemas)?).collect())
    }

    /// Removes the keywords that stand for unknown fields, unless the page states them too.
    fn no_longer_unknown(&self, place: &Place) -> Vec<Hunk> {
        let owner = self.pointer(place).unwrap_or_default();
        let open = format!("{owner}/additionalProperties");
        let open = Some(open).filter(|open| self.at(open) == Some(&Value::Bool(true)));
        let open = open.filter(|_| self.page.get(&place.then(Step::Values)).is_none());
        let not = Some(format!("{owner}/not")).filter(|not| self.at(not).is_some());
        let not = not.filter(|_| self.page.value(place, Aspect::Not).is_none());
        open.into_iter().chain(not).filter_map(|pointer| self.delete(&pointer)).collect()
    }

    fn add_schemas(&self, schemas: Map<String, Value>) -> Option<Vec<Hunk>> {
        if schemas.is_empty() {
            return Some(Vec::new());
        }
        Some(vec![self.append("/components", "schemas", &schemas.into())?])
    }

    fn remove(&self, place: &Place) -> Option<Vec<Hunk>> {
        let pointer = self.pointer(place)?;
        let parent = place.parent();
        let owner = self.pointer(&parent);
        Some(vec![match place.last()? {
            Step::Operation { .. } => self.delete(pointer)?,
            Step::Body => self.delete(&format!("{}/requestBody", owner?))?,
            Step::Answer(status) => {
                let answers = format!("{}/responses", owner?);
                // There must be one.
                (self.at(&answers)?.as_object()?.len() > 1).then_some(())?;
                self.delete(&format!("{answers}/{}", escape(status)))?
            }
            Step::Parameter { name, .. } if is_header(place) => {
                self.delete(&format!("{}/headers/{}", self.holder(&parent)?, escape(name)))?
            }
            Step::Parameter { .. } => {
                let list = format!("{}/parameters", owner?);
                let items = self.at(&list)?.as_array()?;
                let reference = json!(format!("#{pointer}"));
                let is_it = |(index, item): (usize, &Value)| {
                    *pointer == format!("{list}/{index}") || item.get("$ref") == Some(&reference)
                };
                let at = items.iter().enumerate().position(is_it)?;
                self.delete(&format!("{list}/{at}"))?
            }
            Step::Property(name) => {
                let property = format!("{}/properties/{}", owner?, escape(name));
                let mut hunks = vec![self.delete(&property)?];
                if self.spec.facts.is(place, Aspect::Required) {
                    hunks.push(self.require(place, name, false)?);
                }
                return Some(hunks);
            }
            Step::Values => match self.page.value(&parent, Aspect::AdditionalProperties) {
                Some(stated) => self.set(owner?, "additionalProperties", stated)?,
                None => self.delete(&format!("{}/additionalProperties", owner?))?,
            },
            Step::Items | Step::Alternative(_) => return None,
        }])
    }
}

/// The IDs of new operations: the last word of the path, with a number if another operation has that name.
fn operation_ids<'a>(spec: &Spec, all: &'a [Difference]) -> BTreeMap<&'a Place, String> {
    let old = spec.facts.operations().filter_map(|place| spec.operation_id(place));
    let old = old.map(|id| id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    old.for_each(|name| *names.entry(name).or_default() += 1);
    let mut ids = BTreeMap::new();
    for difference in all {
        let Difference::Added { place } = difference else { continue };
        let Some(Step::Operation { path, method }) = place.last() else { continue };
        let mut words = path.rsplit('/').filter(|word| !word.contains('{'));
        let name = words.find(|word| !word.is_empty()).unwrap_or(method).to_lower_camel_case();
        let number = names.entry(name.clone()).or_default();
        *number += 1;
        ids.insert(place, if *number == 1 { name } else { format!("{name}{number}") });
    }
    ids
}

fn is_body(place: &Place) -> bool {
    matches!(place.last(), Some(Step::Body | Step::Answer(_)))
}

/// Whether it is a header of an answer.
fn is_header(place: &Place) -> bool {
    matches!(place.tail(), [Step::Answer(_), Step::Parameter { .. }])
}
