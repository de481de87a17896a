//! Pairs what only the spec has with what only the page has: the same thing under another name or in another place.

use super::{Facts, Pointer, Silence, Within, align, plain};
use std::collections::{BTreeMap, BTreeSet};

/// The pairs. Operations and properties get their old place on the page, so that all within them is compared; a
/// parameter stays where the page has it.
pub(super) fn find(
    spec: &Facts,
    page: &mut Facts,
    silence: Silence<'_>,
) -> BTreeMap<Pointer, Pointer> {
    let mut moved = operations(spec, page);
    moved.extend(properties(spec, page, silence));
    moved.extend(parameters(spec, page));
    moved.into_iter().collect()
}

/// Pairs each place with the one of the highest rank; 0 is none.
fn pair(
    gone: &[Pointer],
    mut new: Vec<Pointer>,
    rank: impl Fn(&Pointer, &Pointer) -> usize,
) -> Vec<(Pointer, Pointer)> {
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
fn only<'a>(own: impl Iterator<Item = &'a Pointer>, other: &Facts) -> Vec<Pointer> {
    own.filter(|place| !other.has(place)).cloned().collect()
}

fn operations(spec: &Facts, page: &mut Facts) -> Vec<(Pointer, Pointer)> {
    let gone = only(spec.operations(), page);
    let new = only(page.operations(), spec);
    let pairs = pair(&gone, new, same_operation);
    for (place, to) in &pairs {
        page.relocate(to, place);
    }
    align::media(spec, page);
    pairs
}

/// How likely two operations are the same: another method, another version, or another part before the path.
fn same_operation(gone: &Pointer, new: &Pointer) -> usize {
    let (Some((method, path)), Some((new_method, new_path))) =
        (gone.method_and_path(), new.method_and_path())
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
    let same = alike || prefixed(&path, &new_path) || prefixed(&new_path, &path);
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
fn properties(spec: &Facts, page: &mut Facts, silence: Silence<'_>) -> Vec<(Pointer, Pointer)> {
    let is_property = |place: &&Pointer| place.is_property();
    let missing = spec.map.iter().filter(|(place, fact)| fact.value.is_none() && !page.has(place));
    let missing = missing.map(|(place, _)| place).filter(is_property);
    let owners: BTreeSet<Pointer> = missing
        // The generated types have the names of the spec.
        .filter(|place| {
            place.root().is_some() && page.has(&place.parent()) && !silence(page, place)
        })
        .map(Pointer::parent)
        .collect();
    let mut moved = Vec::new();
    for owner in owners {
        let gone = only(spec.children(&owner).filter(is_property), page);
        let new = only(page.children(&owner).filter(is_property), spec);
        let kind = |facts: &Facts, place: &Pointer| {
            (facts.kind(place), facts.value(place, "format").cloned())
        };
        let facts = &*page;
        let pairs = pair(&gone, new.clone(), |place, to| {
            let same = kind(spec, place);
            if same != kind(facts, to) {
                return 0;
            }
            let alone = gone.iter().filter(|other| kind(spec, other) == same).count() == 1
                && new.iter().filter(|other| kind(facts, other) == same).count() == 1;
            let example = spec.value(place, "example").map(plain);
            let (Some(name), Some(new)) = (place.name(), to.name()) else { return 0 };
            if similar(&name, &new) {
                3
            } else if example.is_some() && example == facts.value(to, "example").map(plain) {
                2
            } else {
                usize::from(alone)
            }
        });
        for (place, to) in &pairs {
            page.relocate(to, place);
        }
        moved.extend(pairs);
    }
    moved
}

/// Parameters that are sent in another place or under another name.
fn parameters(spec: &Facts, page: &Facts) -> Vec<(Pointer, Pointer)> {
    let mut moved = Vec::new();
    for operation in spec.operations().filter(|operation| page.has(operation)) {
        let gone = only(spec.parameters(operation), page);
        let new = only(page.parameters(operation), spec);
        let alone = gone.len() == 1 && new.len() == 1;
        moved.extend(pair(&gone, new, |place, to| same_parameter(spec, page, place, to, alone)));
    }
    moved
}

/// How likely `to` on the page is the parameter at `place` in the spec. `alone`: there are no others.
fn same_parameter(spec: &Facts, page: &Facts, place: &Pointer, to: &Pointer, alone: bool) -> usize {
    let (Some(name), Some(new_name)) = (place.name(), to.name()) else { return 0 };
    let in_path = place.sent_in() == Some(Within::Path);
    let example = spec.value(&place.then(&["schema"]), "example").map(plain);
    if name.eq_ignore_ascii_case(&new_name) {
        4
    } else if example.is_some()
        && example == page.value(&to.then(&["schema"]), "example").map(plain)
    {
        3
    } else if in_path && place.sent_in() == to.sent_in() {
        2
    } else {
        usize::from(alone && !in_path)
    }
}
