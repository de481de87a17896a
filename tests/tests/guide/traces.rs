include!(concat!(env!("OUT_DIR"), "/traces_1.rs"));
