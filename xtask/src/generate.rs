//! `cargo xtask generate`: writes the committed rendition of the client.

use crate::{Ending, codegen};
use similar::TextDiff;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

const COMMITTED: &str = "datafy-api/src/generated.rs";

/// Generates from the spec below `root`, and writes or compares.
pub(crate) fn run(root: &Path, check: bool) -> Ending {
    let spec = root.join("openapi.yaml");
    let generated = match fs::read_to_string(&spec) {
        Ok(yaml) => codegen::generate(&yaml).map_err(|refusal| refusal.to_string()),
        Err(error) => Err(format!("{}: {error}", spec.display())),
    };
    let generated = match generated {
        Ok(generated) => generated,
        Err(why) => return Ending::CouldNotCheck(why),
    };
    let path = root.join(COMMITTED);
    if !check {
        return match write(&path, &generated) {
            Ok(()) => Ending::Equal,
            Err(error) => Ending::CouldNotCheck(format!("{}: {error}", path.display())),
        };
    }
    // A missing file is one that differs in every line.
    let committed = match fs::read_to_string(&path) {
        Ok(committed) => committed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Ending::CouldNotCheck(format!("{}: {error}", path.display())),
    };
    if committed == generated {
        return Ending::Equal;
    }
    let diff = TextDiff::from_lines(&committed, &generated);
    print!("{}", diff.unified_diff().header(COMMITTED, "what openapi.yaml describes"));
    eprintln!("error: {COMMITTED} is not what openapi.yaml describes; run `cargo xtask generate`");
    Ending::Drift
}

/// Writes beside the file and renames, so that a failed run leaves the old one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{COMMITTED, run};
    use crate::Ending;
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
        fs::read_to_string(root.join(COMMITTED)).ok()
    }

    #[test]
    fn check_finds_a_missing_and_a_changed_file_and_generate_mends_both() {
        let root = workspace();
        let root = root.path();
        assert!(matches!(run(root, true), Ending::Drift));
        assert_eq!(committed(root), None, "a check writes nothing");
        assert!(matches!(run(root, false), Ending::Equal));
        assert!(matches!(run(root, true), Ending::Equal));

        let changed = committed(root).expect("written").replace("datafySnapshotId", "snapshotId");
        fs::write(root.join(COMMITTED), &changed).expect("written");
        assert!(matches!(run(root, true), Ending::Drift));
        assert_eq!(committed(root), Some(changed));
        assert!(matches!(run(root, false), Ending::Equal));
        assert!(matches!(run(root, true), Ending::Equal));
    }

    #[test]
    fn a_failed_run_leaves_the_old_file() {
        let root = workspace();
        let root = root.path();
        run(root, false);
        let old = committed(root);
        fs::write(root.join("openapi.yaml"), "openapi: [").expect("written");
        assert!(matches!(run(root, false), Ending::CouldNotCheck(_)));
        assert!(matches!(run(root, true), Ending::CouldNotCheck(_)));
        fs::remove_file(root.join("openapi.yaml")).expect("removed");
        assert!(matches!(run(root, false), Ending::CouldNotCheck(_)));
        assert!(old.is_some() && committed(root) == old);
    }
}
