use std::collections::HashMap;

use heeler_proto::v1::{self, EventKind, StepOutcome};
use heeler_store::{Drift, Tx};
use prost::Message as _;

use super::{App, Result, decoded, revision, share, spec};
use crate::sessions::Session;

/// Most bytes of a look that are stored: the status reads those of every node.
const KEPT: usize = 256 << 10;

impl App {
    /// The request that compares a node with the accepted revision, and the revision's number; None when the revision
    /// wants nothing of it.
    pub(super) async fn comparison(&self, tx: &mut Tx, node: &str) -> Result<Option<(u64, v1::PreviewRequest)>> {
        let accepted = tx.accepted().await?;
        let all = revision::wanted(accepted.as_ref());
        let wanted = all.iter().find(|wanted| wanted.name.as_str() == node);
        let (Some(accepted), Some(wanted), Some(node)) = (accepted, wanted, tx.node(node).await?) else {
            return Ok(None);
        };
        let tasks = spec::tasks(tx, &self.cluster, &node, wanted).await?;
        if tasks.is_empty() {
            return Ok(None);
        }
        let tasks = tasks.into_iter().map(Into::into).collect();
        Ok(Some((accepted.number, v1::PreviewRequest { tasks })))
    }

    /// Stores what a comparison with the revision found. Drift is reported as an event once, when the comparison before
    /// found none.
    pub(super) async fn compared(&self, session: &Session, revision: u64, steps: &[v1::StepReport]) -> Result<()> {
        let node = session.node.as_str();
        let mut tx = self.store.write().await?;
        let before = of(&mut tx, node).await?.map(|drift| differing(&drift.steps).count());
        keep(&mut tx, node, revision, steps, self.now_ms()).await?;
        let found: Vec<_> = differing(steps).collect();
        match (before.unwrap_or(0), found.first()) {
            (0, Some(first)) if found.iter().all(|step| step.outcome() == StepOutcome::Change) => {
                let text = format!("differs from revision {revision}: {}", what(first));
                self.save_and_tell(tx, EventKind::Drift, node, text).await?;
            }
            _ => tx.save().await?,
        }
        Ok(())
    }
}

/// Stores a look at that revision. It replaces an earlier one, whichever request it came from.
pub(super) async fn keep(tx: &mut Tx, node: &str, revision: u64, steps: &[v1::StepReport], at_ms: u64) -> Result<()> {
    let shown = v1::Drift {
        at_ms,
        revision,
        steps: share::shortened_steps(KEPT, steps),
    };
    let drift = Drift {
        node: node.to_owned(),
        revision,
        at_ms,
        shown: shown.encode_to_vec(),
    };
    Ok(tx.set_drift(&drift).await?)
}

/// The last look at each node, where it was a look at that revision; by node.
pub(super) async fn all(tx: &mut Tx, revision: u64) -> Result<HashMap<String, v1::Drift>> {
    let drifts = tx.drifts(revision).await?.into_iter();
    let drifts = drifts.map(|drift| Ok((drift.node, decoded("the last look at a node", &drift.shown)?)));
    drifts.collect()
}

/// The last look at a node; None before the first.
pub(super) async fn of(tx: &mut Tx, node: &str) -> Result<Option<v1::Drift>> {
    let drift = tx.drift(node).await?;
    drift
        .map(|drift| decoded("the last look at a node", &drift.shown))
        .transpose()
}

/// The steps whose state on the machine differs from what is wanted.
pub(super) fn differing(steps: &[v1::StepReport]) -> impl Iterator<Item = &v1::StepReport> {
    let off = [StepOutcome::Change, StepOutcome::Blocked];
    steps.iter().filter(move |step| off.contains(&step.outcome()))
}

/// One line about the step.
pub(super) fn what(step: &v1::StepReport) -> String {
    match (step.ops.first(), &step.blocked) {
        (Some(op), _) => op.summary.clone(),
        (None, Some(blocked)) => blocked.found.clone(),
        (None, None) => step.step.clone(),
    }
}
