use std::path::PathBuf;

use heeler_proto::v1::PlanRequest;

use super::lock::Lock;
use super::place::read_config;
use super::{CliError, Context, Result, git, given};
use crate::config::{Config, parse_bytes};
use crate::known::short;
use crate::screen::Checkout;

/// heeler.toml of this folder, parsed, with the git and lock state of the checkout.
pub(super) struct Candidate {
    pub(super) folder: PathBuf,
    pub(super) text: String,
    pub(super) config: Config,
    pub(super) checkout: Checkout,
    pub(super) lock: Lock,
}

impl Candidate {
    pub(super) async fn read(context: &Context<'_>) -> Result<Self> {
        let folder = context.config();
        let bytes = read_config(&folder)?;
        let config = parse_bytes(&bytes).map_err(CliError::Config)?;
        Ok(Self {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            config,
            checkout: git::checkout(&folder).await,
            lock: Lock::read(&folder)?,
            folder,
        })
    }

    /// A plan request for these nodes, or for all when the list is empty.
    pub(super) fn request(&self, nodes: &[String]) -> Result<PlanRequest> {
        given::once("node", nodes)?;
        for node in nodes {
            let names = self.config.nodes.iter().map(|known| known.name.value.as_str());
            let what = format!("heeler.toml has no node {}", short(node));
            given::one_of(&what, node, names, "heeler.toml")?;
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
