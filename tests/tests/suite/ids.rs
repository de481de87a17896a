//! A parsed ID is safe in a URL, a header and a JSON text.

use datafy_api_ext::{DatafySnapshotId, DeviceName, InstanceId, InvalidId, SubAccountId, VolumeId};

/// Parses `text` as each kind of ID, after the prefix that the kind requires.
fn parse_all(text: &str) -> [Result<String, InvalidId>; 5] {
    [
        VolumeId::new(format!("vol-{text}")).map(String::from),
        DatafySnapshotId::new(format!("dsnap-{text}")).map(String::from),
        InstanceId::new(format!("i-{text}")).map(String::from),
        DeviceName::new(text).map(String::from),
        SubAccountId::new(text).map(String::from),
    ]
}

#[test]
fn an_id_is_kept_unchanged_and_one_of_an_undocumented_form_is_accepted_if_it_is_safe() {
    let longest = "a".repeat(64);
    for text in ["0b9176567fe16f0bc", "dvol_42", "7", "a.b:c-d_e", "arn:aws:x", &longest] {
        assert_eq!(VolumeId::new(text).unwrap().as_str(), text);
        DatafySnapshotId::new(text).unwrap();
        InstanceId::new(text).unwrap();
        SubAccountId::new(text).unwrap();
    }
    for device in ["/dev/sdb", "xvdf", "/dev/nvme1n1"] {
        assert_eq!(DeviceName::new(device).unwrap().as_str(), device);
    }
    for text in ["-a", ".a", "_a", ":a", "", "vol-"] {
        VolumeId::new(text).expect_err(text);
    }
}

#[test]
fn an_id_with_a_character_that_is_unsafe_in_a_url_or_a_header_is_rejected() {
    let long = "a".repeat(65);
    let unsafe_letters = " \n\0\u{7f}é%?#\"\\".chars().map(|letter| format!("a{letter}b"));
    for text in unsafe_letters.chain(["..", "a..b", &*long].map(str::to_owned)) {
        for result in parse_all(&text) {
            let error = result.expect_err(&text).to_string();
            assert!(error.contains(" is not a"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
    for result in parse_all("") {
        result.expect_err("an empty ID");
    }
    for id in ["/", "vol-1/attach", "vol-/"] {
        VolumeId::new(id).expect_err(id);
        SubAccountId::new(id).expect_err(id);
    }
}

#[test]
fn a_directory_is_not_a_device_name() {
    for text in ["/", "/dev", "/dev/", "/dev/sdb1/", "sdb/", "//dev/sdb", "/dev//sdb"] {
        let error = DeviceName::new(text).unwrap_err().to_string();
        let expected = "is not a device name: it names a directory and not a device";
        assert_eq!(error, format!("{text:?} {expected}"));
    }
}

#[test]
fn an_id_of_another_kind_is_rejected_and_named() {
    let error = VolumeId::new("dsnap-1").unwrap_err().to_string();
    assert_eq!(error, r#""dsnap-1" is not a volume ID: `dsnap-` begins a Datafy snapshot ID"#);
    DatafySnapshotId::new("snap-1").unwrap_err();
    InstanceId::new("vol-1").unwrap_err();
    SubAccountId::new("i-1").unwrap_err();
}
