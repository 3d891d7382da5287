use async_trait::async_trait;
use heeler_proto::NodeName;

use super::ContactError;

/// The person, as first contact needs them.
#[async_trait]
pub trait Dialogue: Send {
    /// One line of what happens.
    fn say(&mut self, text: &str);

    /// The sudo password: asked for once a run, and only when sudo wants one.
    ///
    /// # Errors
    /// [`ContactError::NoPassword`] when there is nobody to ask.
    async fn password(&mut self, node: &NodeName) -> Result<String, ContactError>;

    /// Yes or no; no when there is nobody to ask.
    async fn confirm(&mut self, question: &str) -> bool;
}
