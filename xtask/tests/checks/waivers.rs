use chrono::NaiveDate;
use xtask::report::{Finding, Link, Waivers};

const TEXT: &str = "- fingerprint: \"wire: one\"\n  reason: why\n\
                    - fingerprint: \"wire: two\"\n  reason: why\n  expires: 2027-01-31\n";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// The fingerprints that are waived on a day, and what is left, of these findings.
fn sift(today: &str, found: &[&str]) -> (Vec<String>, Vec<Finding>) {
    let mut findings = found.iter().map(|what| Finding::new(Link::Wire, what, *what)).collect();
    let waived = Waivers::parse(TEXT, day(today)).expect("waivers").sift(&mut findings, true);
    (waived, findings)
}

#[test]
fn a_waiver_removes_its_finding_until_its_last_day_has_passed() {
    let (waived, rest) = sift("2027-01-31", &["one", "two", "three"]);
    assert_eq!(waived, ["wire: one", "wire: two"]);
    assert_eq!(rest.iter().map(|rest| &*rest.title).collect::<Vec<_>>(), ["three"]);

    let (waived, rest) = sift("2027-02-01", &["one", "two"]);
    assert_eq!(waived, ["wire: one"]);
    let [two, expired] = rest.try_into().expect("two findings");
    assert_eq!(two.title, "two");
    assert_eq!(expired.title, "the waiver of `wire: two` expired after 2027-01-31");
    assert_eq!(expired.spots[0].line, Some(3));

    // One that matches nothing is a finding, too.
    let (_, rest) = sift("2026-01-01", &["one"]);
    let [unused] = rest.try_into().expect("one finding");
    assert_eq!(unused.title, "the waiver of `wire: two` matches nothing");
}

#[test]
fn a_malformed_waiver_is_refused_with_the_fields_of_a_waiver() {
    for text in [
        "- fingerprint: a\n",
        "- fingerprint: a\n  reason: \" \"\n",
        "- fingerprint: a\n  reason: b\n  expires: soon\n",
        "- fingerprint: a\n  reason: b\n  until: 2027-01-31\n",
        "fingerprint: a",
        "[",
    ] {
        let problem =
            Waivers::parse(text, day("2026-01-01")).map(|_| ()).expect_err(text).to_string();
        assert!(problem.starts_with("xtask/waivers.yaml: "), "{problem}");
        assert!(problem.contains("a waiver has a `fingerprint`, a `reason`"), "{problem}");
    }
    assert!(Waivers::parse("[]", day("2026-01-01")).is_ok());
}
