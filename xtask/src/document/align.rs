//! Gives the places of a page the names and numbers of the same places in the spec, where these mean nothing.

use super::{Facts, Kind, Pointer, Within, without_names};
use std::collections::{BTreeMap, BTreeSet};

/// Aligns the page with the spec.
pub fn align(spec: &Facts, page: &mut Facts) {
    // Operations whose paths differ only in the names of parameters are the same.
    let key = |place: &Pointer| without_names(&place.to_string());
    let missing = spec.operations().filter(|place| !page.has(place));
    let mut missing: BTreeMap<String, Pointer> =
        missing.map(|place| (key(place), place.clone())).collect();
    let unknown: Vec<Pointer> =
        page.operations().filter(|place| !spec.has(place)).cloned().collect();
    for place in unknown {
        if let Some(own) = missing.remove(&key(&place)) {
            page.relocate(&place, &own);
        }
    }
    headers(spec, page);
    media(spec, page);
    let first = |place: &Pointer| {
        ["/oneOf/0", "/anyOf/0", "/allOf/0"].iter().any(|end| place.0.ends_with(end))
    };
    let first = page.map.iter().filter(|(place, fact)| fact.value.is_none() && first(place));
    for first in first.map(|(place, _)| place.clone()).collect::<Vec<_>>() {
        reorder(spec, page, &first.parent(), &first.holder());
    }
}

/// A copied text doesn't show the media type of a request body.
pub(super) fn media(spec: &Facts, page: &mut Facts) {
    const ANY: &str = "/requestBody/content/*~1*";
    let unknown: Vec<Pointer> =
        page.map.keys().filter(|place| place.0.ends_with(ANY)).cloned().collect();
    for place in unknown {
        if let Some(own) = spec.children(&place.parent()).find(|own| own.kind() == Kind::Media) {
            page.relocate(&place, own);
        }
    }
}

/// The names of headers are case-insensitive.
fn headers(spec: &Facts, page: &mut Facts) {
    let named = |place: &Pointer| {
        let is_header = place.kind() == Kind::Header || place.sent_in() == Some(Within::Header);
        Some((place.parent(), place.name().filter(|_| is_header)?.to_lowercase()))
    };
    let only = |own: &Facts, other: &Facts| -> Vec<Pointer> {
        let places =
            own.map.iter().filter(|(place, fact)| fact.value.is_none() && !other.has(place));
        places.map(|(place, _)| place.clone()).collect()
    };
    let missing = only(spec, page);
    let missing: BTreeMap<_, _> =
        missing.iter().filter_map(|place| Some((named(place)?, place))).collect();
    for place in only(page, spec) {
        if let Some(own) = named(&place).and_then(|name| missing.get(&name)) {
            page.relocate(&place, own);
        }
    }
}

/// Numbers the alternatives of the page like those of the spec with the same properties.
fn reorder(spec: &Facts, page: &mut Facts, owner: &Pointer, list: &str) {
    let alternatives = |facts: &Facts| -> Vec<(Pointer, BTreeSet<Pointer>)> {
        let places = (0..)
            .map(|index| owner.then(&[list, &index.to_string()]))
            .take_while(|place| facts.has(place));
        places
            .map(|place| {
                let names = facts.children(&place).filter(|inner| inner.is_property());
                let names = names.map(|inner| inner.moved(&place, &Pointer::default())).collect();
                (place, names)
            })
            .collect()
    };
    for (to, wanted) in alternatives(spec).iter().filter(|(_, wanted)| !wanted.is_empty()) {
        let shown = alternatives(page);
        let here = shown.iter().find(|(inner, _)| inner == to);
        let there = shown.iter().find(|(_, names)| names == wanted);
        if let (Some((_, names)), Some((from, _))) = (here, there)
            && names != wanted
        {
            let aside = owner.then(&[list, "aside"]);
            page.relocate(to, &aside);
            page.relocate(from, to);
            page.relocate(&aside, from);
        }
    }
}
