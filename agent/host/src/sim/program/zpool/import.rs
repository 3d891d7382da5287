use std::path::Path;

use super::{Answer, complained, printed, write_cache};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;
use crate::sim::words;
use crate::sim::zfs::{Imported, OnDisk, Open, PoolState, label};

/// `zpool import [-N] [-o readonly=on] -d /dev/disk/by-id [-o cachefile=…] NAME|GUID`.
pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    let (mounts, rest) = match args {
        ["-N", rest @ ..] => (false, rest),
        rest => (true, rest),
    };
    let (readonly, rest) = match rest {
        ["-o", "readonly=on", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (cached, name) = match rest {
        ["-d", "/dev/disk/by-id", "-o", "cachefile=/etc/zfs/zpool.cache", name] => (true, name),
        ["-d", "/dev/disk/by-id", "-o", "cachefile=none", name] => (false, name),
        ["-d", "/dev/disk/by-id", name] | [name] => (true, name),
        _ => return Ok(None),
    };
    if name.starts_with('-') {
        return Ok(None);
    }
    let pools = state.importable();
    let mut matching = pools.into_iter().filter(|pool| match name.parse::<u64>() {
        Ok(guid) => pool.config.guid == guid,
        Err(_) => pool.config.name == *name,
    });
    let answer = match (matching.next(), matching.next()) {
        (None, _) if is_imported(state, name) => name_taken(name),
        (None, _) => complained(1, format!("cannot import '{name}': no such pool available\n")),
        (Some(_), Some(_)) => complained(
            1,
            format!("cannot import '{name}': more than one matching pool\nimport by numeric ID instead\n"),
        ),
        (Some(pool), None) => import(state, &pool, cached, readonly)?,
    };
    if answer.ok() && mounts {
        super::super::zfs::mount_all(state);
    }
    Ok(Some(answer))
}

fn is_imported(state: &State, name: &str) -> bool {
    let mut pools = state.kernel.pools.iter().map(|pool| &pool.config);
    pools.any(|config| config.name == name || config.guid.to_string() == name)
}

fn name_taken(name: &str) -> Output {
    complained(
        1,
        format!(
            "cannot import '{name}': a pool with that name already exists\n\
             use the form 'zpool import <pool | id> <newpool>' to give it a new name\n"
        ),
    )
}

/// The reason goes to stderr, `words` to stdout.
fn refused(name: &str, why: &str, words: &str) -> Output {
    let mut answer = complained(1, format!("cannot import '{name}': {why}\n"));
    words.clone_into(&mut answer.stdout);
    answer
}

fn import(state: &mut State, found: &OnDisk, cached: bool, readonly: bool) -> Answer {
    let name = &found.config.name;
    if let Some(feature) = &found.config.unknown_feature {
        let words = format!("This pool uses the following feature(s) not supported by this system:\n\t{feature}\n");
        return Ok(refused(name, "unsupported version or feature", &words));
    }
    if state.was_elsewhere(&found.config) {
        return Ok(complained(
            1,
            format!(
                "cannot import '{name}': pool was previously in use from another system.\n\
                 Last accessed by {} (hostid={:x}) at {}\n\
                 The pool can be imported, use 'zpool import -f' to import the pool.\n",
                found.config.hostname,
                found.config.hostid,
                words::ctime(found.config.at_s)
            ),
        ));
    }
    if is_imported(state, name) {
        return Ok(refused(name, "pool already exists", ""));
    }
    if !found.whole {
        let words = "\tDestroy and re-create the pool from\n\ta backup source.\n";
        return Ok(refused(name, "I/O error", words));
    }
    let Some(mut pool) = opened(state, found, cached) else {
        return Ok(complained(
            1,
            format!("cannot import '{name}': one or more devices is currently unavailable\n"),
        ));
    };
    pool.readonly = readonly;
    pool.config.state = PoolState::Active;
    pool.config.hostid = state.hostid();
    pool.config.hostname.clone_from(&state.os.name);
    // ZFS resilvers a leg that is behind.
    pool.sync(&mut state.disks, state.clock.now_ms() / 1000);
    state.kernel.pools.push(pool);
    state.post("sysevent.fs.zfs.pool_import");
    state.power.point()?;
    write_cache(state);
    Ok(printed(""))
}

fn opened(state: &State, found: &OnDisk, cached: bool) -> Option<Imported> {
    let newest = found.present.iter().filter(|leg| leg.txg == found.config.txg);
    let contents = newest.into_iter().find_map(|leg| {
        let disk = state.disk_of(&leg.serial)?;
        label::contents(&state.disks[disk].bytes, leg.start)
    })?;
    let open = |guid: u64| {
        let present = found.present.iter().find(|leg| leg.guid == guid);
        Open {
            guid,
            serial: present.map(|leg| leg.serial.clone()),
            start: present.map_or(0, |leg| leg.start),
            size: present.map_or(0, |leg| leg.size),
        }
    };
    let open: Vec<Open> = found.config.legs.iter().map(|leg| open(leg.guid)).collect();
    open.iter().any(|leg| leg.serial.is_some()).then_some(Imported {
        config: found.config.clone(),
        contents,
        open,
        cached,
        readonly: false,
        full: false,
        resilver: None,
    })
}

/// `zpool import -c /etc/zfs/zpool.cache -aN`, as zfs-import-cache.service runs it.
pub(in crate::sim) fn from_cache(state: &mut State) {
    let cache = state.read(Path::new("/etc/zfs/zpool.cache")).unwrap_or_default();
    for guid in cache.as_chunks::<8>().0 {
        let guid = u64::from_ne_bytes(*guid);
        let pool = state.importable().into_iter().find(|pool| pool.config.guid == guid);
        if let Some(pool) = pool {
            // A refused pool is just not imported after the boot: nothing shows the message.
            let _ = import(state, &pool, true, false);
        }
    }
}
