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
mod write;

pub use align::align;
pub use compare::{Comparison, Counts, Difference, Silence, What, compare};
pub use facts::{Fact, Facts, Problem};
pub use grammar::{Kind, METHODS, members};
pub use normal::{LISTS, MOST, flatten, plain, security_in_words};
pub use pointer::{Pointer, Within, escape, unescape, without_names};
pub use sentences::{NOT_COMPARED, without_sentences};
pub use spec::Spec;
pub use write::{document, write};
