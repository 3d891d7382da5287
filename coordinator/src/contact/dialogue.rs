use async_trait::async_trait;
use heeler_proto::NodeName;

use super::ContactError;
use super::hostkey::Fingerprint;

/// The node for which a password is asked.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: &'a NodeName,
    /// As given to ssh: `user@host` or a name of its configuration.
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

    /// Asks for the node's sudo password. Called only when sudo wants one, after the host key was accepted.
    ///
    /// # Errors
    /// [`ContactError::NoPassword`] when nobody can be asked.
    async fn password(&mut self, host: &Host<'_>) -> Result<String, ContactError>;

    /// Asks for a text; None when nobody can be asked.
    async fn typed(&mut self, question: &str) -> Option<String>;

    /// Asks yes or no; no when nobody can be asked.
    async fn confirm(&mut self, question: &str) -> bool;
}
