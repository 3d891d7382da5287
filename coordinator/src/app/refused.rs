use heeler_proto::NodeName;

use super::{App, AppError};

/// An alarm that says the same is not written again for so long.
const AGAIN_MS: u64 = 24 * 60 * 60 * 1000;

/// A message of a node that was beyond a bound of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What was beyond its bound, as the .proto files name it.
    pub field: &'static str,
    /// In words.
    pub why: String,
}

impl App {
    /// A person is told once that a node's message was not taken, and why.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn tell_refused(&self, node: &NodeName, refused: &Refused) -> Result<(), AppError> {
        let mut tx = self.store.read().await?;
        let since_ms = self.now_ms().saturating_sub(AGAIN_MS);
        let alarms = tx.alarms_since(since_ms).await?;
        let node = node.as_str();
        drop(tx);
        if alarms
            .iter()
            .any(|alarm| alarm.node == node && alarm.text == refused.why)
        {
            return Ok(());
        }
        let tx = self.store.write().await?;
        self.tell(tx, self.event("alarm", node, refused.why.as_str())).await?;
        Ok(())
    }
}
