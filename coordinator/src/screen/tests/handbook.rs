use heeler_proto::v1::{CopyInfo, HandbookDisk, HandbookNode, HandbookPool, HandbookReply, SecretInfo};

use super::*;

fn disk(slot: &str, serial: &str, pool: &str, leg_state: &str) -> HandbookDisk {
    HandbookDisk {
        slot: slot.into(),
        serial: serial.into(),
        model: "TS128GMTE400S".into(),
        size_bytes: 128_035_676_160,
        pool: pool.into(),
        leg_state: leg_state.into(),
        finding: "looks blank (sampled)".into(),
        present: true,
    }
}

fn pool(state: &str) -> HandbookPool {
    HandbookPool {
        name: "data".into(),
        guid: "1".into(),
        state: state.into(),
        size_bytes: 127_775_277_056,
        allocated_bytes: 50_000_000_000,
        ours: true,
    }
}

fn book() -> HandbookReply {
    let left = HandbookNode {
        node: "k8sctl-pi5l".into(),
        state: v1::NodeState::Enrolled.into(),
        location: "left, top shelf".into(),
        address: "10.10.80.50".into(),
        backplane: "10.10.99.50".into(),
        user: "pi".into(),
        model: "Raspberry Pi 5 Model B Rev 1.0".into(),
        hardware_serial: "10000000deadbeef".into(),
        looked_at_ms: fleet::NOW - 60_000,
        pools: vec![pool("ONLINE")],
        disks: vec![
            disk("A", "S6XNNS0W100001", "data", "ONLINE"),
            disk("B", "S6XNNS0W100002", "data", "ONLINE"),
        ],
        ..HandbookNode::default()
    };
    let gone = HandbookDisk {
        present: false,
        ..disk("B", "S6XNNS0W100004", "data", "")
    };
    let right = HandbookNode {
        node: "k8sctl-pi5r".into(),
        location: String::new(),
        address: "10.10.80.51".into(),
        backplane: String::new(),
        pools: vec![pool("DEGRADED")],
        disks: vec![disk("A", "S6XNNS0W100003", "data", "ONLINE"), gone],
        ..left.clone()
    };
    let missing = HandbookNode {
        node: "k8sctl-pi5x".into(),
        address: "10.10.80.52".into(),
        ..HandbookNode::default()
    };
    HandbookReply {
        at_ms: fleet::NOW,
        cluster: "k8sctl".into(),
        revision: 7,
        host: "k8sctl-mgmt".into(),
        addresses: vec!["10.10.80.9:7443".into()],
        state: "/var/lib/heeler".into(),
        config: "/home/me/fleet".into(),
        operators: vec!["me".into(), "partner".into()],
        recovery_key: true,
        backup_at_ms: fleet::NOW - 9 * 86_400_000,
        backup_by: "me".into(),
        copies: vec![CopyInfo {
            node: "k8sctl-pi5l".into(),
            at_ms: fleet::NOW - 1_800_000,
            ..CopyInfo::default()
        }],
        nodes: vec![left, right, missing],
    }
}

#[test]
fn the_handbook_fits_80_columns() {
    looks("handbook", include_str!("handbook.txt"), |screen| {
        handbook(&book(), &TimeZone::UTC, screen)
    });
}

#[test]
fn an_empty_fleets_handbook_has_no_gaps() {
    let empty = shown(80, |screen| handbook(&HandbookReply::default(), &TimeZone::UTC, screen));
    for line in [
        "No node was added yet.",
        "  backup      never made: heeler backup create FILE",
        "  copies      no node holds one",
        "  operators   none",
    ] {
        assert!(empty.contains(line), "{line}:\n{empty}");
    }
}

#[test]
fn secrets_are_listed_without_what_is_in_them() {
    let secret = |name: &str, opens| SecretInfo {
        name: name.into(),
        set_at_ms: fleet::NOW - 7_200_000,
        set_by: "me".into(),
        opens,
    };
    assert_eq!(
        shown(80, |_| secrets(
            &[secret("pve-token", true), secret("tail", false)],
            fleet::NOW
        )),
        "SECRET     SET  BY  STATE\npve-token  2 h  me  ok\ntail       2 h  me  DOES NOT OPEN: set it again\n"
    );
}
