use super::{App, AppError, Result, enrol};
use crate::pki::{NodeRequest, issue_node};
use crate::sessions::Session;
use heeler_proto::v1::EventKind;

impl App {
    /// Signs a new certificate for the session's key. Returns the chain (PEM). Fails when the request is for another
    /// key, or the node was revoked.
    pub async fn renew(&self, session: &Session, csr: &[u8]) -> Result<String> {
        let now_ms = self.now_ms();
        let request = NodeRequest::parse(csr).map_err(|error| AppError::Denied(error.to_string()))?;
        if request.key_sha256 != session.key_sha256 {
            return Err(AppError::Denied(
                "a certificate is renewed for the same key only".to_owned(),
            ));
        }
        if !self.renewals.allows(&session.node, now_ms) {
            return Err(AppError::Throttled);
        }
        let mut tx = self.store.write().await?;
        let mut node = super::session::admitted(&mut tx, &session.node, &session.key_sha256).await?;
        let issued = issue_node(&self.authorities.now().ca, &request, &session.node, now_ms)?;
        node.certificate_expires_ms = issued.expires_at_ms;
        tx.set_node(&node).await?;
        tx.add_certificate(&enrol::certificate(&session.node, &request, &issued, now_ms))
            .await?;
        let text = "certificate renewed for 7 days";
        self.save_and_tell(tx, EventKind::Renewed, session.node.as_str(), text)
            .await?;
        Ok(issued.chain)
    }
}
