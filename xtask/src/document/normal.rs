//! Normalises a document and flattens it, in one walk along the grammar.
//!
//! References are followed, each object is rewritten so that what means the same is written the same way, and what isn't
//! compared is dropped. All other keywords are kept, known or not.

use super::grammar::{Held, Kind, held, members};
use super::sentences::is_compared;
use super::version::as_3_0;
use super::{Fact, Facts, Pointer, Problem, Within, escape};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Bounds for documents whose references double at each step: the facts of an operation, and of all together.
const MOST_OF_OPERATION: usize = 20_000;
pub const MOST: usize = 500_000;
const DEEPEST: usize = 48;

/// Keywords that say nothing if they are false.
const FLAGS: &str = "required deprecated nullable readOnly writeOnly uniqueItems exclusiveMinimum exclusiveMaximum \
    allowReserved allowEmptyValue";

/// The lists of alternatives, in the words of a page.
pub const LISTS: [(&str, &str); 3] =
    [("oneOf", "one of"), ("anyOf", "any of"), ("allOf", "all of")];

const SCALARS: [&str; 5] = ["string", "integer", "number", "boolean", "any"];

/// States `additionalProperties: false`, since the keyword is also the place of a schema.
pub(super) const CLOSED: &str = "noAdditionalProperties";

/// States whether a parameter or a property is required. The `required` of a schema is about its properties.
const REQUIRED: &str = "x-required";

const ANOTHER_KIND: &str = "OpenAPI requires a value of another kind here";

/// Returns the line of a JSON pointer into the document.
type LineOf<'a> = &'a dyn Fn(&str) -> Option<u64>;

type Object = Map<String, Value>;

/// Flattens the document `root`.
pub fn flatten(root: &Value, line: LineOf<'_>) -> (Facts, Vec<Problem>) {
    let (facts, unreadable, above) = Default::default();
    let mut walk = Walk { root, line, facts, unreadable, above, before: 0 };
    // What is in the components is read where it is referred to.
    let own = match root {
        Value::Object(root) => {
            let own = root.iter().filter(|(keyword, _)| *keyword != "components");
            own.map(|(keyword, value)| (keyword.clone(), value.clone())).collect()
        }
        other => other.clone(),
    };
    walk.object(&Pointer::default(), Kind::Document, "", own, 0);
    (walk.facts, walk.unreadable)
}

struct Walk<'a> {
    root: &'a Value,
    line: LineOf<'a>,
    facts: Facts,
    unreadable: Vec<Problem>,
    /// The schemas around the current one, since a schema may contain itself.
    above: Vec<String>,
    /// The number of facts before the operation.
    before: usize,
}

impl<'a> Walk<'a> {
    /// Reads the object from `origin`, which stands at `place` of the normalised document. `owner` is the length of the
    /// pointer to the place around it.
    fn object(&mut self, place: &Pointer, kind: Kind, origin: &str, value: Value, owner: usize) {
        let followed = self.follow(kind, origin, value);
        let is_place = !matches!(kind, Kind::Document | Kind::Path);
        if is_place {
            let origin = followed.as_ref().map_or_else(String::new, |(origin, _)| origin.clone());
            let line = (self.line)(&origin);
            // Nothing is known of what can't be followed.
            let folded = followed.is_none();
            self.facts
                .map
                .insert(place.clone(), Fact { line, origin, folded, owner, ..Fact::default() });
        }
        let Some((origin, mut object)) = followed else { return };
        if kind == Kind::Operation {
            self.before = self.facts.map.len();
        }
        // A copied text that doesn't say what the content is: there may be some.
        let is_unstated = object.contains_key("x-unstated");
        // Within itself a schema is not described again.
        let is_cut = kind == Kind::Schema && !self.enter(place, &origin);
        self.rewrite(place, kind, &origin, &mut object);
        if is_cut {
            object.retain(|keyword, _| keyword == "type" || keyword == REQUIRED);
        }
        // A path is no place, and neither is the document.
        let owner = if is_place { place.0.len() } else { owner };
        for (keyword, member) in object {
            self.member(place, kind, &origin, &keyword, member, owner);
        }
        match kind {
            Kind::Schema if !is_cut => {
                self.list(place);
                self.above.pop();
            }
            // It may stand in the schema too, where it means the same.
            Kind::Parameter | Kind::Header => {
                self.hoist(&place.then(&["schema"]), place, "deprecated");
            }
            // That there is none is a fact too.
            Kind::Answer
                if !is_unstated
                    && !self.mark(place).folded
                    && self.facts.within(&place.then(&["content"])).next().is_none() =>
            {
                self.state(place, "content", json!({}), &origin, owner);
            }
            _ => {}
        }
    }

