use std::path::PathBuf;

use heeler_proto::v1::PlanRequest;

use super::lock::Lock;
use super::place::read_config;
use super::{CliError, Context, git};
use crate::config::{Config, parse_bytes};
use crate::screen::Checkout;

/// heeler.toml as it lies here, read, with what this checkout has seen.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) folder: PathBuf,
    pub(super) text: String,
    pub(super) config: Config,
    pub(super) checkout: Checkout,
    pub(super) lock: Lock,
}

impl Candidate {
    pub(super) fn read(context: &Context) -> Result<Self, CliError> {
        let folder = context.config();
        let bytes = read_config(&folder)?;
        let config = parse_bytes(&bytes).map_err(CliError::Config)?;
        Ok(Self {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            config,
            checkout: git::checkout(&folder),
            lock: Lock::read(&folder)?,
            folder,
        })
    }

    /// For these nodes; for all when there are none.
    pub(super) fn request(&self, nodes: &[String]) -> Result<PlanRequest, CliError> {
        for node in nodes {
            if !self.config.nodes.iter().any(|known| known.name.value.as_str() == node) {
                let known: Vec<&str> = self.config.nodes.iter().map(|node| node.name.value.as_str()).collect();
                let known = known.join(", ");
                return Err(CliError::Other(format!(
                    "heeler.toml has no node {node}\nIt has: {known}"
                )));
            }
        }
        Ok(PlanRequest {
            text: self.text.clone(),
            git_commit: self.checkout.commit.clone(),
            dirty_lines: self.checkout.dirty_lines,
            parent: self.lock.revision,
            nodes: nodes.to_vec(),
            skip_reading: Vec::new(),
        })
    }
}
