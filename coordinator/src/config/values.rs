use std::fmt;
use std::net::{IpAddr, SocketAddr};

use heeler_proto::{Dataset, Domain, Invalid, Mountpoint, NodeName, PoolName, Serial, TimeServer, dataset_name};

use super::reader::Unfit;
use crate::screen::is_hidden;

/// Port for agents when heeler.toml names none.
pub const DEFAULT_PORT: u16 = 7443;

/// An IP network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Its first address; the bits after the prefix are 0.
    pub address: IpAddr,
    /// Length of the prefix in bits, from 1: at most 32 for IPv4, 128 for IPv6.
    pub prefix: u8,
}

impl Network {
    /// Whether `address` is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }

    /// Whether the networks share addresses.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// Whether a machine can have `address`: it is neither the network's own nor its broadcast address.
    pub fn can_be_a_host(&self, address: IpAddr) -> bool {
        let IpAddr::V4(v4) = address else {
            return address != self.address;
        };
        let host = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
        // A /31 or /32 has no network and broadcast address (RFC 3021).
        self.prefix >= 31 || (v4.to_bits() & host != 0 && v4.to_bits() & host != host)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

pub(super) fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let gone = |bits: u8| u32::from(bits.saturating_sub(prefix));
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(gone(32)).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(gone(128)).unwrap_or(0)).into()),
    }
}

pub(super) fn network(text: &str) -> Result<Network, Unfit> {
    let unfit = |hint: &str| Unfit::not(text, "a network", hint);
    let example = "a network's first address and its prefix, such as 192.0.2.0/24";
    let Some((address, prefix)) = text.split_once('/') else {
        return Err(match text.parse::<IpAddr>() {
            Ok(ip) if ip.is_ipv4() => {
                let meant = Network {
                    address: masked(ip, 24),
                    prefix: 24,
                };
                unfit(&format!("did you mean \"{meant}\"?"))
            }
            _ => unfit(example),
        });
    };
    let address: IpAddr = address.parse().map_err(|_| unfit(&mended_address(address)))?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().ok().filter(|prefix| (1..=longest).contains(prefix));
    let prefix = prefix.ok_or_else(|| unfit(&format!("the prefix is 1 to {longest}")))?;
    let network = Network {
        address: masked(address, prefix),
        prefix,
    };
    if network.address == address {
        Ok(network)
    } else {
        Err(unfit(&format!("did you mean \"{network}\"?")))
    }
}

pub(super) fn address(text: &str) -> Result<IpAddr, Unfit> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| Unfit::not(text, "an IP address", mended_address(text)))?;
    let why = match address {
        _ if address.is_unspecified() => "it means every address",
        _ if address.is_multicast() => "it is a multicast address",
        IpAddr::V4(v4) if v4.is_broadcast() => "it is the broadcast address",
        _ => return Ok(address),
    };
    Err(Unfit::new(format!("{text} cannot be a machine's address"), why))
}

/// Why `text` is not an address. Never suggests an address, which might be another machine's.
fn mended_address(text: &str) -> String {
    let plain = text.trim();
    let bare = plain.split('/').next().unwrap_or(plain);
    if bare.parse::<IpAddr>().is_ok() {
        return match plain.contains('/') {
            true => format!("leave out the prefix: \"{bare}\""),
            false => format!("leave out the spaces: \"{bare}\""),
        };
    }
    if let Ok(with_port) = plain.parse::<SocketAddr>() {
        return format!("leave out the port: \"{}\"", with_port.ip());
    }
    let parts: Vec<&str> = bare.split(['.', ',']).map(str::trim).collect();
    let numbers: Option<Vec<u32>> = parts.iter().map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([_, _, _, _]) if numbers.iter().flatten().any(|number| *number > 255) => {
            "each of its four numbers is 0 to 255".into()
        }
        Some([a, b, c, d]) => format!("did you mean \"{a}.{b}.{c}.{d}\"?"),
        Some(some) if some.len() != 4 => format!("an IPv4 address has four numbers, this has {}", some.len()),
        _ if plain.contains(|c: char| c.is_ascii_alphabetic()) && !plain.contains(':') => {
            "write the number, not a name: getent hosts NAME shows it".into()
        }
        _ => "four numbers of 0 to 255 with dots between them".into(),
    }
}

pub(super) fn listener(text: &str) -> Result<SocketAddr, Unfit> {
    let with_port = text.parse::<SocketAddr>();
    let parsed = with_port.or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DEFAULT_PORT)));
    let usable =
        |at: &SocketAddr| !at.ip().is_unspecified() && !at.ip().is_multicast() && (1..u16::MAX).contains(&at.port());
    parsed.ok().filter(usable).ok_or_else(|| {
        let ip = text.rsplit_once(':').map_or(text, |(ip, _)| ip);
        let hint = match ip.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() || ip.is_multicast() => "agents cannot call that address".into(),
            Ok(_) => format!("the port is 1 to 65534: \"{ip}:{DEFAULT_PORT}\""),
            Err(_) => mended_address(ip),
        };
        Unfit::not(text, "an address and port", hint)
    })
}

