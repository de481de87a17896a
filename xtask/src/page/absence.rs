//! What it means that a page doesn't show something: that the API doesn't have it, or nothing.

use super::{Page, Shape};
use crate::contract::{Aspect, Facts, Place, Step};

impl Page {
    /// Whether an aspect that the page doesn't state is not an aspect of `place`, which the page shows.
    pub fn denies(&self, place: &Place, aspect: Aspect) -> bool {
        use Aspect as A;
        let opaque = self.facts.get(place).is_some_and(|subject| subject.opaque);
        if opaque || !self.unreadable.is_empty() {
            return false;
        }
        match (self.shape, place.last()) {
            // They may stand in another document, or in prose.
            (Shape::Markdown, _) => !matches!(aspect, A::Servers | A::Example),
            (Shape::Text, Some(Step::Body)) => !matches!(aspect, A::Required | A::Content),
            (Shape::Text, Some(Step::Answer(_))) if self.is_folded(place) => false,
            // What a row can show.
            (Shape::Text, _) => matches!(
                aspect,
                A::Security
                    | A::Content
                    | A::Required
                    | A::Type
                    | A::Format
                    | A::ReadOnly
                    | A::WriteOnly
                    | A::Nullable
                    | A::Deprecated
                    | A::Alternatives
                    | A::Enum
                    | A::Minimum
                    | A::Maximum
                    | A::MinLength
                    | A::MaxLength
                    | A::MinItems
                    | A::MaxItems
                    | A::MinProperties
                    | A::MaxProperties
                    | A::Pattern
                    | A::Default
                    | A::Example
            ),
        }
    }

    /// Whether a place of the spec that the page doesn't show is not part of the API.
    pub fn denies_place(&self, spec: &Facts, place: &Place) -> bool {
        let parent = place.parent();
        if !self.unreadable.is_empty() || self.facts.get(&parent).is_some_and(|it| it.opaque) {
            return false;
        }
        // Properties without a name may be anything unless the page says otherwise.
        let is_any = |place| spec.value(place, Aspect::Type).is_some_and(|kind| kind == "any");
        let closed = self.facts.value(&parent, Aspect::AdditionalProperties).is_some();
        if place.last() == Some(&Step::Values) && is_any(place) && !closed {
            return false;
        }
        match (self.shape, place.last()) {
            (Shape::Text, Some(Step::Parameter { .. })) if is_answer(&parent) => false,
            (Shape::Markdown, _) | (_, Some(Step::Operation { .. } | Step::Body)) => true,
            // The headers of an answer are folded.
            (_, Some(Step::Parameter { .. })) => !is_answer(&parent),
            // One answer is selected, and the page may not list the others.
            (_, Some(Step::Answer(_))) => !self.facts.children(&parent).any(is_answer),
            (_, Some(Step::Property(_) | Step::Values | Step::Items)) => self.is_unfolded(&parent),
            (_, Some(Step::Alternative(_)) | None) => false,
        }
    }

    /// Whether a copied text shows the properties of a place.
    fn is_unfolded(&self, place: &Place) -> bool {
        let outermost = match place.last() {
            Some(Step::Body) => true,
            Some(Step::Answer(_)) => !self.is_folded(place),
            _ => false,
        };
        let kind = self.facts.value(place, Aspect::Type).and_then(serde_json::Value::as_str);
        let has_alternatives = kind.is_some_and(|kind| kind.contains(" of"));
        (outermost && !has_alternatives) || self.facts.children(place).next().is_some()
    }

    /// Whether only the status of an answer is shown, since another answer is selected.
    fn is_folded(&self, answer: &Place) -> bool {
        let is_empty = |place: &Place| {
            self.facts.value(place, Aspect::Content).is_none()
                && self.facts.children(place).next().is_none()
        };
        let operation = answer.parent();
        let mut others = self.facts.children(&operation).filter(|place| is_answer(place));
        is_empty(answer) && others.any(|other| !is_empty(other))
    }
}

fn is_answer(place: &Place) -> bool {
    matches!(place.last(), Some(Step::Answer(_)))
}
