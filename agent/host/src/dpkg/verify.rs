use std::time::Duration;

use crate::{Command, Output, RunError, System};

/// A file that is not as its package has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its absolute path.
    pub path: String,
    /// Whether it is a conffile, which people may edit and remove.
    pub conffile: bool,
    /// Whether it is not there.
    pub missing: bool,
}

/// `dpkg --verify` of these packages, or of all when there are none. It reads every file that they installed: of all,
/// that takes a Raspberry Pi 2 to 60 s.
pub fn verify_command(packages: &[&str]) -> Command {
    let time = Duration::from_secs(300);
    Command::look("dpkg")
        .arg("--verify")
        .args(packages.iter().copied())
        .timeout(time)
}

/// The files of these packages, or of all when there are none, whose content is not the packaged one. Files of a package
/// without checksums are not seen. Fails when dpkg fails, or prints a line that cannot be read.
pub async fn verify(host: &dyn System, packages: &[&str]) -> Result<Vec<Difference>, RunError> {
    let command = verify_command(packages);
    let output = without_trouble(host, &command).await?;
    let read =
        |line: &str| difference(line).ok_or_else(|| RunError::unreadable(&command, format!("the line {line:?}")));
    output.stdout.lines().map(read).collect()
}

/// Nine characters for what differs, or "missing"; a space; `c` for a conffile; a space; the path (dpkg(1)).
fn difference(line: &str) -> Option<Difference> {
    let (found, rest) = line.split_at_checked(9)?;
    let (kind, path) = rest.split_at_checked(3)?;
    path.starts_with('/').then(|| Difference {
        path: path.to_owned(),
        conffile: kind == " c ",
        missing: found.starts_with("missing"),
    })
}

/// `dpkg-query -S` of these paths.
pub fn owners_command(paths: &[&str]) -> Command {
    Command::look("dpkg-query").arg("-S").args(paths.iter().copied())
}

/// The package of each of these paths, in pairs of path and package; more than one of a shared path. Fails when
/// dpkg-query fails.
pub async fn owners(host: &dyn System, paths: &[&str]) -> Result<Vec<(String, String)>, RunError> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let output = without_trouble(host, &owners_command(paths)).await?;
    let lines = output.stdout.lines().filter_map(|line| line.split_once(": "));
    let owned = lines.filter(|(packages, _)| !packages.starts_with("diversion by "));
    let pairs = owned.flat_map(|(packages, path)| {
        let one = |package: &str| (path.to_owned(), package.to_owned());
        packages.split(", ").map(one).collect::<Vec<_>>()
    });
    Ok(pairs.collect())
}

/// Exit code 1 means that something differs, or has no owner; dpkg 1.22 exits with 0 after a difference too.
async fn without_trouble(host: &dyn System, command: &Command) -> Result<Output, RunError> {
    let output = host.run(command).await?;
    match output.code {
        0 | 1 => Ok(output),
        _ => Err(RunError::failed(command, &output)),
    }
}
