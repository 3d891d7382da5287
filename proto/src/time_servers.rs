use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Domain, Invalid, Spec};

/// A time server: an IP address of a machine, or a name in lower case such as `2.debian.pool.ntp.org`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeServer(String);

impl TimeServer {
    /// Fails for anything but such an address or name.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let good = match text.parse::<IpAddr>() {
            Ok(address) => !address.is_unspecified() && !address.is_multicast(),
            Err(_) => Domain::new(text).is_ok(),
        };
        match good {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("time server", format!("{text:?} is not a time server"))),
        }
    }
}
text!(TimeServer);

/// Task: the node's clock follows these time servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureTime {
    /// 1 to [`EnsureTime::MOST_SERVERS`], none twice.
    pub servers: Vec<TimeServer>,
}

impl EnsureTime {
    /// More add nothing: three find a wrong one among them.
    pub const MOST_SERVERS: usize = 8;
}

impl Spec for EnsureTime {
    fn check(&self) -> Result<(), Invalid> {
        let servers = &self.servers;
        let twice = |at: usize| servers[..at].contains(&servers[at]);
        let bad = match servers.len() {
            0 => "there is none".to_owned(),
            more if more > Self::MOST_SERVERS => format!("{more} are more than {}", Self::MOST_SERVERS),
            _ => match (0..servers.len()).find(|at| twice(*at)) {
                Some(at) => format!("{} is there twice", servers[at]),
                None => return Ok(()),
            },
        };
        Err(Invalid::new("servers", bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_server_is_a_plain_address_or_name() {
        for good in ["10.10.80.1", "fd00::1", "time.example.lan", "2.debian.pool.ntp.org"] {
            assert_eq!(TimeServer::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "0.0.0.0",
            "224.0.1.1",
            "a b",
            "a\nNTP=b",
            "-x",
            "10.10.80.1:123",
            "Time.example.lan",
        ] {
            assert!(TimeServer::new(bad).is_err(), "{bad}");
        }
    }
}
