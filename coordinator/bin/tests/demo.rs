//! The demonstration, as a person starts it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn the_fleet_recovers_from_a_power_cut_and_ends_green() {
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler"));
    let home = tempfile::tempdir().unwrap();
    command
        .env("HOME", home.path())
        .env("HEELER_COORDINATOR", "10.0.0.1:7445");
    let output = command.args(["demo", "--once"]).stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}{told}");
    for part in [
        "k8sctl-pi5r  connection lost",
        "k8sctl-pi5r  ensure pool: continued after an interruption",
        "Nothing to change.",
        "k8sctl-pi5x  backplane up",
        "GREEN  3 nodes, all is well.",
        "2/2    now   same",
        "k8sctl-pi5l  1 snapshot",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{told}");
    }
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "it is not the reader's"
    );
    let widest = shown.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}");
}

#[test]
fn a_demonstration_that_is_ended_leaves_no_keys() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let folder = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_heeler"));
        command
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .arg("demo");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("heeler node list")));
        let left = || std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left(), 1, "its folder");
        #[expect(clippy::disallowed_methods, reason = "only a signal ends it so")]
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        // Whoever reads its output goes on reading, as a terminal does.
        lines.for_each(drop);
        child.wait().unwrap();
        assert_eq!(left(), 0, "{signal}");
    }
}
