//! Pairs what only the spec has with what only the page has: the same thing under another name or in another place.

use super::{Facts, Kind, Pointer, Silence, Within, plain, without_names};
use std::collections::{BTreeMap, BTreeSet};

/// How likely two places are the same: from the least likely to that whose names differ in nothing that has a meaning.
type Likeness = usize;
pub(super) const UNLIKELY: Likeness = 1;
const SAME: Likeness = 4;

/// The largest number of similar names that are tried, so that the time grows with the page only.
const MOST_TRIED: usize = 32;

/// Gives the places of the page their places in the spec if they differ only in spelling, order, or a media type that
/// isn't shown.
pub fn align(spec: &Facts, page: &mut Facts) {
    pair(spec, page, SAME, &|_, _| true);
}

/// Gives the places of the page that are at least so likely the same as places of the spec the latter, so that all
/// within is compared. Returns the places in the spec of those that are not just spelled differently, and on the page.
pub(super) fn pair(
    spec: &Facts,
    page: &mut Facts,
    least: Likeness,
    silence: Silence<'_>,
) -> BTreeMap<Pointer, Pointer> {
    let mut moved = BTreeMap::new();
    loop {
        reorder(spec, page);
        let unpaired = unpaired(spec, page);
        let siblings = unpaired.values().map(|[gone, new]| {
            let may_be_hidden = |place: &Pointer| silence(page, place);
            [described(spec, gone, Some(&may_be_hidden)), described(page, new, None)]
        });
        let siblings: Vec<_> = siblings.collect();
        // The likeliest first, since what is within them is compared then.
        let mut likenesses = (least..=SAME).rev().map(|likeness| {
            let pairs = siblings.iter().flat_map(|[gone, new]| pairs(gone, new, likeness));
            (likeness, pairs.collect::<Vec<_>>())
        });
        let Some((likeness, pairs)) = likenesses.find(|(_, pairs)| !pairs.is_empty()) else {
            return moved;
        };
        for (place, to) in pairs {
            page.relocate(&to, &place);
            if likeness < SAME {
                moved.insert(place, to);
            }
        }
    }
}

/// The places that only the spec has and those that only the page has, by the place around them that both have.
fn unpaired(spec: &Facts, page: &Facts) -> BTreeMap<Pointer, [Vec<Pointer>; 2]> {
    let mut unpaired: BTreeMap<Pointer, [Vec<Pointer>; 2]> = BTreeMap::new();
    for (side, own, other) in [(0, spec, page), (1, page, spec)] {
        let places =
            own.map.iter().filter(|(place, fact)| fact.value.is_none() && !other.has(place));
        for (place, fact) in places {
            let owner = Pointer(place.0[..fact.owner].to_owned());
            if owner.0.is_empty() || other.has(&owner) {
                unpaired.entry(owner).or_default()[side].push(place.clone());
            }
        }
    }
    unpaired.retain(|_, [gone, new]| !gone.is_empty() && !new.is_empty());
    unpaired
}

/// What a place has in common with itself under another name: what is equal, and a name that is similar, or empty if any
/// is.
struct Trait {
    likeness: Likeness,
    equal: String,
    name: String,
}

impl Trait {
    fn new(likeness: Likeness, equal: impl Into<String>, name: &str) -> Self {
        let bare = name.replace(|c: char| !c.is_alphanumeric(), "").to_lowercase();
        let name = if bare.is_empty() { name.to_owned() } else { bare };
        Self { likeness, equal: equal.into(), name }
    }
}

/// Places within the same place, with their traits.
type Described<'a> = Vec<(&'a Pointer, Vec<Trait>)>;

/// The pairs of this likeness: each place with the first that is left.
fn pairs(gone: &Described<'_>, new: &Described<'_>, likeness: Likeness) -> Vec<(Pointer, Pointer)> {
    let of_likeness = |it: &&Trait| it.likeness == likeness;
    let mut left: BTreeMap<&str, BTreeSet<(usize, &str)>> = BTreeMap::new();
    for (at, (_, traits)) in new.iter().enumerate() {
        for Trait { equal, name, .. } in traits.iter().filter(of_likeness) {
            left.entry(equal).or_default().insert((at, name));
        }
    }
    let pairs = gone.iter().filter_map(|(place, traits)| {
        let at = traits.iter().filter(of_likeness).find_map(|own| {
            let mut tried = left.get(&*own.equal)?.iter().take(MOST_TRIED);
            tried.find(|(_, name)| similar(&own.name, name)).map(|(at, _)| *at)
        })?;
        let (to, traits) = &new[at];
        for Trait { equal, name, .. } in traits {
            left.entry(equal).or_default().remove(&(at, name));
        }
        Some(((*place).clone(), (*to).clone()))
    });
    pairs.collect()
}