    /// Notes the schema around those within it, unless it is around itself or too deep.
    fn enter(&mut self, place: &Pointer, origin: &str) -> bool {
        let facts = self.facts.map.len();
        let problem = if self.above.iter().any(|above| above == origin) {
            None
        } else if facts > self.before + MOST_OF_OPERATION || facts > MOST {
            Some("more schemas within schemas than can be followed")
        } else if self.above.len() > DEEPEST {
            Some("schemas within schemas, too deep to be followed")
        } else {
            self.above.push(origin.to_owned());
            return true;
        };
        self.mark(place).folded = true;
        if let Some(problem) = problem {
            self.cannot_read(origin, problem);
        }
        false
    }

    fn member(
        &mut self,
        place: &Pointer,
        kind: Kind,
        origin: &str,
        keyword: &str,
        value: Value,
        owner: usize,
    ) {
        let at = format!("{origin}/{}", escape(keyword));
        match (keyword, held(kind, keyword), value) {
            ("x-folded", ..) => self.mark(place).folded = true,
            ("x-unlabelled", ..) => self.mark(place).unlabelled = true,
            (REQUIRED, _, flag) => self.state(place, "required", flag, &at, owner),
            (sentence, ..) if !is_compared(sentence) => {
                self.facts.not_compared.insert(sentence.to_owned());
            }
            (flag, _, Value::Bool(false)) if FLAGS.split(' ').any(|it| it == flag) => {}
            (_, None, value) => self.state(place, keyword, value, &at, owner),
            (_, Some((Held::One, inner)), value) => {
                self.object(&place.then(&[keyword]), inner, &at, value, owner);
            }
            (_, Some((Held::Many, inner)), Value::Object(all)) => {
                for (name, value) in all {
                    let origin = format!("{at}/{}", escape(&name));
                    self.object(&place.then(&[keyword, &name]), inner, &origin, value, owner);
                }
            }
            (list, Some((_, inner)), Value::Array(all)) if LISTS.iter().any(|it| it.0 == list) => {
                for (index, value) in all.into_iter().enumerate() {
                    let place = place.then(&[list, &index.to_string()]);
                    self.object(&place, inner, &format!("{at}/{index}"), value, owner);
                }
            }
            _ => self.cannot_read(&at, ANOTHER_KIND),
        }
    }

    /// Writes the members of an object in the one way in which they are compared.
    fn rewrite(&mut self, place: &Pointer, kind: Kind, origin: &str, object: &mut Object) {
        match kind {
            Kind::Document => {
                object.remove("security");
                if let Some(Value::Array(servers)) = object.get_mut("servers") {
                    let urls = servers.iter().filter_map(|server| server.get("url")?.as_str());
                    *servers = urls.map(|url| url.trim_end_matches('/').into()).collect();
                }
            }
            // Those of the path are read with the operation.
            Kind::Path => drop(object.remove("parameters")),
            Kind::Operation => {
                object.retain(|keyword, _| keyword != "security" && keyword != "parameters");
                let id = object.get("operationId").map(|id| ("operationId".to_owned(), id.clone()));
                let mut recorded = Object::from_iter(id);
                if let Some((words, names)) = self.security(origin) {
                    object.insert("security".to_owned(), words.into());
                    recorded.insert("security".to_owned(), names);
                }
                self.mark(place).recorded = recorded;
                object.insert("parameters".to_owned(), self.parameters(origin).into());
            }
            Kind::Parameter | Kind::Header => parameter(place.sent_in(), object),
            // An example of a whole body is prose.
            Kind::Media => {
                object.retain(|keyword, _| keyword != "example" && keyword != "examples");
            }
            Kind::Schema => self.schema(origin, object),
            _ => {}
        }
    }

    /// The security of the operation, by default that of the document, in words and with the names of the schemes. Nothing
    /// says that none is needed.
    fn security(&mut self, operation: &str) -> Option<(String, Value)> {
        let own = format!("{operation}/security");
        let origin = if self.root.pointer(&own).is_some() { own } else { "/security".to_owned() };
        let alternatives = self.array(&origin);
        for (name, _) in alternatives.iter().flat_map(|all| members(Some(all))) {
            let at = format!("#/components/securitySchemes/{}", escape(name));
            let (_, mut scheme) = self.follow(Kind::Scheme, &origin, json!({ "$ref": at }))?;
            scheme.retain(|keyword, _| is_compared(keyword));
            self.facts.schemes.insert(name.clone(), scheme.into());
        }
        Some((security_in_words(alternatives, &self.facts.schemes)?, alternatives.into()))
    }

