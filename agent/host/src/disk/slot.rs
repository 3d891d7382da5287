use std::path::Path;

use crate::System;

/// Bus address of an NVMe disk's controller, as the kernel writes it: `0000:00:04.0`; None for other disks.
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

/// `A` for the first, `B` for the second…; None past `Z`.
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
    fn a_bus_address_is_told_from_other_parts_of_a_path() {
        assert!(is_address("0000:00:04.0") && is_address("0001:03:00.0"));
        assert!(!is_address("pci0000:00") && !is_address("nvme0") && !is_address("0000:00:04:0:1"));
    }

    #[test]
    fn slots_are_letters() {
        assert_eq!((letter(0), letter(1), letter(26)), (Some('A'), Some('B'), None));
    }
}
