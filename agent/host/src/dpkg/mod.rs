//! `dpkg`: how far each package is installed, what is damaged, and who else is at work.

mod lock;
mod reinstall;
mod verify;

use std::time::Duration;

use crate::ask::ask;
use crate::{Command, RunError, System};

pub use lock::{FRONTEND_LOCK, Holder, inode_command, lock_holder, locks_command};
pub use reinstall::{reinstall_command, reinstallable, simulate_command};
pub use verify::{Difference, owners, owners_command, verify, verify_command};

/// dpkg's database of all packages. dpkg keeps what an interrupted run has changed beside it, in `updates`.
pub const STATUS: &str = "/var/lib/dpkg/status";

/// A package that dpkg knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name, with the architecture where several can be installed: `libc6:arm64`.
    pub name: String,
    /// Its version; empty when only its configuration or nothing is left.
    pub version: String,
    /// Whether it is to be there; otherwise its removal was asked for.
    pub wanted: bool,
    /// dpkg's word: `installed`, `half-configured`… (dpkg-query(1), `db:Status-Status`).
    pub state: String,
    /// Whether dpkg says that it must be reinstalled.
    pub broken: bool,
}

impl Package {
    /// Whether it is completely installed.
    pub fn is_installed(&self) -> bool {
        self.state == "installed" && !self.broken
    }

    /// Whether an installation or removal of it was begun and not ended.
    pub fn is_unfinished(&self) -> bool {
        self.broken || !matches!(self.state.as_str(), "installed" | "config-files" | "not-installed")
    }

    /// Whether `dpkg --configure` cannot finish it: its files are there in part. dpkg exits with 0 all the same.
    pub fn needs_its_files(&self) -> bool {
        self.broken || self.state == "half-installed"
    }
}

/// `dpkg-query -W` of all packages with their states, those of an interrupted run included.
pub fn packages_command() -> Command {
    let format = "${binary:Package}\\t${Version}\\t${db:Status-Want}\\t${db:Status-Status}\\t${db:Status-Eflag}\\n";
    Command::look("dpkg-query").args(["-W", "-f", format])
}

/// All packages that dpkg knows. Fails when dpkg-query fails, or prints a line that cannot be read.
pub async fn packages(host: &dyn System) -> Result<Vec<Package>, RunError> {
    let command = packages_command();
    let output = ask(host, &command).await?;
    let package = |line: &str| -> Option<Package> {
        let mut words = line.split('\t');
        let (name, version) = (words.next()?, words.next()?);
        let (want, state, flag) = (words.next()?, words.next()?, words.next()?);
        Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            wanted: matches!(want, "install" | "hold"),
            state: state.to_owned(),
            broken: flag != "ok",
        })
    };
    let read = |line: &str| package(line).ok_or_else(|| RunError::unreadable(&command, format!("the line {line:?}")));
    output.stdout.lines().map(read).collect()
}

/// A complaint of `dpkg --audit` about some packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its first sentence, without a full stop.
    pub text: String,
    /// The packages.
    pub packages: Vec<String>,
}

/// `dpkg --audit`.
pub fn audit_command() -> Command {
    Command::look("dpkg").arg("--audit")
}

/// What dpkg finds wrong with its packages. Missing checksums are left out: many packages of others come without, and
/// work. Fails when dpkg fails.
pub async fn audit(host: &dyn System) -> Result<Vec<Complaint>, RunError> {
    let output = ask(host, &audit_command()).await?;
    Ok(complaints(&output.stdout))
}

fn complaints(text: &str) -> Vec<Complaint> {
    let mut all = Vec::new();
    for part in text.split("\n\n") {
        let (packages, heading): (Vec<&str>, Vec<&str>) = part.lines().partition(|line| line.starts_with(' '));
        let heading = heading.join(" ");
        let first = heading.split(['.', ',', ':']).next().unwrap_or_default();
        let packages: Vec<String> = packages
            .iter()
            .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
            .collect();
        if !packages.is_empty() && !heading.contains("md5sums") {
            all.push(Complaint {
                text: first.to_owned(),
                packages,
            });
        }
    }
    all
}

/// An hour: it is killed then, which leaves packages half configured, and compiling ZFS for a kernel takes a Raspberry
/// Pi a quarter of an hour.
const LONG: Duration = Duration::from_secs(3600);

/// `dpkg --configure -a`: finishes what an interrupted run left. A conffile stays as it is; one that is not there comes
/// back only with `brings_back`. It exits with 0 also when packages are left that it cannot finish.
pub fn configure_command(brings_back: bool) -> Command {
    let args = ["--configure", "-a", "--force-confdef", "--force-confold"];
    let command = Command::change("dpkg").args(args).timeout(LONG);
    command.args(brings_back.then_some("--force-confmiss"))
}

/// `dpkg --set-selections` without any: it takes what an interrupted run has changed into dpkg's database, and changes
/// nothing else. apt refuses to work before that.
pub fn settle_command() -> Command {
    Command::change("dpkg").arg("--set-selections")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_about_checksums_alone_are_left_out() {
        let text = "The following packages are missing the list control file in the\ndatabase, they need to be \
                    reinstalled:\n demo                 a package\n other:arm64          another\n\nThe following \
                    packages are missing the md5sums control file in the\ndatabase, they need to be reinstalled:\n \
                    third                a third\n\n";
        let found = complaints(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].packages, ["demo", "other:arm64"]);
        assert_eq!(
            found[0].text,
            "The following packages are missing the list control file in the database"
        );
    }
}
