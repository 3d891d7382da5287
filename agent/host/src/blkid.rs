//! `blkid -p`: the superblocks on a device.

use std::collections::BTreeMap;

use crate::ask::ONE_DISK;
use crate::{Command, Output, RunError, System};

/// The result of a low-level probe (blkid(8)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Exit code 2: nothing known.
    Nothing,
    /// Exit code 0: tags by name, such as TYPE, LABEL, PTTYPE.
    Found(BTreeMap<String, String>),
    /// Exit code 8: signatures that contradict each other.
    Ambivalent,
}

/// `blkid -p -o export DEVICE`: only reads.
pub fn command(device: &str) -> Command {
    Command::look("blkid")
        .args(["-p", "-o", "export", device])
        .timeout(ONE_DISK)
}

/// Probes a disk or partition. Fails when the device cannot be opened, or the output cannot be read.
pub async fn probe(host: &dyn System, device: &str) -> Result<Probe, RunError> {
    let command = command(device);
    let output = host.run(&command).await?;
    parse(&command, &output)
}

pub(crate) fn parse(command: &Command, output: &Output) -> Result<Probe, RunError> {
    match output.code {
        // blkid also exits with 2, and prints nothing, when it cannot open a device; wipefs fails then.
        2 if output.stdout.trim().is_empty() && output.stderr.trim().is_empty() => Ok(Probe::Nothing),
        8 => Ok(Probe::Ambivalent),
        0 => {
            let named = output.stdout.lines().filter_map(|line| line.split_once('='));
            let named = named.filter(|(name, _)| *name != "DEVNAME");
            let mut tags = BTreeMap::new();
            tags.extend(named.map(|(name, value)| (name.to_owned(), value.to_owned())));
            if tags.is_empty() {
                return Err(RunError::unreadable(command, "it found something and named nothing"));
            }
            Ok(Probe::Found(tags))
        }
        _ => Err(RunError::failed(command, output)),
    }
}