    /// References to the parameters of an operation and of its path, under place and name. Those of the operation replace
    /// those of the path.
    fn parameters(&mut self, operation: &str) -> Object {
        let mut parameters = Object::new();
        let (path, _) = operation.rsplit_once('/').unwrap_or_default();
        for list in [format!("{path}/parameters"), format!("{operation}/parameters")] {
            for (index, value) in self.array(&list).iter().enumerate() {
                let at = format!("{list}/{index}");
                let Some((origin, parameter)) = self.follow(Kind::Parameter, &at, value.clone())
                else {
                    continue;
                };
                let word = |key: &str| parameter.get(key)?.as_str();
                match (word("in").and_then(|within| within.parse::<Within>().ok()), word("name")) {
                    (Some(within), Some(name)) => {
                        parameters.insert(
                            format!("{within} {name}"),
                            json!({ "$ref": format!("#{at}") }),
                        );
                    }
                    _ => self.cannot_read(&origin, "a parameter without `name` or `in`"),
                }
            }
        }
        parameters
    }

    fn schema(&mut self, origin: &str, object: &mut Object) {
        let kind = kind(object);
        object.remove("type");
        if kind != "any" || !object.contains_key("x-folded") {
            object.insert("type".to_owned(), kind.into());
        }
        // In a copied text the values run together.
        if let Some(values) = object.remove("x-enum") {
            object.insert("enum".to_owned(), values);
        }
        if let Some(mut discriminator) = object.remove("discriminator") {
            object.insert("discriminator".to_owned(), discriminator["propertyName"].take());
        }
        match object.get("additionalProperties") {
            Some(Value::Bool(open)) => {
                if !open {
                    object.insert(CLOSED.to_owned(), true.into());
                }
                object.remove("additionalProperties");
            }
            Some(Value::Object(any)) if !any.keys().any(|key| is_compared(key)) => {
                object.remove("additionalProperties");
            }
            _ => {}
        }
        // A property that is required and not described may be anything.
        let required = object.remove("required").unwrap_or_else(|| json!([]));
        let Value::Array(required) = required else {
            return self.cannot_read(&format!("{origin}/required"), ANOTHER_KIND);
        };
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        let Value::Object(properties) = properties else { return };
        for name in required.iter().filter_map(Value::as_str) {
            properties.entry(name).or_insert_with(|| json!({}));
        }
        for (name, property) in properties {
            if let Value::Object(property) = property {
                let is_required = required.iter().any(|other| other == name);
                property.insert(REQUIRED.to_owned(), is_required.into());
            }
        }
    }

    /// Writes the type of a list with that of its items, and the example of a scalar item as one of the list.
    fn list(&mut self, place: &Pointer) {
        if self.facts.kind(place) != Some("array") {
            return;
        }
        let items = place.then(&["items"]);
        let kind = self.facts.kind(&items).unwrap_or("any").to_owned();
        if SCALARS.contains(&&*kind) {
            self.hoist(&items, place, "example");
        }
        if let Some(fact) = self.facts.map.get_mut(&place.then(&["type"])) {
            fact.value = Some(format!("{kind}[]").into());
        }
    }

    /// Moves a keyword to a place further out, unless that states it, too.
    fn hoist(&mut self, from: &Pointer, to: &Pointer, keyword: &str) {
        if let Some(fact) = self.facts.map.remove(&from.then(&[keyword])) {
            let fact = Fact { owner: to.0.len(), ..fact };
            self.facts.map.entry(to.then(&[keyword])).or_insert(fact);
        }
    }

    fn state(&mut self, place: &Pointer, keyword: &str, value: Value, origin: &str, owner: usize) {
        let (value, line, origin) = (Some(value), (self.line)(origin), origin.to_owned());
        let fact = Fact { value, line, origin, owner, ..Fact::default() };
        self.facts.map.insert(place.then(&[keyword]), fact);
    }

    fn mark(&mut self, place: &Pointer) -> &mut Fact {
        self.facts.map.entry(place.clone()).or_default()
    }

