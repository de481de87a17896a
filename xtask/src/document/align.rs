//! Pairs what only the spec has with what only the page has: the same thing under another name or in another place.

use super::{Facts, Kind, Pointer, Silence, Within, plain, without_names};
use std::collections::{BTreeMap, BTreeSet};

/// How likely two places are the same: from the least likely to that whose names differ in nothing that has a meaning.
type Likeness = usize;
pub(super) const UNLIKELY: Likeness = 1;
const SAME: Likeness = 4;

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
        let name = |place: &Pointer| place.name().unwrap_or_default();
        let alike = name(place).eq_ignore_ascii_case(&name(to));
        let in_headers = [place, to].iter().all(|it| it.sent_in() == Some(Within::Header));
        match place.kind() {
            kind if kind != to.kind() => 0,
            Kind::Operation => operation(place, to),
            Kind::Header if alike => SAME,
            Kind::Parameter if alike && in_headers => SAME,
            // A copied text doesn't show the media type of a request body.
            Kind::Media if to.0.ends_with("/requestBody/content/*~1*") => SAME,
            _ => {
                let class = class(self.spec, place);
                let is_alone = |facts: &Facts, all: &[Pointer]| {
                    all.iter().filter(|it| self::class(facts, it) == class).count() == 1
                };
                match () {
                    () if class.is_none() || class != self::class(self.page, to) => 0,
                    () if (self.silence)(self.page, place) => 0,
                    () if similar(&name(place), &name(to)) => 3,
                    () if self.same_example(place, to) => 2,
                    // The names of parameters in a path mean nothing.
                    () if place.sent_in() == Some(Within::Path) => 1,
                    () => {
                        usize::from(is_alone(self.spec, self.gone) && is_alone(self.page, self.new))
                    }
                }
            }
        }
    }

    fn same_example(&self, place: &Pointer, to: &Pointer) -> bool {
        let example = |facts: &Facts, place: &Pointer| {
            let of_parameter = facts.value(&place.then(&["schema"]), "example");
            facts.value(place, "example").or(of_parameter).map(plain)
        };
        let own = example(self.spec, place);
        own.is_some() && own == example(self.page, to)
    }
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

/// Operations that have another method, another version, or another part before the path.
fn operation(gone: &Pointer, new: &Pointer) -> Likeness {
    let (Some((method, path)), Some((new_method, new_path))) =
        (gone.method_and_path(), new.method_and_path())
    else {
        return 0;
    };
    let is_same_method = method == new_method;
    let prefixed =
        |long: &str, short: &str| short.matches('/').count() > 1 && long.ends_with(short);
    let is_part = |old: &str, new: &str| {
        let fixed = !old.contains('{') && !new.contains('{');
        fixed && (is_version(old) && is_version(new) || similar(old, new))
    };
    let same_length = path.matches('/').count() == new_path.matches('/').count();
    let differing: Vec<_> =
        path.split('/').zip(new_path.split('/')).filter(|(old, new)| old != new).collect();
    match differing[..] {
        // The names of parameters in a path mean nothing.
        _ if is_same_method && without_names(&path) == without_names(&new_path) => SAME,
        _ if path == new_path => 3,
        _ if !is_same_method => 0,
        _ if prefixed(&path, &new_path) || prefixed(&new_path, &path) => 2,
        [(old, new)] if same_length && is_part(old, new) => 2,
        _ => 0,
    }
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
