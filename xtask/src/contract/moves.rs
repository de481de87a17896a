//! Pairs what only the spec has with what only the page has: the same thing under another name or in another place.

use super::{Aspect, Facts, Place, Step, Within, plain};
use crate::page::Page;
use std::collections::BTreeSet;

/// The pairs. Operations and properties get their old place on the page, so that all within them is compared; a
/// parameter stays where the page has it.
pub(super) fn find(spec: &Facts, page: &mut Page) -> Vec<(Place, Place)> {
    let mut moved = operations(spec, page);
    moved.extend(properties(spec, page));
    moved.extend(parameters(spec, page));
    moved
}

/// Pairs each place with the one of the highest rank; 0 is none.
fn pair(
    gone: &[Place],
    mut new: Vec<Place>,
    rank: impl Fn(&Place, &Place) -> usize,
) -> Vec<(Place, Place)> {
    let mut pairs = Vec::new();
    for place in gone {
        let ranks = new.iter().map(|to| rank(place, to)).zip((0..new.len()).rev());
        if let Some((_, from_end)) = ranks.filter(|(rank, _)| *rank > 0).max() {
            let best = new.len() - 1 - from_end;
            pairs.push((place.clone(), new.remove(best)));
        }
    }
    pairs
}

/// What only one of them has.
fn only<'a>(
    own: impl Iterator<Item = &'a Place>,
    other: &Facts,
    kind: fn(&Step) -> bool,
) -> Vec<Place> {
    let own = own.filter(|place| place.last().is_some_and(kind) && other.get(place).is_none());
    own.cloned().collect()
}

fn operations(spec: &Facts, page: &mut Page) -> Vec<(Place, Place)> {
    let is_operation = |step: &Step| matches!(step, Step::Operation { .. });
    let gone = only(spec.operations(), &page.facts, is_operation);
    let new = only(page.facts.operations(), spec, is_operation);
    let pairs = pair(&gone, new, same_operation);
    for (place, to) in &pairs {
        page.facts.relocate(to, place);
    }
    pairs
}

/// How likely two operations are the same: another method, another version, or another part before the path.
fn same_operation(gone: &Place, new: &Place) -> usize {
    let (
        Some(Step::Operation { path, method }),
        Some(Step::Operation { path: new_path, method: new_method }),
    ) = (gone.last(), new.last())
    else {
        return 0;
    };
    if path == new_path {
        return 3;
    }
    let prefixed =
        |long: &str, short: &str| short.matches('/').count() > 1 && long.ends_with(short);
    let mut differing = path.split('/').zip(new_path.split('/')).filter(|(old, new)| old != new);
    let alike = match (differing.next(), differing.next()) {
        (Some((old, new)), None) if path.matches('/').count() == new_path.matches('/').count() => {
            let fixed = !old.contains('{') && !new.contains('{');
            fixed && (is_version(old, new) || similar(old, new))
        }
        _ => false,
    };
    let same = alike || prefixed(path, new_path) || prefixed(new_path, path);
    usize::from(method == new_method && same) * 2
}

fn is_version(one: &str, other: &str) -> bool {
    [one, other].iter().all(|part| {
        part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Whether two names differ in spelling only, or one is a part of the other.
fn similar(one: &str, other: &str) -> bool {
    let bare = |name: &str| name.replace(|c: char| !c.is_alphanumeric(), "").to_lowercase();
    let (one, other) = (bare(one), bare(other));
    one.len().min(other.len()) > 1 && (one.contains(&other) || other.contains(&one))
}

/// Renamed properties: the same type at the same place.
fn properties(spec: &Facts, page: &mut Page) -> Vec<(Place, Place)> {
    let is_property = |step: &Step| matches!(step, Step::Property(_));
    let owners: BTreeSet<Place> = only(spec.subjects.keys(), &page.facts, is_property)
        .iter()
        // The generated types have the names of the spec.
        .filter(|place| matches!(place.0.first(), Some(Step::Operation { .. })))
        .filter(|place| page.denies_place(spec, place))
        .map(Place::parent)
        .collect();
    let mut moved = Vec::new();
    for owner in owners {
        let gone = only(spec.children(&owner), &page.facts, is_property);
        let new = only(page.facts.children(&owner), spec, is_property);
        let kind = |facts: &Facts, place: &Place| {
            [Aspect::Type, Aspect::Format].map(|aspect| facts.value(place, aspect).cloned())
        };
        let facts = &page.facts;
        let pairs = pair(&gone, new.clone(), |place, to| {
            let same = kind(spec, place);
            if same != kind(facts, to) {
                return 0;
            }
            let alone = gone.iter().filter(|other| kind(spec, other) == same).count() == 1
                && new.iter().filter(|other| kind(facts, other) == same).count() == 1;
            let example = spec.value(place, Aspect::Example).map(plain);
            let (Some(Step::Property(name)), Some(Step::Property(new))) = (place.last(), to.last())
            else {
                return 0;
            };
            if similar(name, new) {
                3
            } else if example.is_some() && example == facts.value(to, Aspect::Example).map(plain) {
                2
            } else {
                usize::from(alone)
            }
        });
        for (place, to) in &pairs {
            page.facts.relocate(to, place);
        }
        moved.extend(pairs);
    }
    moved
}

/// Parameters that are sent in another place or under another name.
fn parameters(spec: &Facts, page: &Page) -> Vec<(Place, Place)> {
    let page = &page.facts;
    let mut moved = Vec::new();
    let is_parameter = |step: &Step| matches!(step, Step::Parameter { .. });
    for operation in spec.operations().filter(|operation| page.get(operation).is_some()) {
        let gone = only(spec.children(operation), page, is_parameter);
        let new = only(page.children(operation), spec, is_parameter);
        let alone = gone.len() == 1 && new.len() == 1;
        moved.extend(pair(&gone, new, |place, to| same_parameter(spec, page, place, to, alone)));
    }
    moved
}

/// How likely `to` on the page is the parameter at `place` in the spec. `alone`: there are no others.
fn same_parameter(spec: &Facts, page: &Facts, place: &Place, to: &Place, alone: bool) -> usize {
    let (
        Some(Step::Parameter { within, name }),
        Some(Step::Parameter { within: new, name: new_name }),
    ) = (place.last(), to.last())
    else {
        return 0;
    };
    let in_path = *within == Within::Path;
    let example = spec.value(place, Aspect::Example).map(plain);
    if name.eq_ignore_ascii_case(new_name) {
        4
    } else if example.is_some() && example == page.value(to, Aspect::Example).map(plain) {
        3
    } else if in_path && within == new {
        2
    } else {
        usize::from(alone && !in_path)
    }
}
