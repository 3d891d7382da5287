use std::path::Path;

use super::armed::{Before, Written};
use super::{
    ARMED, Armed, CONFIRMED, DOUBT, FOR_GOOD, GuardError, REBOOTS, UNDOING, UNDONE, Undone, boot_id, failed,
    is_undoing, json, remove, text, write,
};
use crate::{Command, Content, File, RunError, System, UnitAction, ifupdown, ip, link, netplan, networkd};

/// The result of an undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undoing {
    /// No change was pending.
    Nothing,
    /// The pending change is confirmed, and stays.
    Confirmed,
    /// The change was undone.
    Done(Undone),
    /// Files and units are as before, and the machine reboots with them; the undo must run again in the next boot.
    Reboots,
}

/// Restores the files of the pending change and applies them. An interrupted undo continues when it runs again; the
/// change stays pending until the files are restored. Fails when a file cannot be restored; the change stays pending,
/// so run it again.
pub async fn undo(host: &dyn System) -> Result<Undoing, GuardError> {
    let Some(armed) = json::<Armed>(host, ARMED).await? else {
        return Ok(Undoing::Nothing);
    };
    let says = async |path| Ok::<_, GuardError>(text(host, path).await?.as_deref() == Some(armed.id.as_str()));
    // Once files may have been restored, the undo must be finished.
    let touched = format!("{}{FOR_GOOD}", armed.id);
    if !is_undoing(host, &armed.id).await? {
        write(host, UNDOING, armed.id.as_bytes().to_vec()).await?;
        // UNDOING stops `settle` from making the change permanent. A `settle` that began earlier removes ARMED first,
        // then CONFIRMED; reading them in the other order finds at least one of them changed.
        let confirmed = says(CONFIRMED).await?;
        let pending = json::<Armed>(host, ARMED).await?.is_some_and(|now| now.id == armed.id);
        if confirmed || !pending {
            if pending {
                remove(host, ARMED).await?;
            }
            remove(host, UNDOING).await?;
            return Ok(if confirmed {
                Undoing::Confirmed
            } else {
                Undoing::Nothing
            });
        }
        write(host, UNDOING, touched.clone().into_bytes()).await?;
    }
    for (path, before) in armed.way.files.iter().zip(&armed.before) {
        restore_file(host, path, before.as_ref()).await?;
    }
    restore_units(host, &armed).await?;
    if armed.way.at_boot && goes_back(host, &armed, &touched).await? {
        return Ok(Undoing::Reboots);
    }
    let mut reason = match text(host, DOUBT).await? {
        Some(doubt) => doubt,
        None => "nobody confirmed it in time".to_owned(),
    };
    for problem in bring_back(host, &armed).await {
        reason = format!("{reason}; while undoing it: {problem}");
    }
    let undone = Undone {
        id: armed.id,
        change: armed.way.change,
        at_ms: host.now_ms(),
        reason,
    };
    let bytes = serde_json::to_vec(&undone).map_err(|error| failed("write", Path::new(UNDONE))(error.into()))?;
    write(host, UNDONE, bytes).await?;
    for path in [ARMED, CONFIRMED, DOUBT, UNDOING] {
        remove(host, path).await?;
    }
    Ok(Undoing::Done(undone))
}

async fn restore_units(host: &dyn System, armed: &Armed) -> Result<(), GuardError> {
    for (unit, started) in armed.way.units.iter().zip(&armed.started) {
        let (Some(started), now) = (started, host.unit_state(unit).await?.enabled) else {
            continue;
        };
        match (now.as_str(), started) {
            ("disabled", true) => host.unit(unit, UnitAction::Enable).await?,
            ("enabled", false) => host.unit(unit, UnitAction::Disable).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Reboots, when the running system may have the change and this undo has not rebooted yet. Whether it has is on the
/// disk before the reboot is requested, so an undo that is interrupted here neither forgets the reboot nor repeats it.
async fn goes_back(host: &dyn System, armed: &Armed, touched: &str) -> Result<bool, GuardError> {
    let boot = boot_id(host).await?;
    let undoing = text(host, UNDOING).await?.unwrap_or_default();
    let from = undoing
        .strip_prefix(touched)
        .and_then(|rest| rest.strip_prefix(REBOOTS));
    if from.is_some_and(|from| from != boot) || from.is_none() && armed.is_of_boot(&boot) {
        return Ok(false);
    }
    write(host, UNDOING, format!("{touched}{REBOOTS}{boot}").into_bytes()).await?;
    host.reboot(false).await?;
    Ok(true)
}

async fn restore_file(host: &dyn System, path: &Path, before: Option<&Before>) -> Result<(), GuardError> {
    match before {
        None => host.remove(path).await.map_err(failed("remove", path)),
        Some(before) => {
            let file = File {
                path: path.to_owned(),
                content: Content::Plain(before.text.clone().into_bytes()),
                mode: before.mode,
            };
            host.write(&file).await.map_err(failed("write", path))
        }
    }
}

/// Applies the restored files to the running system. Problems are collected and the rest is done: after the next boot
/// only the files count.
async fn bring_back(host: &dyn System, armed: &Armed) -> Vec<String> {
    let way = &armed.way;
    // A reboot has applied them, or nothing was applied.
    if way.at_boot {
        return Vec::new();
    }
    let there = async |name: &str| host.list(&Path::new("/sys/class/net").join(name)).await.is_ok();
    let mut commands = Vec::new();
    if there(&way.name).await {
        commands.push(ip::flush(&way.name));
        if way.old_name != way.name && !there(&way.old_name).await {
            commands.push(ip::switch_off(&way.name));
            commands.push(ip::rename(&way.name, &way.old_name));
            commands.push(ip::switch_on(&way.old_name));
        }
    }
    commands.push(link::reload());
    let mut problems = Vec::new();
    match way.written {
        Written::Interfaces => commands.push(ifupdown::apply()),
        Written::Netplan => {
            // networkd may not have run before the change; without configuration it does nothing.
            if let Err(error) = host.unit(networkd::UNIT, UnitAction::Start).await {
                problems.push(error.to_string());
            }
            commands.push(netplan::generate());
            commands.extend(networkd::reconfigure(&way.old_name));
            if way.old_name != way.name && networkd::beside_network_manager(host).await {
                commands.push(networkd::managed(&way.old_name, true));
            }
        }
    }
    for command in &commands {
        problems.extend(problem(command, host.run(command).await));
    }
    problems
}

fn problem(command: &Command, result: Result<crate::Output, RunError>) -> Option<String> {
    match result {
        Ok(output) if output.ok() => None,
        Ok(output) => Some(format!("{command} ended with {}: {}", output.code, output.complaint())),
        Err(error) => Some(error.to_string()),
    }
}
