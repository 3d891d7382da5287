use async_trait::async_trait;
use heeler_proto::NodeName;

use super::ContactError;
use super::hostkey::Fingerprint;

/// A node that asks for a password.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: &'a NodeName,
    /// As given to ssh.
    pub destination: &'a str,
    /// The host key that it shows, and that ssh has accepted.
    pub key: Option<&'a Fingerprint>,
    /// The key was pinned by an earlier contact.
    pub known: bool,
}

/// The person, as first contact needs them.
#[async_trait]
pub trait Dialogue: Send {
    /// One line of what happens.
    fn say(&mut self, text: &str);

    /// The sudo password for this node: asked for only when its sudo wants one, after its host key was accepted.
    ///
    /// # Errors
    /// [`ContactError::NoPassword`] when there is nobody to ask.
    async fn password(&mut self, host: &Host<'_>) -> Result<String, ContactError>;

    /// What a person types after a question; None when there is nobody to ask.
    async fn typed(&mut self, question: &str) -> Option<String>;

    /// Yes or no; no when there is nobody to ask.
    async fn confirm(&mut self, question: &str) -> bool;
}
