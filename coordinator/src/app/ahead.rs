use heeler_proto::{Generation, v1};
use heeler_store::{Node, Pause, Tx};

use super::{App, AppError};
use crate::caller::COORDINATOR;

impl App {
    /// A node that has done what this database knows nothing of: another coordinator led it, or this one before it was
    /// restored from an older copy. It is given nothing until a person has looked. What it counts from is taken over, so
    /// that nothing that it did is asked of it again and nothing that it says is taken for old.
    pub(super) async fn compare(&self, tx: &mut Tx, node: &mut Node, hello: &v1::Hello) -> Result<(), AppError> {
        let theirs = Generation::from(hello.generation.unwrap_or_default());
        let Some(found) = self.ahead(node, hello, theirs) else {
            return Ok(());
        };
        let stranger = node.agent_version.is_empty();
        node.counter = node.counter.max(theirs.counter);
        node.acknowledged = hello.acknowledged.max(node.acknowledged);
        if theirs.epoch >= self.epoch() {
            self.raise_epoch(tx, theirs.epoch + 1).await?;
        }
        if stranger {
            // `heeler node add` by SSH was the person's word.
            let text = format!("taken over from another coordinator: {found}");
            self.audit(tx, "node taken over", &node.name, &found).await?;
            tx.add_event(&self.event("taken over", &node.name, text)).await?;
            return Ok(());
        }
        let reason = format!("it has done what this coordinator does not know of: {found}");
        tx.pause(&Pause {
            node: node.name.clone(),
            reason: reason.clone(),
            operator: COORDINATOR.to_owned(),
            since_ms: self.now_ms(),
            until_ms: 0,
        })
        .await?;
        self.audit(tx, "node paused", &node.name, &reason).await?;
        tx.add_event(&self.event("paused", &node.name, reason)).await?;
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

    /// No generation of this coordinator is older than one that a node has accepted.
    async fn raise_epoch(&self, tx: &mut Tx, epoch: u64) -> Result<(), AppError> {
        tx.set_meta("epoch", &epoch.to_string()).await?;
        self.epoch.fetch_max(epoch, std::sync::atomic::Ordering::AcqRel);
        Ok(())
    }
}
