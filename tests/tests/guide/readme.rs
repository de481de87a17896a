//! The programs of the repository's README.

mod first {
    include!(concat!(env!("OUT_DIR"), "/README_1.rs"));
}

mod one {
    include!(concat!(env!("OUT_DIR"), "/README_2.rs"));
}

mod many {
    include!(concat!(env!("OUT_DIR"), "/README_3.rs"));
}
