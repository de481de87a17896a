//! Renders a spec like a vendor's page in either shape, to test the readers.

use serde_json::{Value, json};
use std::fmt::Write;
use strum::IntoEnumIterator;
use xtask::document::{Facts, Kind, Pointer, Within, plain};

/// Variations between pages.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is taken or not, in any combination")]
pub(crate) struct Variations {
    /// Icon words stand before titles and statuses.
    pub(crate) icons: bool,
    /// Older pages: `required` in lower case, `| nullable`, escaped brackets.
    pub(crate) old: bool,
    /// The method is joined with the path.
    pub(crate) joined: bool,
    /// Examples stand in the row.
    pub(crate) inline: bool,
    pub(crate) crlf: bool,
    pub(crate) byte_order_mark: bool,
}

/// The text that a copy of the rendered page gives. Objects are folded.
pub(crate) fn text(facts: &Facts, variations: Variations) -> String {
    let mut page = "API\n\nSome prose about the API.\n\n".to_owned();
    for operation in facts.operations() {
        Text { facts, variations, page: &mut page }.operation(operation);
    }
    page.push_str("Last updated\n\nWas this helpful?");
    finish(page, variations)
}

fn finish(mut page: String, variations: Variations) -> String {
    if variations.crlf {
        page = page.replace('\n', "\r\n");
    }
    if variations.byte_order_mark {
        page.insert(0, '\u{feff}');
    }
    page
}

struct Text<'a> {
    facts: &'a Facts,
    variations: Variations,
    page: &'a mut String,
}

