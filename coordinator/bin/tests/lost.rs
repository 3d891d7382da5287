//! A coordinator that lost part of its state refuses to start, and `init` does not replace it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn heeler(folder: &Path, line: &[&str]) -> std::io::Result<Output> {
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler"));
    command
        .env("HOME", folder)
        .env("HEELER_STATE", folder.join("state"))
        .env("HEELER_CONFIG", folder.join("config"))
        .current_dir(folder)
        .args(line)
        .stdin(Stdio::null())
        .output()
}

#[test]
fn serve_and_init_refuse_and_name_the_way_back() {
    for (lost, emptied) in [("heeler.db", false), ("heeler.db", true), ("ca/key.pem", false)] {
        let folder = tempfile::tempdir().unwrap();
        let init = ["init", "--cluster", "k8sctl", "--address", "127.0.0.1", "config"];
        let made = heeler(folder.path(), &init).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let path = folder.path().join("state").join(lost);
        fs::remove_file(&path).unwrap();
        if emptied {
            fs::write(&path, "").unwrap();
        }
        for line in [&["serve", "--listen", "127.0.0.1"][..], &init, &["backup", "create"]] {
            let refused = heeler(folder.path(), line).unwrap();
            let told = String::from_utf8_lossy(&refused.stderr);
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(refused.status.code(), Some(1), "{lost}: {line:?}: {told}");
            assert!(
                told.contains("heeler backup restore FILE --replace") && told.contains("heeler init --recover"),
                "{lost}: {line:?}: {told}"
            );
            let left = fs::metadata(&path).map_or(0, |about| about.len());
            assert_eq!(left, 0, "{lost} was made anew by {line:?}");
        }
    }
}
