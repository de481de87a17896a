//! The error for an invalid setting.

use std::fmt::Debug;
use std::ops::RangeInclusive;

/// A setting is out of range, or contradicts another setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting `{name}` {problem}")]
pub struct InvalidSetting {
    name: &'static str,
    problem: String,
}

impl InvalidSetting {
    pub(crate) fn new(name: &'static str, problem: impl Into<String>) -> Self {
        Self { name, problem: problem.into() }
    }

    /// Returns `value`, or fails if it is not in `range`.
    pub(crate) fn within<T: PartialOrd + Debug>(
        name: &'static str,
        value: T,
        range: RangeInclusive<T>,
    ) -> Result<T, Self> {
        if range.contains(&value) {
            return Ok(value);
        }
        let (least, most) = (range.start(), range.end());
        Err(Self::new(name, format!("is {value:?}; it must be {least:?} to {most:?}")))
    }
}