impl Text<'_> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.page, "{line}");
    }

    fn operation(&mut self, place: &Pointer) {
        let (method, path) = place.method_and_path().expect("an operation");
        let method = method.to_lowercase();
        if self.facts.is(place, "deprecated") {
            self.line("Deprecated");
        }
        self.line("Do something\n");
        self.line(&format!("{method}\n\nIt does something.\n"));
        if let Some(security) = self.facts.value(place, "security") {
            assert_eq!(security, "bearer", "no other is rendered");
            self.line("Authorizations\nAuthorizationstringRequired");
            self.line("Bearer authentication header of the form Bearer <token>.");
        }
        for within in Within::iter() {
            let label = match within {
                Within::Path => "Path parameters",
                Within::Query => "Query parameters",
                Within::Header => "Header parameters",
                Within::Cookie => "cookie",
            };
            let parameters = self.facts.parameters(place);
            let parameters: Vec<_> = parameters.filter(|it| it.sent_in() == Some(within)).collect();
            if !parameters.is_empty() {
                self.line(label);
            }
            for parameter in parameters {
                self.row(parameter);
            }
        }
        let body = place.then(&["requestBody"]);
        if self.facts.has(&body) {
            self.line(if self.variations.icons { "hashtagBody" } else { "Body" });
            self.content(&body);
        }
        self.line("Responses");
        for answer in self.facts.children(place).filter(|inner| inner.kind() == Kind::Answer) {
            let icon = if self.variations.icons { "chevron-right" } else { "" };
            let status = answer.last().expect("a status").name.into_owned();
            self.line(&format!("{icon}{status}\n\nIt went well.\n"));
            match self.facts.children(answer).find(|inner| inner.kind() == Kind::Media) {
                Some(media) => {
                    self.line(&media.last().expect("a media type").name);
                    self.content(answer);
                }
                None => self.line("No content\n"),
            }
        }
        let between = if self.variations.joined { "" } else { "\n" };
        self.line(&format!("{method}{between}{path}\n"));
    }

    fn content(&mut self, owner: &Pointer) {
        let schema = self.facts.below(owner).find(|inner| inner.holder() == "schema");
        for inner in schema.into_iter().flat_map(|schema| self.facts.children(schema)) {
            if matches!(&*inner.holder(), "properties" | "additionalProperties") {
                self.row(inner);
            }
        }
    }

    fn row(&mut self, place: &Pointer) {
        let name = place.name().unwrap_or_else(|| "Other properties".to_owned());
        let schema = place.then(&["schema"]);
        let schema = if self.facts.has(&schema) { &schema } else { place };
        let mut item = schema.clone();
        while self.facts.has(&item.then(&["items"])) {
            item = item.then(&["items"]);
        }
        let facts = self.facts;
        let stated =
            |keyword: &str| facts.value(schema, keyword).or_else(|| facts.value(place, keyword));
        let of_item = |keyword: &str| facts.value(&item, keyword);
        let flag = |keyword| stated(keyword) == Some(&Value::Bool(true));
        let old = self.variations.old;
        let mut row = format!("{name}{}", facts.kind(schema).expect("a type"));
        if old {
            row = row.replace("[]", "\\[]").replace('_', "\\_");
        }
        if let Some(format) = of_item("format") {
            let _ = write!(row, " · {}", plain(format));
        }
        if of_item("enum").is_some() {
            row += " · enum";
        }
        for (keywords, word) in [
            (["minProperties", "minItems", "minLength", "minimum"], "min"),
            (["maxProperties", "maxItems", "maxLength", "maximum"], "max"),
        ] {
            let limit = keywords
                .into_iter()
                .find_map(|keyword| stated(keyword).or_else(|| of_item(keyword)));
            if let Some(limit) = limit {
                let _ = write!(row, " · {word}: {}", plain(limit));
            }
        }
        if flag("nullable") {
            row += if old { " | nullable" } else { " · nullable" };
        }
        for (keyword, word) in [("readOnly", "Read-only"), ("writeOnly", "Write-only")] {
            if flag(keyword) {
                row += word;
            }
        }
        row += match (flag("required"), old) {
            (true, false) => "Required",
            (false, false) => "Optional",
            (true, true) => "required",
            (false, true) => "optional",
        };
        if flag("deprecated") {
            row += "Deprecated";
        }
        let example = stated("example").map(|example| format!("Example: {}", plain(example)));
        let values = of_item("enum").map(|values| format!("Possible values: {}", plain(values)));
        if self.variations.inline {
            row += &[&example, &values].into_iter().flatten().cloned().collect::<String>();
        }
        self.line(&row);
        let alternatives = facts.children(schema).filter(|inner| inner.0.contains("Of/")).count();
        if alternatives > 0 && facts.kind(schema).is_some_and(|kind| kind.ends_with(" of")) {
            self.line("\nOne of several.\n");
            for _ in 1..alternatives {
                self.line("or");
            }
        }
        if !self.variations.inline {
            self.line("\nWhat it is.\n");
            for below in [example, values].into_iter().flatten() {
                self.line(&below);
            }
        }
        if let Some(value) = stated("default") {
            self.line(&format!("Default: {}", plain(value)));
        }
        if let Some(value) = of_item("pattern") {
            self.line(&format!("Pattern: {}", plain(value)));
        }
    }
}

/// The Markdown of the page: a fence for each operation of the document.
pub(crate) fn markdown(document: &Value, variations: Variations) -> String {
    let mut page = "> For the index, see [llms.txt](/llms.txt).\n\n# API\n\nProse.\n\n".to_owned();
    for (path, item) in document["paths"].as_object().expect("an object") {
        for (method, operation) in item.as_object().expect("an object") {
            let mut fence = json!({ "paths": { path: { method: operation } } });
            for key in ["openapi", "info", "servers", "security", "components"] {
                if let Some(value) = document.get(key) {
                    fence[key] = value.clone();
                }
            }
            let ticks = if variations.joined { "````" } else { "```" };
            let quote = if variations.old { ">" } else { "> It does something.<br>" };
            let _ = write!(page, "## Do something\n\n{quote}\n\n{ticks}json\n{fence}\n{ticks}\n\n");
        }
    }
    page.push_str(
        "---\n\n# Agent Instructions\n\n```\nGET https://docs.example/api.md?ask=why\n```\n",
    );
    finish(page, variations)
}
