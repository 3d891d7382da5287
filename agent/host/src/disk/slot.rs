use std::io;
use std::path::Path;

use crate::{File, System};

/// The bus addresses of the lettered slots, one a line: when one disk is gone, the other keeps its letter.
const KNOWN: &str = "/var/lib/heeler-agent/slots";

/// The bus address of an NVMe disk's controller as the kernel writes it, `0000:00:04.0`; None for other disks.
pub(super) async fn address(host: &dyn System, kernel_name: &str) -> Option<String> {
    if !kernel_name.starts_with("nvme") {
        return None;
    }
    let link = Path::new("/sys/class/block").join(kernel_name).join("device");
    let path = host.resolve(&link).await.ok()?;
    let mut parts = path.iter().rev().filter_map(|part| part.to_str());
    parts.find(|part| is_address(part)).map(str::to_owned)
}

/// Domain, bus, device and function in hex.
fn is_address(part: &str) -> bool {
    let shape: Vec<&str> = part.split([':', '.']).collect();
    let hex = |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit());
    part.len() == 12 && shape.len() == 4 && shape.iter().all(hex)
}

/// The addresses in the order of their letters: the saved ones as long as no disk is at another address, else the
/// present ones.
pub(super) async fn lettered(host: &dyn System, mut present: Vec<String>) -> Vec<String> {
    present.sort_unstable();
    let known = known(host).await;
    match present.iter().all(|address| known.contains(address)) {
        true => known,
        false => present,
    }
}

/// Saves the addresses of the lettered slots, for a later boot with a disk missing. Fails when the file cannot be
/// written.
pub async fn remember_slots(host: &dyn System, addresses: &[String]) -> io::Result<()> {
    if known(host).await == addresses {
        return Ok(());
    }
    let text: String = addresses.iter().map(|address| format!("{address}\n")).collect();
    let file = File::private(KNOWN, text.into_bytes());
    host.write(&file).await
}

/// The saved addresses, sorted; empty when the file is absent or malformed.
async fn known(host: &dyn System) -> Vec<String> {
    let bytes = host.read(Path::new(KNOWN)).await.unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let mut addresses: Vec<String> = text.lines().map(str::to_owned).collect();
    addresses.sort_unstable();
    match addresses.iter().all(|address| is_address(address)) {
        true => addresses,
        false => Vec::new(),
    }
}

/// `A` for 0, `B` for 1…; None past `Z`.
pub(super) fn letter(index: usize) -> Option<char> {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map(|index| char::from(b'A' + index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_address_is_found_in_a_path() {
        assert!(is_address("0000:00:04.0") && is_address("0001:03:00.0"));
        assert!(!is_address("pci0000:00") && !is_address("nvme0") && !is_address("0000:00:04:0:1"));
    }

    #[test]
    fn slots_are_letters() {
        assert_eq!((letter(0), letter(1), letter(26)), (Some('A'), Some('B'), None));
    }
}