pub(super) fn mac(text: &str) -> Result<String, Unfit> {
    let unfit = |hint: &str| Unfit::not(text, "a MAC address", hint);
    let pairs: Vec<&str> = text.split(':').collect();
    let octet = |pair: &&str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten();
    let octets: Option<Vec<u8>> = pairs.iter().map(octet).collect();
    match octets.as_deref() {
        Some([0, 0, 0, 0, 0, 0]) => Err(unfit("it is all zeroes")),
        Some([first, _, _, _, _, _]) if first & 1 == 1 => Err(unfit("it is a multicast address, not a card's")),
        Some([_, _, _, _, _, _]) => Ok(text.to_lowercase()),
        _ => {
            let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
            let pairs: Vec<&str> = (0..digits.len())
                .step_by(2)
                .filter_map(|at| digits.get(at..at + 2))
                .collect();
            let only = text.chars().all(|c| c.is_ascii_hexdigit() || "-.: ".contains(c));
            Err(match only && digits.len() == 12 {
                true => unfit(&format!("did you mean \"{}\"?", pairs.join(":").to_lowercase())),
                false => unfit("six pairs of hex digits with colons; heeler node show NODE lists the cards"),
            })
        }
    }
}

/// ZFS ignores a smaller `zfs_arc_max` (64 MiB, zfs(4)).
const LEAST_ARC_BYTES: u64 = 64 << 20;

pub(super) fn size(text: &str) -> Result<u64, Unfit> {
    let unfit = |hint: String| Unfit::not(text, "a size", hint);
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start() {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        other => {
            let meant = ["KiB", "MiB", "GiB", "TiB"].into_iter().find(|unit| {
                other
                    .chars()
                    .next()
                    .is_some_and(|c| unit.starts_with(c.to_ascii_uppercase()))
            });
            return Err(match meant {
                Some(unit) if digits > 0 => unfit(format!("did you mean \"{number}{unit}\"?")),
                _ => unfit("write it as \"1GiB\"; the units are KiB, MiB, GiB, TiB".into()),
            });
        }
    };
    let number: u64 = number.parse().map_err(|_| unfit("write it as \"1GiB\"".into()))?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| unfit("it does not fit in 64 bits".into()))
}

pub(super) fn arc(text: &str) -> Result<u64, Unfit> {
    match size(text)? {
        bytes if bytes < LEAST_ARC_BYTES => Err(Unfit::new(
            format!("{text:?} is too small for arc_max"),
            "ZFS ignores less than 64MiB",
        )),
        bytes => Ok(bytes),
    }
}

pub(super) fn cluster_name(text: &str) -> Result<String, Unfit> {
    match NodeName::new(text) {
        Ok(name) if text.len() <= 15 => Ok(name.into()),
        _ => Err(Unfit::not(
            text,
            "a valid cluster name for Proxmox",
            "use lower-case letters, digits, and hyphens between them; at most 15",
        )),
    }
}

pub(super) fn node_name(text: &str) -> Result<NodeName, Unfit> {
    NodeName::new(text).map_err(|_| {
        Unfit::not(
            text,
            "a valid node name for Proxmox",
            "use lower-case letters, digits, and hyphens between them; at most 63",
        )
    })
}

pub(super) fn domain(text: &str) -> Result<Domain, Unfit> {
    Domain::new(text).map_err(|_| {
        let hint = "lower-case letters, digits and hyphens, with dots between them, such as \"example.lan\"";
        Unfit::not(text, "a domain", hint)
    })
}

pub(super) fn time_server(text: &str) -> Result<TimeServer, Unfit> {
    TimeServer::new(text).map_err(|_| {
        let hint = "an IP address, or a name in lower case such as \"2.debian.pool.ntp.org\"";
        Unfit::not(text, "a time server", hint)
    })
}

pub(super) fn serial(text: &str) -> Result<Serial, Unfit> {
    Serial::new(text).map_err(|_| Unfit::not(text, "a disk serial", "heeler disk list shows the serials"))
}

pub(super) fn pool_name(text: &str) -> Result<PoolName, Unfit> {
    PoolName::new(text).map_err(|_| {
        Unfit::not(
            text,
            "a valid pool name",
            "start with a letter; then letters, digits, - _ . : and not a vdev type such as mirror",
        )
    })
}

pub(super) fn dataset(name: &str, mountpoint: &str) -> Result<Dataset, Unfit> {
    let read = || {
        Ok(Dataset {
            name: dataset_name(name)?.to_owned(),
            mountpoint: Mountpoint::new(mountpoint)?,
        })
    };
    read().map_err(|invalid: Invalid| match invalid.field {
        "dataset" => Unfit::new(invalid.problem, "write it as \"data/pve-files\""),
        _ => {
            let short = shortest(mountpoint);
            match mountpoint.starts_with('/') && short != mountpoint && Mountpoint::new(&short).is_ok() {
                true => Unfit::new(invalid.problem, format!("write it as {short:?}")),
                false => Unfit::new(invalid.problem, "write it as \"/data/pve-files\", or \"none\""),
            }
        }
    })
}

fn shortest(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.flat_map(|part| ["/", part]).collect()
}

/// A short text for people: no control characters or others that move a terminal's cursor.
pub(super) fn label(text: &str) -> Result<String, Unfit> {
    if text.chars().any(is_hidden) || text.chars().count() > 80 {
        let message = format!("{text:?} is not a short text");
        return Err(Unfit::new(message, "write one line of at most 80 characters"));
    }
    Ok(text.to_owned())
}

pub(super) fn user_name(text: &str) -> Result<String, Unfit> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() <= 64 && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Unfit::not(
        text,
        "a user name",
        "start with a letter; then letters, digits, _ and -; at most 64",
    ))
}
