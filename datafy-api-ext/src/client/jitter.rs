//! The source of randomness for the pauses between attempts.

use std::fmt;

/// Draws the position of a pause in its range, `0.0..1.0`.
pub(crate) struct Jitter(pub(crate) Box<dyn Fn() -> f64 + Send + Sync>);

impl Jitter {
    pub(crate) fn next(&self) -> f64 {
        (self.0)()
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Self(Box::new(fastrand::f64))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
