//! `openapi.yaml` as facts, and facts compared with those of a page.

mod compare;
mod facts;
pub mod keywords;
mod moves;
pub mod openapi;
mod place;
mod spec;

pub use compare::{Comparison, Difference, Silent, compare, normalize};
pub use facts::{Aspect, Facts, Stated, Subject, Unreadable};
pub use openapi::{plain, without_names};
pub use place::{Place, Step, Within};
pub use spec::Spec;
