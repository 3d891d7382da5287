//! Finds the files of netplan, systemd-networkd, udev, NetworkManager, ifupdown and dhcpcd that configure a network card:
//! name it, give it an address, or take it away from Heeler's own files.

mod dhcpcd;
mod folder;
mod ini;
mod interfaces;
mod network_manager;
mod networkd;
mod pattern;
mod stanza;
mod udev_rule;
mod yaml;

use crate::facts::Nic;
use crate::guard::Written;
use crate::{RunError, System};

/// A line in a file that configures the card and is not Heeler's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Absolute path of the file.
    pub path: String,
    /// The line's number, from 1.
    pub line: usize,
    /// The line, trimmed, at most 80 characters; for a stanza its first line.
    pub text: String,
    /// Whether it has precedence over Heeler's files. If not, it names the card without effect.
    pub wins: bool,
}

/// What else configures the card `nic`, which Heeler configures with `written`; claims that win come first. Fails when
/// a folder or file exists and cannot be read.
pub async fn claims(host: &dyn System, nic: &Nic, written: Written) -> Result<Vec<Claim>, RunError> {
    let mut claims = stanza::claims(host, nic, written).await?;
    claims.extend(networkd::link_claims(host, nic).await?);
    claims.extend(networkd::network_claims(host, nic, written).await?);
    claims.extend(udev_rule::claims(host, nic).await?);
    claims.extend(network_manager::claims(host, nic).await?);
    claims.extend(interfaces::claims(host, nic, written).await?);
    claims.extend(dhcpcd::claims(host, nic).await?);
    claims.sort_by_key(|claim| !claim.wins);
    Ok(claims)
}

impl Claim {
    fn at(path: &str, text: &str, line: usize, wins: bool) -> Self {
        let words = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Self {
            path: path.to_owned(),
            line,
            text: words.trim().chars().take(80).collect(),
            wins,
        }
    }
}
