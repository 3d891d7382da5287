use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Answer, complained, printed, write_cache};
use crate::Output;
use crate::sim::device::Device;
use crate::sim::disk::gpt::{self, Partition};
use crate::sim::power::Gone;
use crate::sim::state::State;
use crate::sim::zfs::{Config, Contents, Dataset, Imported, Leg, Open, PoolState, label};

use super::labelclear::user;

/// The largest difference in size between the legs of a mirror (`ZPOOL_FUZZ`).
const FUZZ: u64 = 16 << 20;

/// The parsed command line.
#[derive(Default)]
struct CreateRequest<'a> {
    dry: bool,
    pool: BTreeMap<String, String>,
    root: BTreeMap<String, String>,
    name: &'a str,
    mirror: bool,
    legs: Vec<&'a str>,
}

fn parse<'a>(mut args: &[&'a str]) -> Option<CreateRequest<'a>> {
    let mut request = CreateRequest::default();
    let pair = |text: &str| {
        text.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    loop {
        match args {
            ["-n", rest @ ..] => {
                request.dry = true;
                args = rest;
            }
            ["-o", property, rest @ ..] => {
                request.pool.extend([pair(property)?]);
                args = rest;
            }
            ["-O", property, rest @ ..] => {
                request.root.extend([pair(property)?]);
                args = rest;
            }
            [name, "mirror", legs @ ..] if !name.starts_with('-') && legs.len() > 1 => {
                (request.name, request.mirror, request.legs) = (name, true, legs.to_vec());
                return Some(request);
            }
            [name, leg] if !name.starts_with('-') => {
                (request.name, request.legs) = (name, vec![*leg]);
                return Some(request);
            }
            // Also refuses -f, which overrides the checks that protect data and which Heeler never uses.
            _ => return None,
        }
    }
}

pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    let Some(request) = parse(args) else { return Ok(None) };
    create(state, &request).map(Some)
}

fn create(state: &mut State, request: &CreateRequest) -> Answer {
    let mut devices = Vec::new();
    for leg in &request.legs {
        match state.device(leg) {
            Some(device) if device.partition.is_none() => devices.push(device),
            Some(_) => panic!("the simulated zpool makes pools of whole disks only: {leg}"),
            None => return Ok(complained(1, format!("cannot resolve path '{leg}'\n"))),
        }
    }
    if let Some(text) = in_use(state, request, &devices) {
        return Ok(complained(1, text));
    }
    if request.dry {
        return Ok(layout(request));
    }
    let mut config = label_disks(state, request, &devices)?;
    if state.kernel.pools.iter().any(|pool| pool.config.name == request.name) {
        return Ok(complained(
            1,
            format!("cannot create '{}': pool already exists\n", request.name),
        ));
    }
    let places: Vec<Open> = devices.iter().map(|device| opened(state, device)).collect();
    for (leg, place) in config.legs.iter_mut().zip(&places) {
        leg.guid = place.guid;
    }
    for (device, place) in devices.iter().zip(&places) {
        label::write_bare(
            &mut state.disks[device.disk].bytes,
            place.start,
            place.size,
            &config,
            place.guid,
        );
        state.power.point()?;
    }
    let contents = contents(state, request);
    config.txg = 4;
    for (device, place) in devices.iter().zip(&places) {
        for txg in 1..=config.txg {
            let config = Config { txg, ..config.clone() };
            let bytes = &mut state.disks[device.disk].bytes;
            label::write(bytes, place.start, place.size, &config, &contents, place.guid);
        }
        state.power.point()?;
    }
    state.kernel.pools.push(Imported {
        cached: request.pool.get("cachefile").is_none_or(|file| file != "none"),
        readonly: false,
        open: places,
        config,
        contents,
        full: false,
        resilver: None,
    });
    state.post("sysevent.fs.zfs.pool_create");
    write_cache(state);
    state.power.point()?;
    super::super::zfs::mount(state, request.name);
    Ok(printed(""))
}

