//! git of the config folder, run with the user's own program and configuration.

use std::path::Path;

use heeler_os::{Command, person};

use crate::config::FILE;
use crate::screen::Checkout;

/// What git prints; None when it fails.
async fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let command = Command::change("git").args(arguments.iter().copied());
    let output = person::run_in(folder, &command).await.ok()?;
    output.ok().then_some(output.stdout)
}

/// The last commit, and the uncommitted lines of heeler.toml. Empty when heeler.toml is not in git.
pub(super) async fn checkout(folder: &Path) -> Checkout {
    let Some(commit) = git(folder, &["rev-parse", "--short=7", "HEAD"]).await else {
        return Checkout::default();
    };
    if git(folder, &["ls-files", "--error-unmatch", "--", FILE])
        .await
        .is_none()
    {
        return Checkout::default();
    }
    let changed = git(folder, &["diff", "--numstat", "HEAD", "--", FILE]).await;
    let counts = changed.iter().flat_map(|text| text.split_whitespace()).take(2);
    Checkout {
        commit: commit.trim().to_owned(),
        dirty_lines: counts.filter_map(|count| count.parse().ok()).max().unwrap_or(0),
    }
}

/// Runs `git init` unless the folder is in a repository. False when that failed.
pub(super) async fn make_repository(folder: &Path) -> bool {
    git(folder, &["rev-parse", "--git-dir"]).await.is_some() || git(folder, &["init", "--quiet"]).await.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn uncommitted_lines_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::write(at.join(FILE), "a\nb\n").unwrap();
        assert_eq!(checkout(at).await, Checkout::default());
        assert!(make_repository(at).await);
        assert_eq!(checkout(at).await, Checkout::default());
        git(at, &["add", FILE]).await.unwrap();
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
        .await
        .unwrap();
        assert_eq!(checkout(at).await.dirty_lines, 0);
        assert_eq!(checkout(at).await.commit.len(), 7);
        std::fs::write(at.join(FILE), "a\nc\nd\n").unwrap();
        assert_eq!(checkout(at).await.dirty_lines, 2);
    }
}
