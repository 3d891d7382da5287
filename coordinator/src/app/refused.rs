use heeler_proto::NodeName;

use super::{App, AppError};

/// For this long an alarm with the same text is not repeated.
const AGAIN_MS: u64 = 24 * 60 * 60 * 1000;

/// A node's message beyond a bound of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Name of the field in the .proto files.
    pub field: &'static str,
    /// What was found and what is allowed, for a person.
    pub why: String,
}

impl App {
    /// Writes an alarm about a message that was not accepted; not again for the same text within a day.
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
        self.save_with_event(tx, self.event("alarm", node, refused.why.as_str()))
            .await?;
        Ok(())
    }
}
