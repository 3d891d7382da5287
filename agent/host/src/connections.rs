//! TCP connections and default routes, from `/proc/net` (proc_pid_net(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ask::text;
use crate::{RunError, System};

/// The state of an established connection in `/proc/net/tcp` (include/net/tcp_states.h).
const ESTABLISHED: &str = "01";
/// The flag of a usable route (include/uapi/linux/route.h, RTF_UP).
const UP: u32 = 1;

/// The machine's own addresses of its established TCP connections, sorted, without loopback. Fails when a table exists
/// and cannot be read.
pub async fn local_ends(host: &dyn System) -> Result<Vec<IpAddr>, RunError> {
    let mut ends = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        ends.extend(parse_ends(&text(host, table).await?.unwrap_or_default()));
    }
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}

pub(crate) fn parse_ends(table: &str) -> Vec<IpAddr> {
    let end = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state) = (*fields.get(1)?, *fields.get(3)?);
        let address = address(local.split_once(':')?.0)?;
        (state == ESTABLISHED && !address.is_loopback()).then_some(address)
    };
    table.lines().skip(1).filter_map(end).collect()
}

/// The kernel prints 32-bit words in the machine's byte order; all machines that Heeler supports are little-endian.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_le_bytes());
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for place in 0..4 {
                bytes[4 * place..4 * place + 4].copy_from_slice(&word(8 * place)?);
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

/// The interfaces that have a default route (IPv4 or IPv6), sorted. Fails when a table exists and cannot be read.
pub async fn default_routes(host: &dyn System) -> Result<Vec<String>, RunError> {
    let four = text(host, "/proc/net/route").await?.unwrap_or_default();
    let six = text(host, "/proc/net/ipv6_route").await?.unwrap_or_default();
    Ok(parse_defaults(&four, &six))
}

pub(crate) fn parse_defaults(four: &str, six: &str) -> Vec<String> {
    let used = |flags: &str| u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & UP != 0);
    let zero = |hex: &str| hex.bytes().all(|digit| digit == b'0');
    let by_four = four.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ([name, destination, ..], Some(flags), Some(mask)) = (fields.as_slice(), fields.get(3), fields.get(7))
        else {
            return None;
        };
        (zero(destination) && zero(mask) && used(flags)).then(|| (*name).to_owned())
    });
    let by_six = six.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (destination, length) = (*fields.first()?, *fields.get(1)?);
        let (flags, name) = (*fields.get(8)?, *fields.get(9)?);
        (zero(destination) && length == "00" && used(flags) && name != "lo").then(|| name.to_owned())
    });
    let mut names: Vec<String> = by_four.chain(by_six).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[test]
    fn the_machines_end_of_each_established_connection_is_read() {
        let four = format!(
            "{HEAD}   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 6226 1\n\
             \x20  1: 32500A0A:0016 01500A0A:D4F2 01 00000000:00000000 02:0009C9B3 00000000     0        0 7093 2\n\
             \x20  2: 0100007F:0016 0100007F:D4F2 01 00000000:00000000 02:0009C9B3 00000000     0        0 7093 2\n"
        );
        assert_eq!(parse_ends(&four), [IpAddr::from([10, 10, 80, 50])]);
        let six = format!(
            "{HEAD}   1: 0000000000000000FFFF000032500A0A:0016 0000000000000000FFFF000001500A0A:D4F2 01 0:0 0:0 0 0 0 1\n\
             \x20  2: 000080FE00000000FF4CE002010068FE:0016 000080FE000000000000000001000000:D4F2 01 0:0 0:0 0 0 0 1\n"
        );
        let link_local: IpAddr = "fe80::2e0:4cff:fe68:1".parse().unwrap();
        assert_eq!(parse_ends(&six), [IpAddr::from([10, 10, 80, 50]), link_local]);
    }

    #[test]
    fn the_cards_of_the_default_routes_are_known() {
        let four = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                    eth0\t00000000\t01500A0A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                    enbp0\t00630A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let zero = "0".repeat(32);
        let six = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 wlan0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        );
        assert_eq!(parse_defaults(four, &six), ["eth0", "wlan0"]);
    }
}
