//! The file with what apt was told to do: a person reads it in the plan, and it is there until all of it is done.

use heeler_host::apt::{Change, Room};
use heeler_host::dpkg::Package;

use super::set::is;

pub(super) const PATH: &str = "/var/lib/heeler-agent/packages/plan";

/// A line a package, removals first.
pub(super) fn text(changes: &[Change]) -> String {
    let mut lines: Vec<String> = changes.iter().map(line).collect();
    lines.sort_by_key(|line| !line.starts_with("remove "));
    lines.concat()
}

fn line(change: &Change) -> String {
    let name = &change.name;
    match (&change.from, &change.to) {
        (_, None) => format!("remove {name} {}\n", change.from.as_deref().unwrap_or_default()),
        (None, Some(version)) => format!("install {name} {version}\n"),
        (Some(old), Some(version)) => format!("install {name} {version} instead of {old}\n"),
    }
}

/// The first package that is not as the plan says, and how it is.
pub(super) fn unlike(plan: &str, packages: &[Package]) -> Option<String> {
    plan.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let (kind, name) = (words.first()?, words.get(1)?);
        let package = packages
            .iter()
            .find(|package| is(package, name.split(':').next().unwrap_or(name)));
        let package = package.filter(|package| package.state != "not-installed" && package.state != "config-files");
        match (*kind, package) {
            ("install", None) => Some(format!("{name} is not installed")),
            ("install", Some(package)) if Some(&package.version.as_str()) != words.get(2) => {
                Some(format!("{name} is installed in version {}", package.version))
            }
            ("remove", Some(_)) => Some(format!("{name} is still installed")),
            _ => None,
        }
    })
}

/// "install 231 packages, upgrade 4, remove 1: 312 MB to fetch, 1400 MB of files".
pub(super) fn summary(changes: &[Change], room: Room) -> String {
    let count = |fits: fn(&Change) -> bool| changes.iter().filter(|change| fits(change)).count();
    let new = count(|change| change.from.is_none());
    let upgraded = count(|change| change.from.is_some() && change.to.is_some());
    let removed = count(|change| change.to.is_none());
    let mut parts = vec![format!("install {new} packages")];
    if upgraded > 0 {
        parts.push(format!("upgrade {upgraded}"));
    }
    if removed > 0 {
        parts.push(format!("remove {removed}"));
    }
    let mb = |bytes: u64| bytes.div_ceil(1_000_000);
    format!(
        "{}: {} MB to fetch, {} MB of files",
        parts.join(", "),
        mb(room.fetched),
        mb(room.installed)
    )
}
