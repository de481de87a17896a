//! The same thing under another name or in another place: edited where it is, so that its description stays.

use super::describe::keep;
use super::lines::{indent, yaml};
use super::{Editor, is_header};
use crate::codegen::yaml::escape;
use crate::contract::keywords::PARAMETER;
use crate::contract::{Aspect, Difference, Facts, Place, Step, Within};
use crate::report::Hunk;
use serde_json::{Map, Value, json};

impl Editor<'_> {
    /// Changes the name of a property where it is, so that its description stays.
    pub(super) fn rename_property(
        &self,
        place: &Place,
        name: &str,
        new: &str,
    ) -> Option<Vec<Hunk>> {
        let owner = &self.spec.facts.get(&place.parent())?.pointer;
        let mut hunks = vec![self.rename(&format!("{owner}/properties/{}", escape(name)), new)?];
        let becomes = |it: &Difference| matches!(it, Difference::Changed { place: other, aspect: Aspect::Required, .. } if other == place);
        let required = self.spec.value().pointer(&format!("{owner}/required"));
        let at = required.and_then(Value::as_array);
        let at = at.and_then(|names| names.iter().position(|other| other == name));
        if let Some(at) = at.filter(|_| !self.all.iter().any(becomes)) {
            let line = self.spec.document.line(&format!("{owner}/required/{at}"))?;
            let text = self.spec.line(line)?;
            text.trim_start().starts_with("- ").then_some(())?;
            hunks.push(self.replace(line, line, &yaml(&json!([new])), indent(text)));
        }
        Some(hunks)
    }

    /// Changes the method or the path of an operation where it is.
    pub(super) fn move_operation(&self, place: &Place, to: &Place) -> Option<Vec<Hunk>> {
        let (Step::Operation { path, .. }, Step::Operation { path: new, method }) =
            (place.last()?, to.last()?)
        else {
            return None;
        };
        let of_path = |place: &Place, path| matches!(place.last(), Some(Step::Operation { path: own, .. }) if own == path);
        if path == new {
            let pointer = &self.spec.facts.get(place)?.pointer;
            return Some(vec![self.rename(pointer, &method.to_lowercase())?]);
        }
        // The operations of a path move together, to a path that isn't there yet.
        let moves = |from: &Place| {
            let mut all = self.all.iter();
            all.any(|it| matches!(it, Difference::Moved { place, to } if place == from && of_path(to, new)))
        };
        let mut beside = self.spec.facts.operations().filter(|place| of_path(place, path));
        let mut known = self.spec.facts.operations();
        if known.any(|place| of_path(place, new)) || !beside.all(moves) {
            return None;
        }
        Some(vec![self.rename(&format!("/paths/{}", escape(path)), new)?])
    }

    /// Changes the key at `pointer`.
    pub(super) fn rename(&self, pointer: &str, new: &str) -> Option<Hunk> {
        let line = self.spec.document.line(pointer)?;
        let text = self.spec.line(line)?;
        let (_, key) = pointer.rsplit_once('/')?;
        let key = key.replace("~1", "/").replace("~0", "~");
        let own = text.trim_start();
        let quoted = json!(key).to_string();
        let rest = own.strip_prefix(&key).or_else(|| own.strip_prefix(&quoted))?;
        rest.starts_with(':').then_some(())?;
        let new = yaml(&json!({ new: {} })).concat();
        let new = new.strip_suffix(": {}")?;
        Some(self.replace(line, line, &[format!("{new}{rest}")], indent(text)))
    }

    /// The name of the property at `place` on the page.
    pub(super) fn name_on_page<'b>(&'b self, place: &'b Place) -> Option<&'b String> {
        let renamed = self.all.iter().find_map(|difference| match difference {
            Difference::Moved { place: from, to } if from == place => Some(to),
            _ => None,
        });
        match renamed.unwrap_or(place).last()? {
            Step::Property(name) => Some(name),
            _ => None,
        }
    }

    /// Changes a parameter in place, so that references to it and its description stay.
    pub(super) fn move_parameter(&self, place: &Place, to: &Place) -> Option<Vec<Hunk>> {
        let pointer = self.pointer(place)?;
        let kind = |facts: &Facts, place| facts.value(place, Aspect::Type).cloned();
        let schema = format!("{pointer}/schema");
        // The schema stays as it is as far as possible.
        let schema =
            Some(&*schema).filter(|_| kind(&self.spec.facts, place) == kind(self.page, to));
        let mut schemas = Map::new();
        let mut parameter = self.parameter(to, schema, &mut schemas)?;
        let parameter_or_header = parameter.as_object_mut()?;
        keep(self.at(pointer), parameter_or_header, PARAMETER);
        if is_header(place) {
            parameter_or_header.retain(|key, _| key != "name" && key != "in");
        }
        let mut hunks = vec![self.replace_value(pointer, &parameter)?];
        hunks.extend(self.add_schemas(schemas)?);
        if let (
            Some(Step::Parameter { within: Within::Path, name }),
            Some(Step::Parameter { name: new, .. }),
            Some(Step::Operation { path, .. }),
        ) = (place.last(), to.last(), place.0.first())
            && name != new
        {
            // The path names it too.
            let line = self.spec.document.line(&format!("/paths/{}", escape(path)))?;
            let text = self.spec.line(line)?.replace(&format!("{{{name}}}"), &format!("{{{new}}}"));
            hunks.push(self.replace(line, line, &[text], 0));
        }
        Some(hunks)
    }
}
