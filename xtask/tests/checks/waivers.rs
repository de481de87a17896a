use chrono::NaiveDate;
use xtask::report::{Finding, Link, Waivers};

const TEXT: &str = "- fingerprint: \"wire: one\"\n  reason: why\n\
                    - fingerprint: \"wire: two\"\n  reason: why\n  expires: 2027-01-31\n";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn found() -> Vec<Finding> {
    ["one", "two", "three"].map(|what| Finding::new(Link::Wire, what, what)).into()
}

#[test]
fn a_waiver_removes_its_finding_until_its_last_day_has_passed() {
    let mut waivers = Waivers::parse(TEXT, day("2027-01-31")).expect("waivers");
    let (rest, waived) = waivers.sift(found());
    assert_eq!(waived, ["wire: one", "wire: two"]);
    assert_eq!(rest.iter().map(|rest| &*rest.title).collect::<Vec<_>>(), ["three"]);
    assert!(waivers.findings().is_empty());

    let mut waivers = Waivers::parse(TEXT, day("2027-02-01")).expect("waivers");
    assert_eq!(waivers.sift(found()).1, ["wire: one"]);
    let [expired] = waivers.findings().try_into().expect("one finding");
    assert_eq!(expired.title, "the waiver of `wire: two` expired after 2027-01-31");
    assert_eq!(expired.spots[0].line, Some(3));
}

#[test]
fn a_waiver_that_matches_nothing_is_a_finding() {
    let mut waivers = Waivers::parse(TEXT, day("2026-01-01")).expect("waivers");
    waivers.sift(found().drain(..1).collect());
    let [unused] = waivers.findings().try_into().expect("one finding");
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
