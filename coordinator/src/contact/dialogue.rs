use async_trait::async_trait;
use heeler_proto::NodeName;

use super::Result;
use super::hostkey::Fingerprint;

/// The node for which a password is asked.
pub struct Host<'a> {
    pub node: &'a NodeName,
    pub destination: &'a str,
    /// The host key that ssh has accepted; None before that.
    pub key: Option<&'a Fingerprint>,
    /// Whether an earlier contact pinned this key.
    pub known: bool,
}

/// What first contact tells and asks the person.
#[async_trait]
pub trait Dialogue: Send {
    /// Shows one line of progress.
    fn say(&mut self, text: &str);

    /// Asks for the node's sudo password. Called only when sudo wants one, after the host key was accepted. Fails with
    /// [`ContactError::NoPassword`] when nobody can be asked.
    async fn password(&mut self, host: &Host<'_>) -> Result<String>;

    /// Asks for a text; None when nobody can be asked.
    async fn typed(&mut self, question: &str) -> Option<String>;

    /// Asks yes or no; no when nobody can be asked.
    async fn confirm(&mut self, question: &str) -> bool;
}
