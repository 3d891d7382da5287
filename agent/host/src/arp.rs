//! Checks whether another machine has an IPv4 address, with ARP probes (RFC 5227).

use std::net::Ipv4Addr;
use std::time::Duration;

pub(crate) const PROBES: u32 = 3;
/// Time between two probes, and after the last.
pub(crate) const WAIT: Duration = Duration::from_millis(700);

const BROADCAST: [u8; 6] = [0xff; 6];
/// Ethernet, IPv4, and the lengths of their addresses (RFC 826).
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ETHERTYPE: [u8; 2] = [8, 6];
const REQUEST: [u8; 2] = [0, 1];
const REPLY: [u8; 2] = [0, 2];

/// An Ethernet frame that asks who has `target`, with sender address 0.0.0.0 so that no ARP cache changes (RFC 5227).
pub(crate) fn probe(own: [u8; 6], target: Ipv4Addr) -> Vec<u8> {
    let mut frame = Vec::with_capacity(60);
    frame.extend(BROADCAST);
    frame.extend(own);
    frame.extend(ETHERTYPE);
    frame.extend(KIND);
    frame.extend(REQUEST);
    frame.extend(own);
    frame.extend([0; 4]);
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame.resize(60, 0);
    frame
}

/// The hardware address of a machine that has `target` or probes for it, by this frame; None when the frame shows
/// neither.
pub(crate) fn claim(frame: &[u8], own: [u8; 6], target: Ipv4Addr) -> Option<[u8; 6]> {
    let arp = frame.get(14..42)?;
    let ours = frame.get(12..14)? == ETHERTYPE && arp[..6] == KIND;
    let sender: [u8; 6] = arp[8..14].try_into().ok()?;
    let (sender_ip, target_ip) = (&arp[14..18], &arp[24..28]);
    let has = sender_ip == target.octets();
    let wants = arp[6..8] == REQUEST && sender_ip == [0; 4] && target_ip == target.octets();
    let known = arp[6..8] == REQUEST || arp[6..8] == REPLY;
    (ours && known && sender != own && (has || wants)).then_some(sender)
}

/// Lower-case hex with colons.
pub(crate) fn written(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [0, 0xe0, 0x4c, 0x68, 0, 1];
    const OTHER: [u8; 6] = [0, 0xe0, 0x4c, 0x68, 0, 9];
    const TARGET: Ipv4Addr = Ipv4Addr::new(10, 10, 99, 50);

    fn reply(from: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
        let mut frame = probe(from, TARGET);
        frame[20..22].copy_from_slice(&REPLY);
        frame[28..32].copy_from_slice(&address.octets());
        frame
    }

    #[test]
    fn an_address_conflict_is_detected() {
        assert_eq!(claim(&reply(OTHER, TARGET), OWN, TARGET), Some(OTHER));
        assert_eq!(claim(&probe(OTHER, TARGET), OWN, TARGET), Some(OTHER));
        assert_eq!(written(OTHER), "00:e0:4c:68:00:09");
    }

    #[test]
    fn own_probes_and_other_frames_are_no_conflict() {
        assert_eq!(claim(&probe(OWN, TARGET), OWN, TARGET), None);
        assert_eq!(claim(&reply(OTHER, Ipv4Addr::new(10, 10, 99, 51)), OWN, TARGET), None);
        let mut frame = reply(OTHER, TARGET);
        frame[13] = 0;
        assert_eq!(claim(&frame, OWN, TARGET), None);
        for length in 0..42 {
            assert_eq!(claim(&reply(OTHER, TARGET)[..length], OWN, TARGET), None);
        }
    }
}