    /// The list at a pointer of the document. Another value would otherwise read like an absent one.
    fn array(&mut self, origin: &str) -> &'a [Value] {
        match self.root.pointer(origin) {
            Some(Value::Array(all)) => return all,
            Some(_) => self.cannot_read(origin, ANOTHER_KIND),
            None => {}
        }
        &[]
    }

    /// The object that a value from `start` is, with references followed, and where it stands. Members beside a reference or
    /// around a single `allOf` replace those of the target.
    fn follow(&mut self, kind: Kind, start: &str, mut value: Value) -> Option<(String, Object)> {
        let mut origin = start.to_owned();
        let mut beside = Object::new();
        let mut seen = Vec::new();
        loop {
            let Value::Object(mut object) = value else {
                self.cannot_read(&origin, ANOTHER_KIND);
                return None;
            };
            object.extend(beside);
            if let Some(Value::String(target)) = object.get("$ref").cloned() {
                object.remove("$ref");
                let found = target.strip_prefix('#').and_then(|target| self.root.pointer(target));
                let problem = match found {
                    None => format!("it refers to `{target}`, which doesn't exist"),
                    Some(_) if seen.contains(&target) => {
                        format!("it refers to `{target}`, which refers to itself")
                    }
                    Some(found) => {
                        value = found.clone();
                        target[1..].clone_into(&mut origin);
                        seen.push(target);
                        beside = object;
                        continue;
                    }
                };
                self.cannot_read(start, &problem);
                return None;
            }
            if kind == Kind::Schema {
                as_3_0(&mut object);
            }
            let single =
                object.get("allOf").and_then(Value::as_array).is_some_and(|all| all.len() == 1);
            if !single || object.contains_key("properties") {
                return Some((origin, object));
            }
            value = object.remove("allOf").map_or(Value::Null, |mut all| all[0].take());
            origin += "/allOf/0";
            beside = object;
        }
    }

    fn cannot_read(&mut self, origin: &str, problem: &str) {
        let line = (self.line)(origin);
        let problem = Problem { line, what: format!("#{origin}: {problem}"), file: None };
        if !self.unreadable.contains(&problem) {
            self.unreadable.push(problem);
        }
    }
}

/// Removes what is the default anyway, and what the pointer says. An example may stand in the schema too, where it means
/// the same.
fn parameter(within: Option<Within>, object: &mut Object) {
    let required = object.remove("required") == Some(Value::Bool(true));
    let form = matches!(within, Some(Within::Query | Within::Cookie));
    let style =
        object.get("style").and_then(Value::as_str).unwrap_or(if form { "form" } else { "simple" });
    let defaults = [
        ("style", if form { "form" } else { "simple" }.into()),
        ("explode", Value::from(style == "form")),
    ];
    object.retain(|keyword, value| {
        !["name", "in"].contains(&&**keyword) && !defaults.contains(&(keyword, value.clone()))
    });
    object.insert(REQUIRED.to_owned(), required.into());
    let examples = object.remove("examples");
    let first = || examples?.as_object()?.values().next()?.get("value").cloned();
    let example = object.remove("example").or_else(first);
    if let (Some(example), Some(Value::Object(schema))) = (example, object.get_mut("schema")) {
        schema.insert("example".to_owned(), example);
    }
}

/// The alternatives of security in words, such as `bearer or none`; `None` if nothing is needed.
pub fn security_in_words(alternatives: &[Value], schemes: &Object) -> Option<String> {
    let scheme = |(name, scopes): (&String, &Value)| {
        let scopes: Vec<String> = scopes.as_array().into_iter().flatten().map(plain).collect();
        let words = schemes.get(name).map(scheme_in_words).unwrap_or_default();
        if scopes.is_empty() { words } else { format!("{words} ({})", scopes.join(", ")) }
    };
    let alternatives = alternatives.iter().map(|all| {
        let schemes: Vec<String> = members(Some(all)).map(scheme).collect();
        if schemes.is_empty() { "none".to_owned() } else { schemes.join(" and ") }
    });
    let words = alternatives.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" or ");
    Some(words).filter(|words| !words.is_empty() && words != "none")
}

/// A security scheme in words: `bearer`, `header x-api-key`.
fn scheme_in_words(scheme: &Value) -> String {
    let word = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    match (word("type"), word("in")) {
        ("http", _) => word("scheme").to_lowercase(),
        ("apiKey", "header") => format!("header {}", word("name").to_lowercase()),
        ("apiKey", within) => format!("{within} {}", word("name")),
        (other, _) => {
            let rest = members(Some(scheme)).filter(|(key, _)| *key != "type" && is_compared(key));
            rest.fold(other.to_owned(), |text, (key, value)| format!("{text} {key} {value}"))
        }
    }
}

/// The type of a schema. If it isn't stated, it follows from what is.
fn kind(schema: &Object) -> String {
    let stated = match schema.get("type") {
        Some(Value::Array(kinds)) => Some(kinds.iter().map(plain).collect::<Vec<_>>().join(" or ")),
        other => other.map(plain),
    };
    let lists = LISTS.iter().filter(|(list, _)| schema.contains_key(*list));
    let words: Vec<String> =
        stated.into_iter().chain(lists.map(|(_, word)| (*word).to_owned())).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let kind = match schema.get("enum").and_then(|values| values.get(0)) {
        _ if schema.contains_key("properties") => "object",
        _ if schema.contains_key("items") => "array",
        Some(Value::String(_)) => "string",
        Some(Value::Number(number)) if number.is_f64() => "number",
        Some(Value::Number(_)) => "integer",
        Some(Value::Bool(_)) => "boolean",
        _ => "any",
    };
    kind.to_owned()
}

/// A value as a page prints it: without quotes, commas and brackets.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.to_string(),
    }
}
