//! The Debian mirror of this machine's apt, from which the image is made.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{must, program};

/// The mirror of the main Debian archive, and the apt options to reach it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mirror {
    /// URI of the archive.
    pub uri: String,
    /// Lines of apt.conf: proxies and date checks of this machine.
    pub options: Vec<String>,
}

/// Reads the machine's apt sources and settings. Fails when no Debian archive is configured.
pub fn of_this_machine() -> Result<Mirror> {
    let mut sources = String::new();
    let mut paths = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        paths.extend(entries.flatten().map(|entry| entry.path()));
    }
    paths.sort();
    for path in paths {
        sources.push_str(&fs::read_to_string(&path).unwrap_or_default());
        sources.push('\n');
    }
    let uri = debian_archive(&sources).context(
        "no Debian archive among this machine's apt sources: the lab's image is made from it; add one to /etc/apt/sources.list",
    )?;
    let dump = must(&mut program("apt-config", ["dump", "Acquire"]))?;
    let wanted = [
        "Acquire::http::Proxy",
        "Acquire::https::Proxy",
        "Acquire::Check-Valid-Until",
        "Acquire::Check-Date",
    ];
    let options = dump
        .lines()
        .filter(|line| wanted.iter().any(|name| line.split(' ').next() == Some(name)))
        .map(|line| line.trim_end_matches(';').to_owned())
        .collect();
    Ok(Mirror { uri, options })
}

/// The first address in one-line or deb822 sources whose path ends in `/debian` (sources.list(5)).
fn debian_archive(sources: &str) -> Option<String> {
    sources
        .lines()
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.contains("://") && word.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::debian_archive;

    #[test]
    fn the_archive_is_found_in_apt_sources() {
        let one_line =
            "# deb http://old.example/debian x main\ndeb [arch=amd64] http://a.example/debian/ bookworm main\n";
        assert_eq!(debian_archive(one_line).as_deref(), Some("http://a.example/debian"));
        let deb822 =
            "Types: deb\nURIs: https://b.example/debian-security\n\nTypes: deb\nURIs: https://b.example/debian\n";
        assert_eq!(debian_archive(deb822).as_deref(), Some("https://b.example/debian"));
        assert_eq!(debian_archive("deb http://c.example/ubuntu noble main\n"), None);
    }
}
