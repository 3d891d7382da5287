//! `zdb -l`: ZFS's labels, four on each vdev, two at each end. Works without the kernel module.

use crate::ask::ONE_DISK;
use crate::{Command, Output, RunError, System};

/// The labels on one device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Each distinct label once, the newest first.
    pub labels: Vec<Label>,
    /// Exit code 1: some of the four labels could not be read.
    pub damaged: bool,
}

/// One distinct label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The pool's name; empty for a spare or a cache device.
    pub name: String,
    /// The pool's guid; 0 for a spare or a cache device.
    pub pool_guid: u64,
    /// The vdev's own guid.
    pub guid: u64,
    /// The transaction group (txg) of its last change.
    pub txg: u64,
    /// The state of the pool.
    pub state: LabelState,
    /// Host id of the machine that last used the pool; 0 when unknown.
    pub hostid: u64,
    /// Host name of the machine that last used the pool; empty when unknown.
    pub hostname: String,
    /// Which of the four labels, 0 to 3, are equal to this one.
    pub copies: Vec<u8>,
}

/// `state` in a label: POOL_STATE_* of OpenZFS (sys/fs/zfs.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelState {
    /// 0: imported, or not exported before its machine went down.
    #[default]
    Active,
    /// 1: exported.
    Exported,
    /// 2: destroyed.
    Destroyed,
    /// 3: a spare.
    Spare,
    /// 4: a cache device.
    Cache,
    /// Any other number.
    Other(u64),
}

/// `zdb -l DEVICE`.
pub fn labels_command(device: &str) -> Command {
    Command::look("zdb").args(["-l", device]).timeout(ONE_DISK)
}

/// The labels on a disk or partition; without any it succeeds. Fails when zdb is not installed, or its output cannot be
/// read.
pub async fn labels(host: &dyn System, device: &str) -> Result<Labels, RunError> {
    let command = labels_command(device);
    let output = host.run(&command).await?;
    parse(&command, &output)
}

pub(crate) fn parse(command: &Command, output: &Output) -> Result<Labels, RunError> {
    let mut labels: Vec<Label> = Vec::new();
    for line in output.stdout.lines() {
        if line.starts_with("LABEL") || line.contains("(Bad label cksum)") {
            labels.push(Label::default());
            continue;
        }
        let Some(label) = labels.last_mut() else { continue };
        if let Some(copies) = line.trim().strip_prefix("labels = ") {
            label.copies = copies.split_whitespace().filter_map(|one| one.parse().ok()).collect();
        } else if let Some((key, value)) = top_level(line) {
            take(label, key, value);
        }
    }
    // The labels of spares and cache devices name no pool.
    labels.retain(|label| label.pool_guid != 0 || label.guid != 0 || !label.name.is_empty());
    labels.sort_by_key(|label| std::cmp::Reverse(label.txg));
    match output.code {
        0 | 1 if !labels.is_empty() => Ok(Labels {
            labels,
            damaged: output.code == 1,
        }),
        2 if labels.is_empty() && output.stdout.contains("failed to unpack label") => Ok(Labels::default()),
        _ => Err(RunError::failed(command, output)),
    }
}

/// A field of the label itself is indented by four columns; deeper ones belong to the vdev tree.
fn top_level(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("    ").filter(|rest| !rest.starts_with(' '))?;
    let (key, value) = rest.split_once(": ")?;
    Some((key, value.trim().trim_matches('\'')))
}

fn take(label: &mut Label, key: &str, value: &str) {
    let number = || value.parse().unwrap_or(0);
    match key {
        "name" => value.clone_into(&mut label.name),
        "hostname" => value.clone_into(&mut label.hostname),
        "pool_guid" => label.pool_guid = number(),
        "guid" => label.guid = number(),
        "txg" => label.txg = number(),
        "hostid" => label.hostid = number(),
        "state" => {
            label.state = match number() {
                0 => LabelState::Active,
                1 => LabelState::Exported,
                2 => LabelState::Destroyed,
                3 => LabelState::Spare,
                4 => LabelState::Cache,
                other => LabelState::Other(other),
            }
        }
        _ => {}
    }
}
