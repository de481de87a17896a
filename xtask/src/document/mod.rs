//! OpenAPI documents: normalised and flattened to pointer and value, with their lines, and compared as maps.

mod align;
mod compare;
mod facts;
mod grammar;
mod normal;
mod pointer;
mod sentences;
mod spec;
mod version;

pub use align::align;
pub use compare::{Comparison, Difference, Silence, Silent, compare};
pub use facts::{Fact, Facts, Unreadable};
pub use grammar::{Held, Kind, METHODS, held, inner, members, visit};
pub use normal::{LineOf, MOST, flatten, plain};
pub use pointer::{Pointer, Step, Within, escape, unescape, without_names};
pub use sentences::{NOT_COMPARED, without_sentences};
pub use spec::Spec;
pub use version::as_3_0;
