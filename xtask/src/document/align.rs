//! Pairs what only the spec has with what only the page has: the same thing under another name or in another place.

use super::{Facts, Kind, Pointer, Silence, Within, plain, without_names};
use std::collections::{BTreeMap, BTreeSet};

/// How likely two places are the same: from the least likely to that whose names differ in nothing that has a meaning.
type Likeness = usize;
pub(super) const UNLIKELY: Likeness = 1;
const SAME: Likeness = 5;

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
        let of_likeness = |wanted: Likeness| -> Vec<(Pointer, Pointer)> {
            let siblings = unpaired.values().flat_map(|[gone, new]| {
                let siblings = Siblings { spec, page, silence, gone, new };
                siblings.pairs(wanted)
            });
            siblings.collect()
        };
        // The likeliest first, since what is within them is compared then.
        let mut likenesses = (least..=SAME).rev().map(|wanted| (wanted, of_likeness(wanted)));
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

/// Places within the same place.
struct Siblings<'a> {
    spec: &'a Facts,
    page: &'a Facts,
    silence: Silence<'a>,
    gone: &'a [Pointer],
    new: &'a [Pointer],
}

impl Siblings<'_> {
    fn pairs(&self, wanted: Likeness) -> Vec<(Pointer, Pointer)> {
        let mut new: Vec<&Pointer> = self.new.iter().collect();
        let pairs = self.gone.iter().filter_map(|place| {
            let at = new.iter().position(|to| self.likeness(place, to) == wanted)?;
            Some((place.clone(), new.remove(at).clone()))
        });
        pairs.collect()
    }

    fn likeness(&self, place: &Pointer, to: &Pointer) -> Likeness {
        match place.kind() {
            kind if kind != to.kind() => 0,
            Kind::Operation => operation(place, to),
            Kind::Parameter => self.parameter(place, to),
            Kind::Header if alike(place, to) => SAME,
            // A copied text doesn't show the media type of a request body.
            Kind::Media if to.0.ends_with("/requestBody/content/*~1*") => SAME,
            // The generated types have the names of the spec.
            Kind::Schema if place.is_property() && to.is_property() && place.root().is_some() => {
                self.property(place, to)
            }
            _ => 0,
        }
    }

    /// Parameters that are sent in another place or under another name.
    fn parameter(&self, place: &Pointer, to: &Pointer) -> Likeness {
        let same_place = place.sent_in() == to.sent_in();
        let in_path = place.sent_in() == Some(Within::Path);
        let alone = [self.gone, self.new]
            .iter()
            .all(|all| all.iter().filter(|it| it.kind() == Kind::Parameter).count() == 1);
        match () {
            () if alike(place, to) && same_place && place.sent_in() == Some(Within::Header) => SAME,
            () if alike(place, to) => 4,
            () if self.same_example(&place.then(&["schema"]), &to.then(&["schema"])) => 3,
            () if in_path && same_place => 2,
            () => usize::from(alone && !in_path),
        }
    }

    /// Properties of the same type.
    fn property(&self, place: &Pointer, to: &Pointer) -> Likeness {
        let kind = |facts: &Facts, place: &Pointer| {
            (facts.kind(place).map(str::to_owned), facts.value(place, "format").cloned())
        };
        let same = kind(self.spec, place);
        if same != kind(self.page, to) || (self.silence)(self.page, place) {
            return 0;
        }
        let alone = |facts: &Facts, all: &[Pointer]| {
            all.iter().filter(|it| it.is_property() && kind(facts, it) == same).count() == 1
        };
        match (place.name(), to.name()) {
            (Some(name), Some(new)) if similar(&name, &new) => 3,
            _ if self.same_example(place, to) => 2,
            _ => usize::from(alone(self.spec, self.gone) && alone(self.page, self.new)),
        }
    }

    fn same_example(&self, place: &Pointer, to: &Pointer) -> bool {
        let example = self.spec.value(place, "example").map(plain);
        example.is_some() && example == self.page.value(to, "example").map(plain)
    }
}

/// Whether the names differ in case only.
fn alike(place: &Pointer, to: &Pointer) -> bool {
    let name = |place: &Pointer| place.name().map(|name| name.to_lowercase());
    name(place) == name(to)
}

/// Operations that have another method, another version, or another part before the path.
fn operation(gone: &Pointer, new: &Pointer) -> Likeness {
    let (Some((method, path)), Some((new_method, new_path))) =
        (gone.method_and_path(), new.method_and_path())
    else {
        return 0;
    };
    // The names of parameters in a path mean nothing.
    if method == new_method && without_names(&path) == without_names(&new_path) {
        return SAME;
    }
    if path == new_path {
        return 3;
    }
    let prefixed =
        |long: &str, short: &str| short.matches('/').count() > 1 && long.ends_with(short);
    let mut differing = path.split('/').zip(new_path.split('/')).filter(|(old, new)| old != new);
    let alike = match (differing.next(), differing.next()) {
        (Some((old, new)), None) if path.matches('/').count() == new_path.matches('/').count() => {
            let fixed = !old.contains('{') && !new.contains('{');
            fixed && (is_version(old) && is_version(new) || similar(old, new))
        }
        _ => false,
    };
    let same = alike || prefixed(&path, &new_path) || prefixed(&new_path, &path);
    if method == new_method && same { 2 } else { 0 }
}

fn is_version(part: &str) -> bool {
    let number = part.strip_prefix('v');
    number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether two names differ in spelling only, or one is a part of the other.
fn similar(one: &str, other: &str) -> bool {
    let bare = |name: &str| name.replace(|c: char| !c.is_alphanumeric(), "").to_lowercase();
    let (one, other) = (bare(one), bare(other));
    one.len().min(other.len()) > 1 && (one.contains(&other) || other.contains(&one))
}

/// Numbers the alternatives of the page like those of the spec with the same properties.
fn reorder(spec: &Facts, page: &mut Facts) {
    let names = |facts: &Facts, place: &Pointer| -> BTreeSet<String> {
        facts.children(place).filter(|it| it.is_property()).filter_map(Pointer::name).collect()
    };
    let is_alternative = |place: &Pointer| {
        let number = place.0.rsplit_once("Of/").map(|(_, number)| number);
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    };
    for place in spec.map.keys().filter(|place| is_alternative(place)) {
        let wanted = names(spec, place);
        if wanted.is_empty() || !page.has(place) || names(page, place) == wanted {
            continue;
        }
        let others = page.children(&place.parent()).filter(|other| is_alternative(other));
        let fits = |it: &&Pointer| names(page, it) == wanted && names(spec, it) != wanted;
        let Some(other) = { others }.find(fits).cloned() else { continue };
        let aside = Pointer(format!("{}aside", place.0));
        page.relocate(place, &aside);
        page.relocate(&other, place);
        page.relocate(&aside, &other);
    }
}
