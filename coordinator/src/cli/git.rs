//! git of the config folder, run with the user's own program and configuration.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::config::FILE;
use crate::screen::Checkout;

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "git is the person's own, and runs on the person's machine"
    )]
    let mut command = Command::new("git");
    let output = command
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The last commit, and the uncommitted lines of heeler.toml. Empty when heeler.toml is not in git.
pub(super) fn checkout(folder: &Path) -> Checkout {
    let Some(commit) = git(folder, &["rev-parse", "--short=7", "HEAD"]) else {
        return Checkout::default();
    };
    if git(folder, &["ls-files", "--error-unmatch", "--", FILE]).is_none() {
        return Checkout::default();
    }
    let changed = git(folder, &["diff", "--numstat", "HEAD", "--", FILE]).unwrap_or_default();
    let counts = changed
        .split_whitespace()
        .take(2)
        .filter_map(|count| count.parse::<u32>().ok());
    Checkout {
        commit: commit.trim().to_owned(),
        dirty_lines: counts.max().unwrap_or(0),
    }
}

/// Runs `git init` unless the folder is in a repository. False when that failed.
pub(super) fn make_repository(folder: &Path) -> bool {
    git(folder, &["rev-parse", "--git-dir"]).is_some() || git(folder, &["init", "--quiet"]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncommitted_lines_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::write(at.join(FILE), "a\nb\n").unwrap();
        assert_eq!(checkout(at), Checkout::default());
        assert!(make_repository(at));
        assert_eq!(checkout(at), Checkout::default());
        git(at, &["add", FILE]).unwrap();
        git(
            at,
            &[
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@localhost",
                "commit",
                "--quiet",
                "-m",
                "x",
            ],
        )
        .unwrap();
        assert_eq!(checkout(at).dirty_lines, 0);
        assert_eq!(checkout(at).commit.len(), 7);
        std::fs::write(at.join(FILE), "a\nc\nd\n").unwrap();
        assert_eq!(checkout(at).dirty_lines, 2);
    }
}
