use heeler_proto::{
    OperatorName, TrustChange,
    v1::{self, EventKind},
};
use heeler_store::{Operator, OperatorRecord, Tx};

use super::{App, AppError, Result, Who};
use crate::pki::{NodeRequest, issue_operator, public_pem, public_point};

impl App {
    /// All operators, revoked ones too, with the statements about them. Fails when the database cannot be read.
    pub async fn operators(&self) -> Result<v1::ListOperatorsReply> {
        let mut tx = self.store.read().await?;
        let records = tx.operator_records().await?;
        let statements = super::fleet_trust::statements(&mut tx).await?;
        drop(tx);
        let info = |record: OperatorRecord| v1::OperatorInfo {
            public_key: public_point(&record.public_key_pem).unwrap_or_default(),
            name: record.name,
            added_at_ms: record.added_at_ms,
            added_by: record.added_by,
            revoked_at_ms: record.revoked_at_ms,
            revoked_by: record.revoked_by,
            certificate_expires_ms: record.certificate_expires_ms,
        };
        Ok(v1::ListOperatorsReply {
            operators: records.into_iter().map(info).collect(),
            behind: self.behind().await?,
            statements,
        })
    }

    /// Adds an operator for whom another one has signed, or issues a new certificate to a known one. Fails when the
    /// signature is missing or for something else, or the name or key is taken.
    pub async fn add_operator(&self, request: v1::AddOperatorRequest, who: &Who) -> Result<v1::OperatorGrant> {
        let now_ms = self.now_ms();
        let csr = NodeRequest::parse(&request.csr).map_err(|error| AppError::Invalid(error.to_string()))?;
        let name = OperatorName::new(&csr.common_name)?;
        let mut tx = self.store.write().await?;
        let records = tx.operator_records().await?;
        let known = records.iter().find(|record| record.name == name.as_str());
        let same = known.is_some_and(|known| public_point(&known.public_key_pem) == Some(csr.point()));
        if let Some(known) = known.filter(|known| !same || known.revoked_at_ms > 0) {
            let how = if known.revoked_at_ms > 0 {
                "revoked"
            } else {
                "another key"
            };
            return Err(AppError::Refused(format!(
                "the name {name} is taken ({how}): choose another. See them: heeler operator list"
            )));
        }
        let pem = public_pem(&csr.point());
        if records
            .iter()
            .any(|record| record.public_key_pem == pem && record.name != name.as_str())
        {
            return Err(AppError::Refused(
                "this key belongs to another operator: each operator needs a separate key".to_owned(),
            ));
        }
        if !same {
            let (statement, change) = self.take_statement(&mut tx, request.statement).await?;
            let wanted = TrustChange::AddOperator {
                name: name.clone(),
                public_key: csr.point(),
            };
            if change != wanted {
                return Err(AppError::Denied("the signature is for a different request".to_owned()));
            }
            let operator = Operator {
                name: name.to_string(),
                public_key_pem: pem,
            };
            tx.add_operator_by(&operator, statement.operator.as_str(), now_ms)
                .await?;
            let text = format!("{name} may consent from now on; added by {}", statement.operator);
            self.audit(&mut tx, &who.name, "operator added", "", &text).await?;
            tx.add_event(&self.event(EventKind::OperatorAdded, "", text)).await?;
        }
        let grant = self.grant(&mut tx, &csr, &name).await?;
        self.changed_trust(tx).await?;
        Ok(grant)
    }

    /// Revokes an operator's key here, and on every node that receives the statement. Fails when no operator on record
    /// has signed it, no operator has that key, or it is the last operator.
    pub async fn revoke_operator(
        &self,
        request: v1::RevokeOperatorRequest,
        who: &Who,
    ) -> Result<v1::RevokeOperatorReply> {
        let mut tx = self.store.write().await?;
        let operators = tx.operators().await?;
        let (statement, change) = self.take_statement(&mut tx, request.statement).await?;
        let TrustChange::RevokeOperator { name, public_key } = change else {
            return Err(AppError::Invalid("the signature is not for this revocation".to_owned()));
        };
        let is_theirs = |known: &&Operator| {
            known.name == name.as_str() && public_point(&known.public_key_pem).as_ref() == Some(&public_key)
        };
        if !operators.iter().any(|known| is_theirs(&known)) {
            return Err(AppError::NotFound(format!(
                "no operator {name} has that key. See them: heeler operator list"
            )));
        }
        if operators.len() == 1 {
            return Err(AppError::Refused(format!(
                "{name} is the last operator: without it nobody could consent. Add another one first: heeler operator add"
            )));
        }
        let by = statement.operator.as_str();
        tx.revoke_operator(name.as_str(), by, self.now_ms()).await?;
        let text = format!("{name} may no longer consent; revoked by {by}");
        self.audit(&mut tx, &who.name, "operator revoked", "", &text).await?;
        tx.add_event(&self.event(EventKind::OperatorRevoked, "", text)).await?;
        self.changed_trust(tx).await?;
        Ok(v1::RevokeOperatorReply {
            behind: self.behind().await?,
            ..Default::default()
        })
    }

    /// A new certificate for the key of the caller's connection. Fails when the request is for another key.
    pub async fn renew_operator(&self, csr: &[u8], who: &Who) -> Result<v1::OperatorGrant> {
        let csr = NodeRequest::parse(csr).map_err(|error| AppError::Invalid(error.to_string()))?;
        if who.key_sha256 != Some(csr.key_sha256) {
            return Err(AppError::Denied(
                "a certificate is renewed for the same key only".to_owned(),
            ));
        }
        let mut tx = self.store.write().await?;
        let grant = self.grant(&mut tx, &csr, &OperatorName::new(&who.name)?).await?;
        tx.save().await?;
        Ok(grant)
    }

    async fn grant(&self, tx: &mut Tx, csr: &NodeRequest, name: &OperatorName) -> Result<v1::OperatorGrant> {
        let in_force = self.authorities.now();
        let issued = issue_operator(&in_force.ca, csr, name, self.now_ms())?;
        tx.set_operator_certificate(name.as_str(), issued.expires_at_ms).await?;
        Ok(v1::OperatorGrant {
            name: name.to_string(),
            certificate_chain: issued.chain,
            authorities: in_force.pem(),
            addresses: self.reach.operators.clone(),
        })
    }

    /// Stores the transaction and sends the changed trust to every connected node.
    pub(super) async fn changed_trust(&self, tx: Tx) -> Result<()> {
        let last = tx.added_event();
        tx.save().await?;
        self.feed.stored(last);
        self.trust.read_again(&mut self.store.read().await?).await?;
        self.tell_all().await
    }
}
