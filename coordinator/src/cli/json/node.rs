use heeler_proto::v1::{Disk, DiskRecord, Facts, Leg, Nic, NodeInfo, Pause, Pool};
use serde_json::{Value, json};

use super::word;

pub(in super::super) fn node(node: &NodeInfo) -> Value {
    json!({
        "node": node.node,
        "state": node.state,
        "connected": node.connected,
        "last_seen_ms": node.last_seen_ms,
        "certificate_expires_ms": node.certificate_expires_ms,
        "key_sha256": node.key_sha256,
        "host_key": node.host_key,
        "hardware_serial": node.hardware_serial,
        "hostid": node.hostid,
        "facts": node.facts.as_ref().map(facts),
        "pause": node.pause.as_ref().map(pause),
    })
}

pub(in super::super) fn pause(pause: &Pause) -> Value {
    json!({
        "reason": pause.reason,
        "operator": pause.operator,
        "since_ms": pause.since_ms,
        "until_ms": pause.until_ms,
    })
}

pub(in super::super) fn facts(facts: &Facts) -> Value {
    json!({
        "hostname": facts.hostname,
        "machine_id": facts.machine_id,
        "hardware_serial": facts.hardware_serial,
        "model": facts.model,
        "architecture": facts.architecture,
        "os": facts.os,
        "kernel": facts.kernel,
        "boot_id": facts.boot_id,
        "memory_bytes": facts.memory_bytes,
        "hostid": facts.hostid,
        "zfs_version": facts.zfs_version,
        "agent_version": facts.agent_version,
        "clock_synchronised": facts.clock_synchronised,
        "observed_at_ms": facts.observed_at_ms,
        "disks": facts.disks.iter().map(disk).collect::<Vec<_>>(),
        "nics": facts.nics.iter().map(nic).collect::<Vec<_>>(),
        "pools": facts.pools.iter().map(pool).collect::<Vec<_>>(),
    })
}

pub(in super::super) fn disk_record(record: &DiskRecord) -> Value {
    json!({
        "node": record.node,
        "present": record.present,
        "recorded_guid": record.recorded_guid,
        "disk": record.disk.as_ref().map(disk),
    })
}

fn disk(disk: &Disk) -> Value {
    json!({
        "serial": disk.serial,
        "by_id": disk.by_id,
        "model": disk.model,
        "size_bytes": disk.size_bytes,
        "slot": disk.slot,
        "transport": disk.transport,
        "use": word(disk.r#use().as_str_name(), "DISK_USE_"),
        "finding": disk.finding,
        "pool_guid": disk.pool_guid,
        "kernel_name": disk.kernel_name,
    })
}

fn nic(nic: &Nic) -> Value {
    json!({
        "name": nic.name,
        "mac": nic.mac,
        "bus": nic.bus,
        "driver": nic.driver,
        "speed_mbit": nic.speed_mbit,
        "carrier": nic.carrier,
        "addresses": nic.addresses,
    })
}

pub(super) fn pool(pool: &Pool) -> Value {
    json!({
        "name": pool.name,
        "guid": pool.guid,
        "state": pool.state,
        "size_bytes": pool.size_bytes,
        "allocated_bytes": pool.allocated_bytes,
        "errors": pool.errors,
        "scan_function": pool.scan_function,
        "scan_state": pool.scan_state,
        "scan_end_ms": pool.scan_end_ms,
        "comment": pool.comment,
        "legs": pool.legs.iter().map(leg).collect::<Vec<_>>(),
    })
}

fn leg(leg: &Leg) -> Value {
    json!({
        "serial": leg.serial,
        "guid": leg.guid,
        "state": leg.state,
        "read_errors": leg.read_errors,
        "write_errors": leg.write_errors,
        "checksum_errors": leg.checksum_errors,
        "path": leg.path,
    })
}