/// The traits of places within the same place. Those of the spec on which the page is silent need no other name.
fn described<'a>(
    facts: &Facts,
    places: &'a [Pointer],
    silence: Option<&dyn Fn(&Pointer) -> bool>,
) -> Described<'a> {
    let mut sizes: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for place in places {
        *sizes.entry(class(facts, place)).or_default() += 1;
    }
    let described = places.iter().map(|place| {
        let name = place.name().unwrap_or_default();
        let mut traits = match (place.kind(), place.sent_in()) {
            (Kind::Operation, _) => operation(place),
            (Kind::Header, _) | (_, Some(Within::Header)) => {
                vec![Trait::new(SAME, name.to_lowercase(), "")]
            }
            // A copied text doesn't show the media type of a request body.
            (Kind::Media, _)
                if silence.is_some() || place.0.ends_with("/requestBody/content/*~1*") =>
            {
                vec![Trait::new(SAME, "*/*", "")]
            }
            _ => Vec::new(),
        };
        let class = class(facts, place);
        if let Some(class) = class.filter(|_| !silence.is_some_and(|is_silent| is_silent(place))) {
            let of_parameter = facts.value(&place.then(&["schema"]), "example");
            if let Some(example) = facts.value(place, "example").or(of_parameter) {
                traits.push(Trait::new(2, format!("{class} {}", plain(example)), ""));
            }
            // The names of parameters in a path mean nothing.
            if place.sent_in() == Some(Within::Path) || sizes[&Some(class.clone())] == 1 {
                traits.push(Trait::new(1, &*class, ""));
            }
            traits.push(Trait::new(3, class, &name));
        }
        (place, traits)
    });
    described.collect()
}

/// What may have another name: parameters, wherever they are sent but in the path, and properties of the same type.
fn class(facts: &Facts, place: &Pointer) -> Option<String> {
    match place.sent_in() {
        Some(Within::Path) => Some("path".to_owned()),
        Some(_) => Some("parameter".to_owned()),
        // The generated types have the names of the spec.
        None if !place.is_property() || place.root().is_none() => None,
        None => Some(format!("{:?} {:?}", facts.kind(place), facts.value(place, "format"))),
    }
}

/// Operations may have another method, another version, or another part before the path.
fn operation(place: &Pointer) -> Vec<Trait> {
    let Some((method, path)) = place.method_and_path() else { return Vec::new() };
    let mut traits = vec![
        Trait::new(SAME, format!("{method} {}", without_names(&path)), ""),
        Trait::new(3, &*path, ""),
    ];
    for (slash, _) in path.match_indices('/') {
        let (before, rest) = path.split_at(slash);
        if rest.matches('/').count() > 1 {
            traits.push(Trait::new(2, format!("{method} {rest}"), before));
        }
        let end = rest[1..].find('/').map_or(rest.len(), |end| end + 1);
        let (part, after) = (&rest[1..end], &rest[end..]);
        if !part.contains('{') && !part.is_empty() {
            let name = if is_version(part) { "v1" } else { part };
            traits.push(Trait::new(2, format!("{method} {before}/*{after}"), name));
        }
    }
    traits
}

fn is_version(part: &str) -> bool {
    let number = part.strip_prefix('v');
    number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether one name is a part of the other, or stands for any.
fn similar(one: &str, other: &str) -> bool {
    let shorter = one.len().min(other.len());
    shorter == 0 || one == other || shorter > 1 && (one.contains(other) || other.contains(one))
}

/// Numbers the alternatives of the page like those of the spec with the same properties.
fn reorder(spec: &Facts, page: &mut Facts) {
    let names = |facts: &Facts, place: &Pointer| -> BTreeSet<String> {
        facts.children(place).filter(|it| it.is_property()).filter_map(Pointer::name).collect()
    };
    for place in spec.map.keys().filter(|place| place.alternative().is_some()) {
        let wanted = names(spec, place);
        if wanted.is_empty() || !page.has(place) || names(page, place) == wanted {
            continue;
        }
        let others = page.children(&place.parent()).filter(|other| other.alternative().is_some());
        let fits = |it: &&Pointer| names(page, it) == wanted && names(spec, it) != wanted;
        let Some(other) = { others }.find(fits).cloned() else { continue };
        let aside = Pointer(format!("{}aside", place.0));
        page.relocate(place, &aside);
        page.relocate(&other, place);
        page.relocate(&aside, &other);
    }
}
