use heeler_host::disk::{Disk, Use};
use heeler_host::facts::{Facts, LegFact, Nic, PoolFact, PoolFacts};
use heeler_host::zpool::{Class, Unreadable};
use heeler_proto::{HostId, v1};

/// The facts about this machine as a message.
pub fn facts(facts: Facts) -> v1::Facts {
    let hardware = facts.hardware;
    let (pools, unreadable_pools) = pools(facts.pools);
    v1::Facts {
        pools,
        unreadable_pools,
        hostname: hardware.hostname,
        machine_id: hardware.machine_id,
        hardware_serial: hardware.serial,
        model: hardware.model,
        architecture: hardware.architecture,
        os: hardware.os,
        kernel: hardware.kernel,
        boot_id: hardware.boot_id,
        memory_bytes: hardware.memory_bytes,
        disks: facts.disks.into_iter().map(disk).collect(),
        nics: facts.nics.into_iter().map(nic).collect(),
        root_size_bytes: facts.root_bytes.0,
        root_available_bytes: facts.root_bytes.1,
        observed_at_ms: facts.observed_at_ms,
        hostid: facts.hostid.map(|id| HostId(id).to_string()).unwrap_or_default(),
        zfs_version: facts.zfs_version,
        agent_version: crate::VERSION.to_owned(),
        clock_synchronised: facts.clock_synchronised,
        schedule: None,
        paused: None,
        ..v1::Facts::default()
    }
}

/// Imported pools as messages: readable ones, and those whose status could not be read.
pub fn pools(facts: PoolFacts) -> (Vec<v1::Pool>, Vec<v1::UnreadablePool>) {
    let unreadable = facts.unreadable.into_iter().map(unreadable).collect();
    (facts.read.into_iter().map(pool).collect(), unreadable)
}

fn disk(disk: Disk) -> v1::Disk {
    let in_use = match disk.in_use() {
        Use::Blank => v1::DiskUse::Blank,
        Use::Pool => v1::DiskUse::Pool,
        Use::System => v1::DiskUse::System,
        Use::Foreign => v1::DiskUse::Foreign,
    };
    v1::Disk {
        finding: disk.state.finding(),
        pool_guid: disk.state.pool_guid().map(|guid| guid.to_string()).unwrap_or_default(),
        serial: disk.serial,
        by_id: disk.by_id,
        model: disk.model,
        size_bytes: disk.size_bytes,
        slot: disk.slot.map(String::from).unwrap_or_default(),
        transport: disk.transport,
        r#use: in_use.into(),
        kernel_name: disk.kernel_path.trim_start_matches("/dev/").to_owned(),
    }
}

fn nic(nic: Nic) -> v1::Nic {
    v1::Nic {
        name: nic.name,
        mac: nic.mac,
        bus: nic.bus,
        driver: nic.driver,
        speed_mbit: nic.speed_mbit,
        carrier: nic.carrier,
        addresses: nic.addresses,
        refusal: nic.refusal.map(|refusal| refusal.to_string()).unwrap_or_default(),
        operstate: nic.operstate,
        usb_mbit: nic.usb_mbit,
    }
}

pub(super) fn pool(pool: PoolFact) -> v1::Pool {
    v1::Pool {
        name: pool.name,
        guid: pool.guid.to_string(),
        state: pool.state,
        size_bytes: pool.size_bytes,
        allocated_bytes: pool.allocated_bytes,
        errors: pool.errors,
        scan_function: pool.scan_function,
        scan_state: pool.scan_state,
        scan_end_ms: pool.scan_end_ms,
        legs: pool.legs.into_iter().map(leg).collect(),
        comment: pool.comment,
        zfs_status: pool.status,
        available_bytes: pool.available_bytes,
        repaired_bytes: pool.repaired_bytes,
        scan_errors: pool.scan_errors,
        scan_start_ms: pool.scan_start_ms,
        readonly: pool.readonly,
        scan_end_seen_ms: 0,
    }
}

fn unreadable(pool: Unreadable) -> v1::UnreadablePool {
    v1::UnreadablePool {
        name: pool.name,
        reason: pool.reason,
    }
}

fn leg(leg: LegFact) -> v1::Leg {
    let class = match leg.class {
        Class::Data => v1::LegClass::Data,
        Class::Log => v1::LegClass::Log,
        Class::Cache => v1::LegClass::Cache,
        Class::Special => v1::LegClass::Special,
        Class::Dedup => v1::LegClass::Dedup,
        Class::Spare => v1::LegClass::Spare,
    };
    v1::Leg {
        class: class.into(),
        identified: !leg.serial.is_empty(),
        vdev: leg.top,
        serial: leg.serial,
        guid: leg.guid.to_string(),
        state: leg.state,
        read_errors: leg.read_errors,
        write_errors: leg.write_errors,
        checksum_errors: leg.checksum_errors,
        path: leg.path,
        ..v1::Leg::default()
    }
}
