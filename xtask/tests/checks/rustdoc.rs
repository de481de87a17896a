use xtask::api::rustdoc::readable;

#[test]
fn another_version_of_the_json_is_refused_with_the_rust_to_use() {
    assert!(readable(br#"{"root": 1, "format_version": 57, "index": {}}"#).is_ok());
    let other = readable(br#"{"format_version": 58}"#).expect_err("refused").to_string();
    assert!(other.contains("version 58") && other.contains("cargo +1.95 xtask api"), "{other}");
    assert!(readable(b"{}").is_err());
}
