//! The pass that refuses what the generator doesn't take: whatever is not in the table of `subset.md`.
//!
//! A row is about keywords in one kind of object. Those with `!` are required, and `?` stands for any character. The
//! value is `anything`, a `text`, `texts`, a `flag`, a literal in backticks, or an object, or a `$ref` to one: of the
//! first of the kinds named whose first keyword it has. A name like `schema` stands for each kind that begins with
//! `schema:`, and has rows for all of them; `with` adds the rows of another kind.

use super::Refusal;
use super::node::Node;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) const SUBSET: &str = include_str!("subset.md");

const REMEDY: &str = "leave it out if requests and answers are right without it; the table in \
                      datafy-api/README.md has what is supported";

#[derive(Clone, Copy)]
struct Row {
    kind: &'static str,
    keywords: &'static str,
    value: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    SUBSET.lines().skip(2).map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let mut cell = || cells.next().unwrap_or_default();
        Row { kind: cell(), keywords: cell(), value: cell() }
    })
}

fn group(kind: &'static str) -> &'static str {
    kind.split(':').next().unwrap_or_default()
}

impl Row {
    fn has(&self, keyword: &str) -> bool {
        let same = |(own, other): (u8, u8)| own == other || own == b'?';
        let is_it =
            |own: &str| own.len() == keyword.len() && own.bytes().zip(keyword.bytes()).all(same);
        self.keywords.split(' ').any(|own| is_it(own.trim_end_matches('!')))
    }
}

/// Refuses what the table doesn't have, and each `$ref` that leads nowhere.
pub(crate) fn check(document: &Node<'_>) -> Result<(), Refusal> {
    Check::default().value(document, "document")
}

#[derive(Default)]
struct Check {
    /// What `$ref`s lead to, each with the kinds that it was checked for: a type may contain itself in a list.
    followed: BTreeSet<(String, &'static str)>,
}

impl Check {
    /// Checks what has the given value in the table.
    fn value(&mut self, node: &Node<'_>, value: &'static str) -> Result<(), Refusal> {
        if let Some((many, one)) = value.split_once(" of ") {
            if !node.value.is_array() && many == "list" || !node.value.is_object() && many == "map"
            {
                return node.refuse(format!("this must be a {many}"), REMEDY);
            }
            // The name of a path can be an extension, that of a property only looks like one.
            let is_extension = |name: &str| one == "path" && name.starts_with("x-");
            let mut all = node.inside().into_iter().filter(|(name, _)| !is_extension(name));
            return all.try_for_each(|(_, inner)| self.value(&inner, one));
        }
        let is = |one: &str| match (one, node.value) {
            ("anything", _) | ("text", Value::String(_)) | ("flag", Value::Bool(_)) => true,
            ("texts", Value::Array(items)) => items.iter().all(Value::is_string),
            _ => one.starts_with('`') && one == node.literal(),
        };
        match node.value {
            _ if value.split(", ").any(is) => Ok(()),
            Value::Object(_) if node.target().is_some() => self.reference(node, value),
            Value::Object(_) => self.object(node, value),
            _ => node.refuse(format!("this must be: {value}"), "change it, or put it in quotes"),
        }
    }

    fn reference(&mut self, node: &Node<'_>, value: &'static str) -> Result<(), Refusal> {
        self.object(node, "reference")?;
        let target = node.target().unwrap_or_default();
        let is_component = target.starts_with("#/components/") && target.split('/').count() == 4;
        let problem = match node.follow().filter(|_| is_component) {
            Some(next) if leads_back(&next, &mut Vec::new()) => "leads back to itself",
            Some(next) if self.followed.insert((next.pointer.clone(), value)) => {
                return self.value(&next, value);
            }
            Some(_) => return Ok(()),
            None => "leads nowhere",
        };
        node.refuse(format!("`{target}` {problem}"), "name a component of this document")
    }

    /// Checks an object, which is of one of the kinds that `value` names.
    fn object(&mut self, node: &Node<'_>, value: &'static str) -> Result<(), Refusal> {
        let (named, extra) = value.split_once(" with ").unwrap_or((value, ""));
        let kinds: Vec<_> = named.split(", ").flat_map(members).collect();
        let fits = |kind: &&str| {
            let Some(row) = rows().find(|row| row.kind == *kind) else { return false };
            let mark = row.keywords.split(' ').next().unwrap_or_default();
            match node.get(mark.trim_end_matches('!')) {
                Some(own) if row.value.starts_with('`') => own.literal() == row.value,
                Some(_) => row.value != "nothing",
                None => !mark.ends_with('!') || kinds.len() == 1,
            }
        };
        let Some(kind) = kinds.iter().find(|kind| fits(kind)) else {
            return node.refuse(format!("this is none of: {}", kinds.join(", ")), REMEDY);
        };
        let own = || rows().filter(|row| [*kind, group(kind), extra].contains(&row.kind));
        for (keyword, inner) in node.inside() {
            match own().find(|row| row.has(&keyword)) {
                Some(row) => self.value(&inner, row.value)?,
                None if keyword.starts_with("x-") => {}
                None => {
                    let problem = format!("`{keyword}` is not supported here: {kind}");
                    return inner.refuse(problem, REMEDY);
                }
            }
        }
        let mut required = own().flat_map(|row| row.keywords.split(' '));
        let missing = required.find_map(|keyword| {
            keyword.strip_suffix('!').filter(|keyword| node.get(keyword).is_none())
        });
        match missing {
            Some(keyword) => node.refuse(format!("there is no `{keyword}` here: {kind}"), "add it"),
            None => Ok(()),
        }
    }
}

/// The kinds that a name stands for.
fn members(name: &'static str) -> Vec<&'static str> {
    let is_member = |kind: &&str| kind.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
    let mut kinds: Vec<_> = rows().map(|row| row.kind).filter(is_member).collect();
    kinds.dedup();
    if kinds.is_empty() { vec![name] } else { kinds }
}

/// Whether a type contains itself: whether `$ref`, `oneOf` and `allOf` lead from `node` to what is `above` it.
fn leads_back(node: &Node<'_>, above: &mut Vec<String>) -> bool {
    if above.contains(&node.pointer) {
        return true;
    }
    above.push(node.pointer.clone());
    let mut next: Vec<_> = node.follow().into_iter().collect();
    next.extend(
        [node.each("oneOf"), node.each("allOf")].concat().into_iter().map(|(_, part)| part),
    );
    let found = next.iter().any(|next| leads_back(next, above));
    above.pop();
    found
}
