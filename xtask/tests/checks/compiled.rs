use xtask::check::compiled::failure;

#[test]
fn the_first_error_of_the_compiler_is_reported_with_its_place() {
    let finding = failure(
        "warning: unused\n  --> a.rs:1:2\nerror[E0609]: no field `x` on type `Y`\n   \
         --> datafy-api-ext/src/create_snapshot.rs:27:29\n   |\nerror: aborting",
    );
    assert_eq!(finding.title, "the code doesn't compile: error[E0609]: no field `x` on type `Y`");
    let spot = &finding.spots[0];
    assert_eq!(spot.file, "datafy-api-ext/src/create_snapshot.rs");
    assert_eq!(spot.line, Some(27));
    let error = |file: &str, line: usize| format!("error: {file}\n  --> {file}:{line}:5\n");
    let many: String = (1..30).map(|line| error("datafy-api-ext/src/a.rs", line)).collect();
    let many = failure(&format!("{}{many}{many}", error("tests/src/x.rs", 1)));
    assert_eq!(many.spots.len(), 12);
    assert!(many.spots.iter().all(|spot| spot.file == "datafy-api-ext/src/a.rs"), "{many:?}");
    assert!(many.help.ends_with("; 18 more errors are not shown"), "{}", many.help);
    assert!(failure("").title.contains("no error was printed"));
    let title = failure("Error: \"nothing drives x\"").title;
    assert_eq!(title, "the program `facts` failed: Error: \"nothing drives x\"");
}
