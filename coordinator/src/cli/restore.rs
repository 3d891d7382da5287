//! What `backup restore` and `init --recover` have in common.

use std::path::{Path, PathBuf};

use heeler_proto::json;

use super::error::{failed, file};
use super::lock::Lock;
use super::place::{read_config, write_whole};
use super::{CliError, Console, Context, Exit, Result, git};
use crate::backup::{Manifest, Opener, Recovery, Restore, Restored, may_replace, restore};
use crate::config::{FILE, parse_bytes};
use crate::screen::{self, Line};
use crate::state::StateFolder;

pub(super) struct RestoreFrom<'a> {
    pub(super) archive: &'a Path,
    /// Opener, and the recovery key when it is not a passphrase.
    pub(super) key: (Opener, Option<Recovery>),
    /// Folder for heeler.toml; None: where one is found, else where the backup says.
    pub(super) folder: Option<PathBuf>,
    /// Whether an existing coordinator may be put aside.
    pub(super) replace: bool,
}

pub(super) async fn restore_state(
    how: RestoreFrom<'_>,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit> {
    let state = StateFolder::new(context.state());
    let (found, cluster) = target(how.folder, how.replace, context)?;
    let now_ms = context.clock.now_ms();
    let (opener, recovery) = how.key;
    let options = Restore {
        archive: how.archive,
        opener,
        recovery: recovery.as_ref(),
        state: &state,
        cluster: cluster.as_deref(),
        config: found.as_deref(),
        replace: how.replace,
        operator: &context.around.login(),
    };
    let restored = restore(options, now_ms).await.map_err(failed)?;
    let folder = found.unwrap_or_else(|| noted(&state, context));
    let written = give_back_text(&folder, &restored).await?;
    let mut lines = vec![Line::of(format!("{} is restored.", state.path().display()))];
    lines.extend(described(&restored.manifest, now_ms, console));
    lines.extend(after(&restored, &folder, written, console));
    console.answer(
        json::Restore {
            state: state.path().display().to_string(),
            config: folder.display().to_string(),
            heeler_toml_written: written,
            epoch: restored.epoch,
            aside: restored.aside.map(|path| path.display().to_string()),
            open_tasks: restored.open_tasks as u64,
            nodes: restored.nodes,
            operators: restored.operators,
            backup: Some(restored.manifest),
        },
        |_| lines,
    )
}

/// Folder and cluster of heeler.toml; `folder` is the one that the user named. Checks everything that would prevent
/// the restore before anybody is asked for a key.
pub(super) fn target(
    folder: Option<PathBuf>,
    replace: bool,
    context: &Context<'_>,
) -> Result<(Option<PathBuf>, Option<String>)> {
    may_replace(&StateFolder::new(context.state()), replace).map_err(failed)?;
    let found = folder.or_else(|| {
        let found = context.config();
        found.join(FILE).is_file().then_some(found)
    });
    let described_there = found.as_ref().filter(|folder| folder.join(FILE).is_file());
    let cluster = match described_there {
        Some(folder) => {
            let config = parse_bytes(&read_config(folder)?).map_err(CliError::Config)?;
            Some(config.cluster.value)
        }
        None => None,
    };
    Ok((found, cluster))
}

/// Describes a backup: cluster, age, content.
pub(super) fn described(manifest: &Manifest, now_ms: u64, console: &Console<'_>) -> Vec<Line> {
    let at = screen::date(manifest.created_at_ms, &console.zone);
    let age = screen::ago(manifest.created_at_ms, now_ms);
    let thin = if manifest.thin { ", without older events" } else { "" };
    vec![
        Line::of(format!(
            "  cluster {}, as it was at {at} ({age} ago){thin}",
            manifest.cluster
        )),
        Line::of(format!(
            "  {} files, audit log up to entry {}",
            manifest.files.len(),
            manifest.audit_seq
        )),
    ]
}

fn after(restored: &Restored, folder: &Path, written: bool, console: &Console<'_>) -> Vec<Line> {
    let mut said = Vec::new();
    if let Some(aside) = &restored.aside {
        said.push(format!("The previous state is kept: {}", aside.display()));
    }
    if written {
        let number = restored.accepted.as_ref().map_or(0, |(number, _)| *number);
        said.push(format!("heeler.toml of revision {number} is in {}", folder.display()));
    }
    if restored.open_tasks > 0 {
        said.push(format!(
            "{} tasks were running when the backup was made: they count as failed, and none starts again by itself.",
            restored.open_tasks
        ));
    }
    said.push(
        "Later events are not in the backup. Nodes that did more since then are paused until you resume them. Nodes \
         that were added or revoked since then must be added or revoked again."
            .to_owned(),
    );
    said.push(format!(
        "Operators who are trusted again, as at that time: {}. Any of them who was revoked later can connect and \
         consent until you revoke them again: heeler operator list, then heeler operator revoke NAME.",
        restored.operators.join(", ")
    ));
    let mut lines = vec![Line::new()];
    let wrapped = said.iter().flat_map(|text| screen::wrap(text, console.screen.width));
    lines.extend(wrapped.map(Line::of));
    lines.push(Line::new());
    lines.push(Line::of("Next: heeler serve"));
    lines.push(Line::of(
        "      and once the nodes are back: heeler status, heeler plan",
    ));
    lines
}

/// Writes the accepted text when there is no heeler.toml any more.
async fn give_back_text(folder: &Path, restored: &Restored) -> Result<bool> {
    let path = folder.join(FILE);
    let Some((number, text)) = restored.accepted.as_ref().filter(|_| !path.exists()) else {
        return Ok(false);
    };
    std::fs::create_dir_all(folder).map_err(file("make", folder))?;
    write_whole(&path, text)?;
    Lock::of(*number, text).write(folder)?;
    git::make_repository(folder).await;
    Ok(true)
}

/// The folder of heeler.toml that the backup names; the current folder when it does not exist.
fn noted(state: &StateFolder, context: &Context<'_>) -> PathBuf {
    let line = std::fs::read_to_string(state.config()).unwrap_or_default();
    let noted = PathBuf::from(line.trim());
    if noted.is_dir() {
        noted
    } else {
        context.around.folder.clone()
    }
}
