//! Recipes: a page for each task, with a program to copy.
//!
//! They build on the [front page](crate), which says what a call promises, and lists them by task. Every program here is
//! compiled and run on the [fake](crate::fake) by the repository's tests. More programs are in the folder `examples` of
//! the package.
//!
//! This module has no code. It exists in the documentation only.

macro_rules! pages {
    ($($name:ident)*) => {
        $(
            #[doc = include_str!(concat!("../guide/", stringify!($name), ".md"))]
            pub mod $name {}
        )*
    };
}

pages! {
    backups disaster_recovery steps services controllers testing other_languages blocking retries tokens environment network
    traces metrics troubleshooting upgrading
}
