use heeler_proto::NodeName;
use heeler_proto::Word as _;
use heeler_proto::v1::AlarmKind;

use super::{App, Result};

/// For this long an alarm about the same field is not repeated.
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
    /// Writes an alarm about a message that was not accepted; not again for the same field within a day. Fails when the
    /// database cannot be written.
    pub async fn tell_refused(&self, node: &NodeName, refused: &Refused) -> Result<()> {
        let mut tx = self.store.read().await?;
        let since_ms = self.now_ms().saturating_sub(AGAIN_MS);
        let alarms = tx.alarms_since(since_ms).await?;
        let (node, kind) = (node.as_str(), AlarmKind::MessageRefused);
        drop(tx);
        if alarms.iter().any(|alarm| {
            (alarm.node.as_str(), alarm.alarm.as_str(), alarm.subject.as_str()) == (node, kind.word(), refused.field)
        }) {
            return Ok(());
        }
        let tx = self.store.write().await?;
        self.save_with_event(tx, self.alarm((kind, refused.field), node, refused.why.as_str()))
            .await?;
        Ok(())
    }
}
