//! `cargo xtask generate`: writes the committed rendition of the client.

use crate::codegen;
use crate::report::Ending;
use crate::sources::GENERATED;
use crate::spec::SPEC;
use crate::write;
use similar::TextDiff;
use std::fs;
use std::path::Path;

/// Generates from the spec below `root`, and writes or compares. The error says why it couldn't.
pub(crate) fn run(root: &Path, check: bool) -> Result<Ending, String> {
    let yaml = fs::read_to_string(root.join(SPEC)).map_err(|error| format!("{SPEC}: {error}"))?;
    let generated = codegen::generate(&yaml).map_err(|refusal| refusal.to_string())?;
    if !check {
        write::atomically(&root.join(GENERATED), &generated)
            .map_err(|error| format!("{GENERATED}: {error}"))?;
        return Ok(Ending::Equal);
    }
    let Some(diff) = diff(&committed(root)?, &generated) else { return Ok(Ending::Equal) };
    print!("{diff}");
    eprintln!("error: {GENERATED} is not what {SPEC} describes; run `cargo xtask generate`");
    Ok(Ending::Drift)
}

/// The committed client below `root`.
pub(crate) fn committed(root: &Path) -> Result<String, String> {
    write::written(root, GENERATED)
}

/// How the committed client differs from what the spec describes, if it does.
pub(crate) fn diff(committed: &str, generated: &str) -> Option<String> {
    (committed != generated).then(|| {
        let diff = TextDiff::from_lines(committed, generated);
        diff.unified_diff().header(GENERATED, &format!("what {SPEC} describes")).to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::{GENERATED, run};
    use crate::report::Ending;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    /// A workspace with the spec of this one and no generated code.
    fn workspace() -> TempDir {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("datafy-api/src")).expect("a directory");
        fs::write(root.path().join("openapi.yaml"), include_str!("../../openapi.yaml"))
            .expect("written");
        root
    }

    fn committed(root: &Path) -> Option<String> {
        fs::read_to_string(root.join(GENERATED)).ok()
    }

    #[test]
    fn check_finds_a_missing_and_a_changed_file_and_generate_mends_both() {
        let root = workspace();
        let root = root.path();
        assert!(matches!(run(root, true), Ok(Ending::Drift)));
        assert_eq!(committed(root), None, "a check writes nothing");
        assert!(matches!(run(root, false), Ok(Ending::Equal)));
        assert!(matches!(run(root, true), Ok(Ending::Equal)));

        let changed = committed(root).expect("written").replace("datafySnapshotId", "snapshotId");
        fs::write(root.join(GENERATED), &changed).expect("written");
        assert!(matches!(run(root, true), Ok(Ending::Drift)));
        assert_eq!(committed(root), Some(changed));
        assert!(matches!(run(root, false), Ok(Ending::Equal)));
        assert!(matches!(run(root, true), Ok(Ending::Equal)));
    }

    #[test]
    fn a_failed_run_leaves_the_old_file() {
        let root = workspace();
        let root = root.path();
        assert!(matches!(run(root, false), Ok(Ending::Equal)));
        let old = committed(root);
        fs::write(root.join("openapi.yaml"), "openapi: [").expect("written");
        assert!(run(root, false).is_err());
        assert!(run(root, true).is_err());
        fs::remove_file(root.join("openapi.yaml")).expect("removed");
        assert!(run(root, false).is_err());
        assert!(old.is_some() && committed(root) == old);
    }
}
