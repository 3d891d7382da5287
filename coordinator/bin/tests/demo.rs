//! `heeler demo`, run as a program.

#![expect(clippy::unwrap_used, reason = "a test ends where the program does not start")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

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
        // One, or two when the hour turns meanwhile.
        "/data/pve-files/.zfs/snapshot/NAME",
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

type Lines = std::io::Lines<BufReader<ChildStdout>>;

/// Starts `heeler demo` with home and temporary files below `folder`.
fn demonstration(folder: &Path) -> (Child, Lines) {
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler"));
    command.env("HOME", folder).env("TMPDIR", folder).arg("demo");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// Sends the signal and waits for the end.
fn end(child: &mut Child, lines: Lines, signal: &str) {
    #[expect(clippy::disallowed_methods, reason = "only a signal ends it so")]
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    // A terminal reads the output to the end; a full pipe would block the program.
    lines.for_each(drop);
    child.wait().unwrap();
}

/// What completion offers for the last of `words`.
fn offered(state: &str, words: &[&str]) -> String {
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler"));
    let asked = command
        .env("HEELER_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("HEELER_STATE", state)
        .env_remove("HEELER_COORDINATOR")
        .arg("--")
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(asked.stderr.is_empty(), "{}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

#[test]
fn tab_offers_the_names_of_the_fleet() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut lines) = demonstration(folder.path());
    let state = lines.find_map(|line| {
        line.unwrap()
            .trim()
            .strip_prefix("export HEELER_STATE=")
            .map(str::to_owned)
    });
    let state = state.unwrap();
    let all = offered(&state, &["heeler", "node", "pause", ""]);
    for name in ["k8sctl-pi5l", "k8sctl-pi5r", "k8sctl-pi5x"] {
        assert!(all.contains(name), "{name}: {all}");
    }
    let begun = offered(&state, &["heeler", "node", "pause", "k8sctl-pi5l"]);
    assert_eq!(begun.trim(), "k8sctl-pi5l");
    let by_option = offered("/nowhere", &["heeler", "--state", &state, "events", "--node", ""]);
    assert!(by_option.contains("k8sctl-pi5x"), "{by_option}");
    let tasks = offered(&state, &["heeler", "task", "follow", ""]);
    assert!(tasks.lines().any(|line| line.trim().len() == 32), "{tasks}");
    let nobody = offered("/nowhere", &["heeler", "node", "pause", ""]);
    assert!(!nobody.contains("k8sctl"), "{nobody}");
    end(&mut child, lines, "-TERM");
}

#[test]
fn a_demonstration_that_is_ended_leaves_no_keys() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, mut lines) = demonstration(folder.path());
        assert!(lines.any(|line| line.unwrap().contains("heeler node list")));
        let left = || std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left(), 1, "its folder");
        end(&mut child, lines, signal);
        assert_eq!(left(), 0, "{signal}");
    }
}
