use heeler_proto::v1::SnapshotAsk;
use heeler_proto::v1::snapshot_ask::Ask;
use heeler_proto::{Consent, ReleaseHold};

use crate::journal::{Entry, Used, permits_alone};
use crate::shared::Shared;

impl Shared {
    /// Checks the consent of a request. A hold protects a snapshot from everybody, so its release needs an operator's
    /// consent for exactly that, which is stored as used first. Other requests need none. Its error: why it is not
    /// permitted, with what to type.
    pub async fn permit_ask(&self, ask: &SnapshotAsk) -> Result<(), String> {
        let Some(Ask::Release(release)) = &ask.ask else {
            return Ok(());
        };
        let no = |why: &str| {
            format!("the hold stays: {why}. As an operator: heeler snapshot release NODE SNAPSHOT --tag TAG")
        };
        let consent = release
            .consent
            .clone()
            .ok_or_else(|| no("no consent came with the request"))?;
        let consent = Consent::try_from(consent).map_err(|invalid| no(&invalid.to_string()))?;
        let act = ReleaseHold {
            snapshot: release.snapshot.clone(),
            tag: release.tag.clone(),
        };
        let operators = self.trusted.operators();
        let who = (&self.config.node, operators.as_ref());
        permits_alone(&self.journal.state(), &consent, &act.digest(), who, self.clock.now_ms()).map_err(no)?;
        let used = Used {
            consent: consent.id,
            task: consent.task,
            act: consent.act,
            expires_at_ms: consent.expires_at_ms,
            spent: true,
        };
        let written = self.journal.append(Entry::Used(used)).await;
        written.map_err(|error| no(&format!("the consent could not be marked as used: {error}")))
    }
}
