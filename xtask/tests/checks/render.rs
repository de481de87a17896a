//! Renders facts like a vendor's page in either shape, to test the readers.

use serde_json::{Value, json};
use std::fmt::Write;
use strum::IntoEnumIterator;
use xtask::contract::{Aspect, Facts, Place, Step, Within, plain};

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

    fn operation(&mut self, place: &Place) {
        let Some(Step::Operation { path, method }) = place.last() else { return };
        let method = method.to_lowercase();
        self.line("Do something\n");
        self.line(&format!("{method}\n\nIt does something.\n"));
        if let Some(security) = self.facts.value(place, Aspect::Security).and_then(Value::as_str) {
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
            let parameters: Vec<&Place> = self
                .facts
                .children(place)
                .filter(|inner| {
                    matches!(inner.last(), Some(Step::Parameter { within: own, .. }) if *own == within)
                })
                .collect();
            if !parameters.is_empty() {
                self.line(label);
            }
            for parameter in parameters {
                self.row(parameter);
            }
        }
        let body = place.then(Step::Body);
        if self.facts.get(&body).is_some() {
            self.line(if self.variations.icons { "hashtagBody" } else { "Body" });
            self.content(&body);
        }
        self.line("Responses");
        for answer in self.facts.children(place) {
            let Some(Step::Answer(status)) = answer.last() else { continue };
            let icon = if self.variations.icons { "chevron-right" } else { "" };
            self.line(&format!("{icon}{status}\n\nIt went well.\n"));
            match self.facts.value(answer, Aspect::Content) {
                Some(Value::Array(media)) if !media.is_empty() => {
                    self.line(&plain(&media[0]));
                    self.content(answer);
                }
                _ => self.line("No content\n"),
            }
        }
        let between = if self.variations.joined { "" } else { "\n" };
        self.line(&format!("{method}{between}{path}\n"));
    }

    fn content(&mut self, place: &Place) {
        for inner in self.facts.children(place) {
            if matches!(inner.last(), Some(Step::Property(_) | Step::Values)) {
                self.row(inner);
            }
        }
    }

    fn row(&mut self, place: &Place) {
        let name = match place.last() {
            Some(Step::Property(name) | Step::Parameter { name, .. }) => name,
            _ => "Other properties",
        };
        let Some(subject) = self.facts.get(place) else { return };
        let stated = |aspect| subject.stated.get(&aspect).map(|stated| &stated.value);
        let flag = |aspect| stated(aspect) == Some(&Value::Bool(true));
        let old = self.variations.old;
        let mut row = format!("{name}{}", stated(Aspect::Type).map_or_else(String::new, plain));
        if old {
            row = row.replace("[]", "\\[]").replace('_', "\\_");
        }
        if let Some(format) = stated(Aspect::Format) {
            let _ = write!(row, " · {}", plain(format));
        }
        if stated(Aspect::Enum).is_some() {
            row += " · enum";
        }
        for (aspects, word) in [
            ([Aspect::MinProperties, Aspect::MinItems, Aspect::MinLength, Aspect::Minimum], "min"),
            ([Aspect::MaxProperties, Aspect::MaxItems, Aspect::MaxLength, Aspect::Maximum], "max"),
        ] {
            if let Some(limit) = aspects.into_iter().find_map(stated) {
                let _ = write!(row, " · {word}: {}", plain(limit));
            }
        }
        if flag(Aspect::Nullable) {
            row += if old { " | nullable" } else { " · nullable" };
        }
        for (aspect, word) in [(Aspect::ReadOnly, "Read-only"), (Aspect::WriteOnly, "Write-only")] {
            if flag(aspect) {
                row += word;
            }
        }
        row += match (flag(Aspect::Required), old) {
            (true, false) => "Required",
            (false, false) => "Optional",
            (true, true) => "required",
            (false, true) => "optional",
        };
        if flag(Aspect::Deprecated) {
            row += "Deprecated";
        }
        let example = stated(Aspect::Example).map(|example| format!("Example: {}", plain(example)));
        let values =
            stated(Aspect::Enum).map(|values| format!("Possible values: {}", plain(values)));
        if self.variations.inline {
            row += &[&example, &values].into_iter().flatten().cloned().collect::<String>();
        }
        self.line(&row);
        if let Some(Value::Number(count)) = stated(Aspect::Alternatives) {
            let alternatives = count.as_u64().unwrap_or(0);
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
        for (aspect, word) in [(Aspect::Default, "Default"), (Aspect::Pattern, "Pattern")] {
            if let Some(value) = stated(aspect) {
                self.line(&format!("{word}: {}", plain(value)));
            }
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
