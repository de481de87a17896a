//! The blocks of this page are tests.

mod one_call {
    include!(concat!(env!("OUT_DIR"), "/testing_1.rs"));
}

mod a_workflow {
    include!(concat!(env!("OUT_DIR"), "/testing_2.rs"));
}

mod failures {
    include!(concat!(env!("OUT_DIR"), "/testing_3.rs"));
}

mod time {
    include!(concat!(env!("OUT_DIR"), "/testing_4.rs"));
}
