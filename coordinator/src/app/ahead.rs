use heeler_proto::{
    Generation,
    v1::{self, EventKind},
};
use heeler_store::{Node, Pause, Tx};

use super::who::COORDINATOR;
use super::{App, Result};
use crate::init::epoch_at;

/// In epochs, which are Unix seconds: 100 years. No real coordinator is further ahead of this one.
const MOST_AHEAD: u64 = 100 * 366 * 24 * 60 * 60;
/// No real counter reaches this.
const MOST_COUNTED: u64 = 1 << 53;

impl App {
    /// The reason to refuse a hello whose counts are impossible. Accepted, they would use up the numbers of the whole
    /// fleet.
    pub(super) fn impossible(&self, hello: &v1::Hello) -> Option<String> {
        let said = Generation::from(hello.generation.unwrap_or_default());
        let possible = self.epoch().max(epoch_at(self.now_ms())).saturating_add(MOST_AHEAD);
        let counted = said.counter.max(hello.acknowledged).max(hello.last_event);
        (said.epoch > possible || counted > MOST_COUNTED).then(|| {
            format!(
                "reports impossible counts: assignment {}.{}, events up to {}, {} of them acknowledged; refused",
                said.epoch, said.counter, hello.last_event, hello.acknowledged
            )
        })
    }

    /// Detects a node that has done work which this database does not know: another coordinator led it, or this one
    /// before it was restored from an older copy. Pauses the node until a person decides. Takes over its counts, so
    /// that no work is repeated and none of its new events is taken for an old one.
    pub(super) async fn compare(&self, tx: &mut Tx, node: &mut Node, hello: &v1::Hello) -> Result<()> {
        let theirs = Generation::from(hello.generation.unwrap_or_default());
        let Some(found) = self.ahead(node, hello, theirs) else {
            return Ok(());
        };
        let unknown = node.agent_version.is_empty();
        node.counter = node.counter.max(theirs.counter);
        node.acknowledged = hello.acknowledged.max(node.acknowledged);
        if theirs.epoch >= self.epoch() {
            self.raise_epoch(tx, theirs.epoch + 1).await?;
        }
        if unknown {
            // The person decided that with `heeler node add` over SSH.
            let text = format!("taken over from another coordinator: {found}");
            self.audit(tx, COORDINATOR, "node taken over", &node.name, &found)
                .await?;
            tx.add_event(&self.event(EventKind::TakenOver, &node.name, text))
                .await?;
            return Ok(());
        }
        let waits = tx.pause_of(&node.name, self.now_ms()).await?;
        if waits.is_some_and(|pause| pause.operator == COORDINATOR) {
            return Ok(());
        }
        let reason = format!("it has done work that this coordinator has no record of: {found}");
        tx.pause(&Pause {
            node: node.name.clone(),
            reason: reason.clone(),
            operator: COORDINATOR.to_owned(),
            since_ms: self.now_ms(),
            until_ms: 0,
        })
        .await?;
        self.audit(tx, COORDINATOR, "node paused", &node.name, &reason).await?;
        tx.add_event(&self.event(EventKind::Paused, &node.name, reason)).await?;
        Ok(())
    }

    fn ahead(&self, node: &Node, hello: &v1::Hello, theirs: Generation) -> Option<String> {
        if theirs.epoch > self.epoch() || theirs.counter > node.counter {
            return Some(format!(
                "assignment {}.{}, the last one on record is number {}",
                theirs.epoch, theirs.counter, node.counter
            ));
        }
        (hello.acknowledged > node.acknowledged).then(|| {
            format!(
                "events up to {} were taken from it, {} are on record",
                hello.acknowledged, node.acknowledged
            )
        })
    }

    /// Raises this coordinator's epoch above one that a node has accepted, or the node would refuse its assignments.
    async fn raise_epoch(&self, tx: &mut Tx, epoch: u64) -> Result<()> {
        tx.set_meta("epoch", &epoch.to_string()).await?;
        self.epoch.fetch_max(epoch, std::sync::atomic::Ordering::AcqRel);
        Ok(())
    }
}