/// The reason to refuse, one line for each disk; None when there is none.
fn in_use(state: &State, request: &CreateRequest, devices: &[Device]) -> Option<String> {
    let mut held = String::new();
    let mut refused = String::new();
    for (path, device) in request.legs.iter().zip(devices) {
        let all = state.devices();
        let parts: Vec<&Device> = all.iter().filter(|one| one.disk == device.disk).collect();
        if parts.iter().any(|part| state.is_held(part)) || state.pool_on(device).is_some() {
            let kind = content(state, device).unwrap_or_else(|| "unknown".to_owned());
            let _ = writeln!(held, "{path} is in use and contains a {kind} filesystem.");
            continue;
        }
        let table = gpt::read(&state.disks[device.disk].bytes);
        if table.is_none_or(|table| table.label != "gpt") {
            let found = content(state, device).and_then(|kind| refusal(state, path, device, &kind));
            refused.push_str(&found.unwrap_or_default());
            continue;
        }
        let partitions = parts
            .iter()
            .filter_map(|part| Some((part, part.partition.as_ref()?.number)));
        let mut found = partitions
            .filter_map(|(part, number)| refusal(state, &format!("{path}-part{number}"), part, &content(state, part)?));
        refused.push_str(&found.next().unwrap_or_default());
    }
    let sizes = devices.iter().map(|device| device.size);
    let spread = sizes.clone().max().unwrap_or(0) - sizes.min().unwrap_or(0);
    if held.is_empty() && refused.is_empty() && request.mirror && spread > FUZZ {
        refused.push_str("mirror contains devices of different sizes\n");
    }
    if !refused.is_empty() {
        let head = "invalid vdev specification\nuse '-f' to override the following errors:\n";
        refused.insert_str(0, head);
    }
    let text = held + &refused;
    (!text.is_empty()).then_some(text)
}

fn content(state: &State, device: &Device) -> Option<String> {
    let bytes = &state.disks[device.disk].bytes;
    let found = crate::sim::disk::signature::find(bytes, device.start, device.size);
    found.first().map(|signature| signature.kind.to_owned())
}

fn refusal(state: &State, path: &str, device: &Device, kind: &str) -> Option<String> {
    if kind != "zfs_member" {
        return Some(format!("{path} contains a filesystem of type '{kind}'\n"));
    }
    user(state, device).map(|(how, pool)| format!("{path} is part of {how} pool '{pool}'\n"))
}

fn layout(request: &CreateRequest) -> Output {
    let mut text = format!("would create '{0}' with the following layout:\n\n\t{0}\n", request.name);
    let indent = if request.mirror { "    " } else { "  " };
    if request.mirror {
        text.push_str("\t  mirror\n");
    }
    for leg in &request.legs {
        let _ = writeln!(text, "\t{indent}{}", leg.rsplit('/').next().unwrap_or(leg));
    }
    printed(text)
}

/// The program first writes a partition table to each whole disk, one disk after the other.
fn label_disks(state: &mut State, request: &CreateRequest, devices: &[Device]) -> Result<Config, Gone> {
    for device in devices {
        let random = &mut state.random;
        let reserved = 16_384;
        let end = (device.size / 512 - 2048) / 2048 * 2048;
        let data = Partition {
            number: 1,
            start: 2048,
            sectors: end - reserved - 2048,
            kind: gpt::ZFS.to_owned(),
            uuid: random.uuid().to_uppercase(),
            name: format!("zfs-{:016x}", random.next()),
        };
        let rest = Partition {
            number: 9,
            start: end - reserved,
            sectors: reserved,
            kind: gpt::ZFS_RESERVED.to_owned(),
            uuid: random.uuid().to_uppercase(),
            name: String::new(),
        };
        gpt::write(&mut state.disks[device.disk].bytes, 34, &[data, rest], random);
        state.power.point()?;
    }
    let hostid = state.hostid();
    let random = &mut state.random;
    let path = |leg: &&str| Leg {
        guid: 0,
        path: match leg.strip_prefix("/dev/nvme") {
            Some(_) => format!("{leg}p1"),
            None => format!("{leg}-part1"),
        },
    };
    Ok(Config {
        name: request.name.to_owned(),
        guid: random.guid(),
        txg: 0,
        state: PoolState::Active,
        hostid,
        hostname: state.os.name.clone(),
        at_s: state.clock.now_ms() / 1000,
        comment: request.pool.get("comment").cloned().unwrap_or_default(),
        mirror_guid: random.guid(),
        legs: request.legs.iter().map(path).collect(),
        asize: devices.iter().map(|device| device.size).min().unwrap_or(0) / (1 << 24) * (1 << 24) - (1 << 24),
        unknown_feature: None,
    })
}

fn opened(state: &mut State, device: &Device) -> Open {
    let disk = &state.disks[device.disk];
    let table = gpt::read(&disk.bytes);
    let first = table.and_then(|table| table.partitions.into_iter().next());
    let (start, size) = first.map_or((0, device.size), |part| (part.start * 512, part.sectors * 512));
    Open {
        guid: state.random.guid(),
        serial: Some(disk.serial.clone()),
        start,
        size,
    }
}

fn contents(state: &mut State, request: &CreateRequest) -> Contents {
    let root = Dataset {
        name: request.name.to_owned(),
        guid: state.random.guid(),
        createtxg: 1,
        creation_s: state.clock.now_ms() / 1000,
        properties: request.root.clone(),
        files: crate::sim::tree::Tree::default(),
        snaps: Vec::new(),
        origin: None,
    };
    Contents {
        properties: request.pool.clone(),
        datasets: vec![root],
        scrub: None,
    }
}
