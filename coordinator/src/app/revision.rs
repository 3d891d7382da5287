use heeler_proto::v1;
use heeler_store::Revision;

use super::{App, AppError, Result};
use crate::config::{self, Config, WantedNode};

impl App {
    /// The accepted revision; number 0 before the first apply. Fails when the database cannot be read.
    pub async fn accepted(&self) -> Result<v1::Revision> {
        let accepted = self.store.read().await?.accepted().await?;
        Ok(accepted.map(wire).unwrap_or_default())
    }

    /// Parses a candidate heeler.toml. Fails when it has mistakes or names another cluster.
    pub(super) fn read_candidate(&self, text: &str) -> Result<Vec<WantedNode>> {
        let config = config::parse(text).map_err(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            AppError::Invalid(errors.join("\n"))
        })?;
        self.check_cluster(&config)?;
        Ok(config.wanted_nodes())
    }

    fn check_cluster(&self, config: &Config) -> Result<()> {
        let named = &config.cluster.value;
        if *named == self.cluster {
            return Ok(());
        }
        let own = &self.cluster;
        Err(AppError::Invalid(format!(
            "heeler.toml:{}: it describes the cluster {named:?} and this is the coordinator of {own:?}. Is it the right folder? --config DIR",
            config.cluster.place.line
        )))
    }
}

/// The nodes of a revision. Empty when this version cannot parse its text.
pub(super) fn wanted(revision: Option<&Revision>) -> Vec<WantedNode> {
    let config = revision.and_then(|revision| config::parse(&revision.text).ok());
    config.map(|config| config.wanted_nodes()).unwrap_or_default()
}

fn wire(revision: Revision) -> v1::Revision {
    v1::Revision {
        number: revision.number,
        text: revision.text,
        sha256: revision.sha256.to_vec(),
        git_commit: revision.git_commit,
        dirty_lines: revision.dirty_lines,
        accepted_at_ms: revision.accepted_at_ms,
        operator: revision.operator,
    }
}
