use std::collections::BTreeSet;

use heeler_proto::{
    TrustChange,
    v1::{self, EventKind},
};
use heeler_store::{Authority, Digest, NodeState, Stage, Tx};
use rustls::pki_types::CertificateDer;
use v1::rotate_authority_request::Step;

use super::{App, AppError, Result, Who, nodes};
use crate::pki::{Ca, expires_ms};

/// The stages of an authority: made, announced, current, old, dropped. Each step is one transaction. The files in the
/// state folder are changed after it; after a crash in between, the next start corrects them.
impl App {
    /// The authorities, and the nodes that block the next step. Fails when the database cannot be read.
    pub async fn show_authorities(&self) -> Result<v1::ShowAuthoritiesReply> {
        let mut tx = self.store.read().await?;
        let all = tx.authorities().await?;
        let waiting = self.in_the_way(&mut tx, &all).await?;
        let info = |authority: Authority| v1::AuthorityInfo {
            stage: match authority.stage {
                Stage::Made => v1::AuthorityStage::Made,
                Stage::Next => v1::AuthorityStage::Next,
                Stage::Current => v1::AuthorityStage::Current,
                Stage::Old | Stage::Dropped => v1::AuthorityStage::Old,
            }
            .into(),
            sha256: authority.sha256.to_vec(),
            since_ms: authority.since_ms,
            expires_ms: expires_ms(&authority.certificate),
            certificate: authority.certificate,
        };
        let shown = all.into_iter().filter(|authority| authority.stage != Stage::Dropped);
        Ok(v1::ShowAuthoritiesReply {
            authorities: shown.map(info).collect(),
            waiting,
            cluster: self.cluster.clone(),
        })
    }

    /// Takes one step of a rotation. A step that was already taken changes nothing. Fails when it is not the next step,
    /// a node blocks it, or the operator's signature is missing or for another authority.
    pub async fn rotate(&self, request: v1::RotateAuthorityRequest, who: &Who) -> Result<v1::ShowAuthoritiesReply> {
        let mut tx = self.store.write().await?;
        for name in request.without.iter().collect::<BTreeSet<_>>() {
            nodes::known(&mut tx, name).await?;
        }
        let all = tx.authorities().await?;
        let at = |stage: Stage| all.iter().find(|authority| authority.stage == stage);
        let now_ms = self.now_ms();
        let turn = |what: &str| AppError::Refused(format!("{what}. See where it is: heeler ca show"));
        match (request.step(), at(Stage::Made), at(Stage::Next), at(Stage::Old)) {
            (Step::Make, None, None, None) => {
                let made = self.authorities.next(&self.cluster, now_ms)?;
                tx.add_authority(&authority(&made, Stage::Made, now_ms)).await?;
                tx.save().await?;
            }
            (Step::Begin, Some(made), None, None) => {
                let (_, change) = self.take_statement(&mut tx, request.statement).await?;
                let wanted = TrustChange::AddAuthority {
                    certificate: made.certificate.clone(),
                };
                if change != wanted {
                    return Err(AppError::Denied("the signature is for another authority".to_owned()));
                }
                tx.set_stage(&made.sha256, Stage::Next, now_ms).await?;
                let text = "a new certificate authority was announced";
                self.audit(&mut tx, &who.name, "authority", "", text).await?;
                tx.add_event(&self.event(EventKind::Authority, "", text)).await?;
                self.changed_trust(tx).await?;
                // From here on an operator's certificate comes with both authorities.
                self.take_over(&mut self.store.read().await?).await?;
            }
            (Step::Switch, None, Some(next), None) => {
                self.nobody_in_the_way(&mut tx, &all, &request.without).await?;
                let current = at(Stage::Current).ok_or(AppError::Stored { what: "the authority" })?;
                tx.set_stage(&current.sha256, Stage::Old, now_ms).await?;
                tx.set_stage(&next.sha256, Stage::Current, now_ms).await?;
                let text = "the new certificate authority signs from now on";
                self.audit(&mut tx, &who.name, "authority", "", text).await?;
                tx.add_event(&self.event(EventKind::Authority, "", text)).await?;
                let last = tx.added_event();
                tx.save().await?;
                self.feed.stored(last);
                self.take_over(&mut self.store.read().await?).await?;
                self.tell_all().await?;
            }
            (Step::Drop, None, None, Some(old)) => {
                self.nobody_in_the_way(&mut tx, &all, &request.without).await?;
                let (_, change) = self.take_statement(&mut tx, request.statement).await?;
                if change != (TrustChange::DropAuthority { sha256: old.sha256 }) {
                    return Err(AppError::Denied("the signature is for another authority".to_owned()));
                }
                tx.set_stage(&old.sha256, Stage::Dropped, now_ms).await?;
                let text = "the old certificate authority is no longer trusted";
                self.audit(&mut tx, &who.name, "authority", "", text).await?;
                tx.add_event(&self.event(EventKind::Authority, "", text)).await?;
                self.changed_trust(tx).await?;
                self.take_over(&mut self.store.read().await?).await?;
                self.authorities.settle()?;
            }
            (Step::Make, Some(_), None, None)
            | (Step::Begin, None, Some(_), None)
            | (Step::Switch, None, None, Some(_))
            | (Step::Drop, None, None, None) => {}
            (Step::Unspecified, ..) => return Err(AppError::Invalid("the request has no step".to_owned())),
            _ => return Err(turn("this is not the next step of the rotation")),
        }
        self.show_authorities().await
    }

