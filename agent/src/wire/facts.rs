use heeler_host::disk::{Disk, Use};
use heeler_host::facts::{Facts, LegFact, Nic, PoolFact};
use heeler_proto::{HostId, v1};

/// Facts of this machine.
pub fn facts(facts: Facts) -> v1::Facts {
    let hardware = facts.hardware;
    v1::Facts {
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
        pools: facts.pools.into_iter().map(pool).collect(),
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

fn disk(disk: Disk) -> v1::Disk {
    let in_use = match disk.in_a_word() {
        Use::Blank => v1::DiskUse::Blank,
        Use::Pool => v1::DiskUse::Pool,
        Use::System => v1::DiskUse::System,
        Use::Foreign => v1::DiskUse::Foreign,
    };
    v1::Disk {
        finding: disk.verdict.finding(),
        pool_guid: disk
            .verdict
            .pool_guid()
            .map(|guid| guid.to_string())
            .unwrap_or_default(),
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
        ..v1::Pool::default()
    }
}

fn leg(leg: LegFact) -> v1::Leg {
    v1::Leg {
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
