use std::path::{Path, PathBuf};

use heeler_proto::v1::{BeginContactReply, OperatorKey, Past};
use heeler_proto::{NodeName, hex};
use serde_json::{Value, json};

use super::{ContactError, Result};

pub const BINARY: &str = "/usr/local/sbin/heeler-agent";
pub const UNIT: &str = "/etc/systemd/system/heeler-agent.service";
pub const GUARD: &str = "/etc/systemd/system/heeler-guard.service";
pub const GUARD_TIMER: &str = "/etc/systemd/system/heeler-guard.timer";
pub const CONFIG: &str = "/etc/heeler/agent.json";
/// Path of the join token, until it is used.
pub const TOKEN: &str = "/etc/heeler/token";

const UNIT_TEXT: &str = include_str!("../../../packaging/dist/agent/usr/lib/systemd/system/heeler-agent.service");
const GUARD_TEXT: &str = include_str!("../../../packaging/dist/agent/usr/lib/systemd/system/heeler-guard.service");
const GUARD_TIMER_TEXT: &str = include_str!("../../../packaging/dist/agent/usr/lib/systemd/system/heeler-guard.timer");

/// A file to install on the node.
pub struct Part {
    /// Absolute path.
    pub path: &'static str,
    /// Permission bits, as for chmod.
    pub mode: u32,
    pub bytes: Vec<u8>,
}

impl Part {
    /// SHA-256 in hex, as sha256sum prints it.
    pub fn sha256(&self) -> String {
        hex(ring::digest::digest(&ring::digest::SHA256, &self.bytes).as_ref())
    }

    /// What the node answers to LOOK when this file is installed.
    pub fn as_looked_at(&self) -> String {
        format!("file {} {} {:o}", self.path, self.sha256(), self.mode)
    }
}

/// The agent's unit, and the guard's unit and timer. The guard undoes a network change that cuts the agent off.
pub fn units() -> [Part; 3] {
    [(UNIT, UNIT_TEXT), (GUARD, GUARD_TEXT), (GUARD_TIMER, GUARD_TIMER_TEXT)].map(|(path, text)| Part {
        path,
        mode: 0o644,
        bytes: text.as_bytes().to_vec(),
    })
}

/// The agent's configuration, with mode 0600.
pub fn config(node: &NodeName, told: &BeginContactReply) -> Part {
    let enrolment: Vec<String> = told
        .addresses
        .iter()
        .filter_map(|address| address.rsplit_once(':'))
        .map(|(host, _)| format!("{host}:{}", told.enrolment_port))
        .collect();
    let mut value = json!({
        "node": node,
        "coordinators": told.addresses,
        "enrolment": enrolment,
        "ca_certificate": told.ca_certificate,
        "operators": keys(&told.operators),
    });
    // An older agent does not know this key, and most fleets do not need it.
    if let Some(past) = told.past.as_ref().filter(|past| **past != Past::default()) {
        let in_hex = |all: &[Vec<u8>]| all.iter().map(|one| hex(one)).collect::<Vec<_>>();
        value["past"] = json!({
            "statements": in_hex(&past.statements),
            "revoked": keys(&past.revoked),
            "dropped": in_hex(&past.dropped),
            "announced": past.announced,
        });
    }
    Part {
        path: CONFIG,
        mode: 0o600,
        bytes: format!("{value:#}\n").into_bytes(),
    }
}

fn keys(keys: &[OperatorKey]) -> Vec<Value> {
    let key = |key: &OperatorKey| json!({ "name": key.name, "public_key": key.public_key_pem });
    keys.iter().map(key).collect()
}

pub fn token(token: &str) -> Part {
    Part {
        path: TOKEN,
        mode: 0o600,
        bytes: format!("{token}\n").into_bytes(),
    }
}

/// The agent for `machine` (`uname -m`), from `folder` or the folders of the package or a build. Fails when there is
/// none, with the paths that were tried.
pub fn binary(machine: &str, folder: Option<&Path>) -> Result<Part> {
    let places = places(machine, folder);
    for place in &places {
        let Ok(bytes) = std::fs::read(place) else { continue };
        if elf_machine(&bytes) == Some(machine) {
            return Ok(Part {
                path: BINARY,
                mode: 0o755,
                bytes,
            });
        }
    }
    let looked = places.iter().map(|place| place.display().to_string()).collect();
    Err(ContactError::NoAgent {
        machine: machine.to_owned(),
        looked,
    })
}

fn places(machine: &str, folder: Option<&Path>) -> Vec<PathBuf> {
    let named = format!("heeler-agent-{machine}");
    if let Some(folder) = folder {
        return vec![folder.join(named), folder.join("heeler-agent")];
    }
    let mut places = Vec::new();
    if let Some(beside) = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_path_buf))
    {
        let target = beside.join("..");
        places.push(beside.join(&named));
        places.push(target.join(format!("{machine}-unknown-linux-musl/agent/heeler-agent")));
        places.push(target.join("agent/heeler-agent"));
        places.push(beside.join("heeler-agent"));
    }
    places.push(Path::new("/usr/lib/heeler").join(named));
    places
}

/// The machine of a 64-bit little-endian ELF file (e_machine, elf(5)).
fn elf_machine(bytes: &[u8]) -> Option<&'static str> {
    match bytes.get(..20)? {
        [0x7f, b'E', b'L', b'F', 2, 1, .., 0x3e, 0] => Some("x86_64"),
        [0x7f, b'E', b'L', b'F', 2, 1, .., 0xb7, 0] => Some("aarch64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_chosen_by_its_architecture() {
        let folder = tempfile::tempdir().unwrap();
        let mut arm = vec![0x7f, b'E', b'L', b'F', 2, 1];
        arm.resize(20, 0);
        arm[18] = 0xb7;
        std::fs::write(folder.path().join("heeler-agent-x86_64"), &arm).unwrap();
        std::fs::write(folder.path().join("heeler-agent"), &arm).unwrap();
        assert!(matches!(
            binary("x86_64", Some(folder.path())),
            Err(ContactError::NoAgent { .. })
        ));
        assert_eq!(binary("aarch64", Some(folder.path())).unwrap().bytes, arm);
    }

    #[test]
    fn the_config_names_every_address_for_both_listeners() {
        let told = BeginContactReply {
            addresses: vec!["10.0.0.1:7443".into(), "[fd00::1]:7443".into()],
            enrolment_port: 7444,
            past: Some(Past::default()),
            ..BeginContactReply::default()
        };
        let part = config(&NodeName::new("pi").unwrap(), &told);
        let value: serde_json::Value = serde_json::from_slice(&part.bytes).unwrap();
        assert_eq!(value["enrolment"], json!(["10.0.0.1:7444", "[fd00::1]:7444"]));
        assert_eq!(part.mode, 0o600);
        assert_eq!(value.get("past"), None, "an agent of an earlier version reads it");
    }
}