    /// Makes the authority that the database calls current sign, and lets the server get a certificate from it.
    pub(super) async fn take_over(&self, tx: &mut Tx) -> Result<()> {
        let all = tx.authorities().await?;
        let (current, taken) = in_force(&all)?;
        self.authorities.change(current, taken)?;
        self.renew_server.notify_one();
        Ok(())
    }

    async fn nobody_in_the_way(&self, tx: &mut Tx, all: &[Authority], without: &[String]) -> Result<()> {
        let mut waiting = self.in_the_way(tx, all).await?;
        waiting.retain(|waiting| !without.contains(&waiting.node));
        if waiting.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = waiting.iter().map(|waiting| waiting.node.clone()).collect();
        let flags: Vec<String> = names.iter().map(|name| format!("--without {name}")).collect();
        Err(AppError::Refused(format!(
            "the rotation waits for {}: {}. Wait for it; or continue without it, and later type heeler node add NAME for it: heeler \
             ca rotate {}",
            names.join(", "),
            waiting[0].reason,
            flags.join(" ")
        )))
    }

    /// Nodes that block the next step. Before the switch: those that do not trust the new authority. Before the drop:
    /// those whose certificate is from the old one.
    pub(super) async fn in_the_way(&self, tx: &mut Tx, all: &[Authority]) -> Result<Vec<v1::NodeReason>> {
        let next = all.iter().find(|authority| authority.stage == Stage::Next);
        let old = all.iter().any(|authority| authority.stage == Stage::Old);
        let current_ms = all.iter().find(|authority| authority.stage == Stage::Current);
        let switched_ms = current_ms.map_or(0, |current| current.since_ms);
        let issued = tx.last_certificates().await?;
        let now_ms = self.now_ms();
        let mut waiting = Vec::new();
        for node in tx
            .nodes()
            .await?
            .into_iter()
            .filter(|node| node.state == NodeState::Enrolled)
        {
            let trusts = |sha256: &Digest| {
                self.trust
                    .of(&node.name)
                    .is_some_and(|t| t.authorities.contains(sha256))
            };
            let lacks = next.is_some_and(|next| !trusts(&next.sha256));
            let last = issued.iter().find(|(name, _)| *name == node.name);
            let holds_old = last.is_some_and(|(_, at_ms)| *at_ms < switched_ms) && node.certificate_expires_ms > now_ms;
            let reason = match (lacks, old && holds_old) {
                (true, _) => "it does not have the new authority yet",
                (_, true) => "its certificate is still from the old authority",
                _ => continue,
            };
            waiting.push(v1::NodeReason {
                node: node.name,
                reason: reason.to_owned(),
            });
        }
        Ok(waiting)
    }
}

pub(super) fn authority(ca: &Ca, stage: Stage, since_ms: u64) -> Authority {
    Authority {
        sha256: ca.sha256(),
        certificate: ca.certificate().to_vec(),
        stage,
        since_ms,
    }
}

/// SHA-256 of the authority that signs with the time since when (Unix milliseconds), and the certificates whose
/// signatures are accepted.
pub(super) fn in_force(all: &[Authority]) -> Result<((&Digest, u64), Vec<CertificateDer<'static>>)> {
    let current = all.iter().find(|authority| authority.stage == Stage::Current);
    let current = current.ok_or(AppError::Stored { what: "the authority" })?;
    let taken = all
        .iter()
        .filter(|authority| matches!(authority.stage, Stage::Next | Stage::Current | Stage::Old));
    let taken = taken.map(|authority| CertificateDer::from(authority.certificate.clone()));
    Ok(((&current.sha256, current.since_ms), taken.collect()))
}
