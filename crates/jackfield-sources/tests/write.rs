//! Settings are written back whole, to the file that was meant.

use std::fs;

use jackfield_sources::{WriteError, write_atomically};
use tempfile::tempdir;

#[test]
fn a_file_that_was_not_there_is_created() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    write_atomically(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn nothing_else_is_left_in_the_directory() {
    let dir = tempdir().unwrap();
    for text in ["one", "two", ""] {
        write_atomically(dir.path().join("settings.toml"), text).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_read_only_file_is_refused_and_left_alone() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    fs::write(&path, "old").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();

    let error = write_atomically(&path, "new").unwrap_err();
    assert!(matches!(error, WriteError::ReadOnly { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_missing_directory_is_named_with_what_failed() {
    let dir = tempdir().unwrap();
    let error = write_atomically(dir.path().join("gone/settings.toml"), "new").unwrap_err().to_string();
    assert!(error.contains("gone/settings.toml"), "{error}");
    assert!(error.contains("creating a file beside it failed"), "{error}");
}

#[test]
fn a_directory_is_not_replaced() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    fs::create_dir(&path).unwrap();
    let error = write_atomically(&path, "new").unwrap_err();
    assert!(matches!(error, WriteError::Unchanged { .. }), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[cfg(unix)]
mod unix {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use jackfield_sources::{WriteError, write_atomically};
    use tempfile::tempdir;

    #[test]
    fn a_file_keeps_its_permissions() {
        let dir = tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomically(&path, "new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    }

    #[test]
    fn a_link_is_written_through() {
        let dir = tempdir().unwrap();
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        let target = dir.path().join("elsewhere/real.toml");
        let link = dir.path().join("settings.toml");
        fs::write(&target, "old").unwrap();
        symlink("elsewhere/real.toml", &link).unwrap();
        write_atomically(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[test]
    fn a_link_to_nothing_gets_its_file() {
        let dir = tempdir().unwrap();
        let link = dir.path().join("settings.toml");
        symlink("real.toml", &link).unwrap();
        write_atomically(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join("real.toml")).unwrap(), "new");
    }

    #[test]
    fn links_in_a_circle_are_refused() {
        let dir = tempdir().unwrap();
        let link = dir.path().join("settings.toml");
        symlink("settings.toml", &link).unwrap();
        let error = write_atomically(&link, "new").unwrap_err();
        assert!(matches!(error, WriteError::Unchanged { doing: "following its links", .. }), "{error}");
    }
}
