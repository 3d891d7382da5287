use heeler_proto::v1::{BeginContactReply, OperatorKey, Past};
use heeler_proto::{OperatorName, Refused, Statement, TrustChange, TrustedOperator};

use super::{Keyring, TrustError, UnsignedClaim, is_dropped};
use crate::pki::{certificates, public_pem, public_point};
use crate::screen::fingerprint;

impl Keyring {
    /// The keys and authorities in `reply` that no signed statement supports. Fails when `reply` contradicts signed
    /// statements, which no person can confirm, or lacks the own key.
    pub fn unsigned_claims(&self, reply: &BeginContactReply) -> Result<Vec<UnsignedClaim>, TrustError> {
        let announced = reply
            .past
            .as_ref()
            .map(|past| past.announced.as_slice())
            .unwrap_or_default();
        let mut claims = Vec::new();
        for pem in std::iter::once(&reply.ca_certificate).chain(announced) {
            let certificate = certificates(pem).and_then(|all| <[_; 1]>::try_from(all).ok());
            let [certificate] = certificate.ok_or_else(|| TrustError::Unreadable("a certificate".to_owned()))?;
            claims.extend(self.authority(&certificate)?);
        }
        for key in &reply.operators {
            let public_key = public_point(&key.public_key_pem);
            let public_key = public_key.ok_or_else(|| TrustError::Unreadable("an operator's key".to_owned()))?;
            claims.extend(self.operator(&key.name, public_key)?);
        }
        let own = self.own();
        let is_own = |key: &OperatorKey| {
            key.name == own.name && public_point(&key.public_key_pem).as_ref() == Some(&own.public_key)
        };
        if !reply.operators.iter().any(is_own) {
            return Err(TrustError::NotNamed {
                name: own.name.clone(),
                fingerprint: fingerprint(&own.public_key),
            });
        }
        Ok(claims)
    }

    /// Checks an authority (DER). None when it is trusted already. Fails when signed statements have dropped it, or it
    /// is not an authority of this cluster.
    pub fn authority(&self, certificate: &[u8]) -> Result<Option<UnsignedClaim>, TrustError> {
        if self.authorities().iter().any(|known| known == certificate) {
            return Ok(None);
        }
        let claim = UnsignedClaim::Authority(certificate.to_owned());
        if is_dropped(&self.circle, certificate) {
            return Err(TrustError::Dropped { what: claim.what() });
        }
        match (self.circle.cluster_of)(certificate) {
            Some(cluster) if self.cluster().map_or(true, |own| *own == cluster) => Ok(Some(claim)),
            _ => Err(TrustError::Unreadable(format!(
                "{} is not from this cluster",
                claim.what()
            ))),
        }
    }

    /// Checks an operator's key. None when it is trusted already. Fails when signed statements say otherwise.
    pub fn operator(&self, name: &str, public_key: Vec<u8>) -> Result<Option<UnsignedClaim>, TrustError> {
        let name: String = OperatorName::new(name)?.into();
        if self.knows(&name, &public_key) {
            return Ok(None);
        }
        let told = fingerprint(&public_key);
        let by_key = self.operators().iter().find(|known| known.public_key == public_key);
        let known = match (self.key_of(&name), by_key) {
            (Some(known), _) => Some(fingerprint(known)),
            (None, Some(other)) => Some(format!("that it is {}'s", other.name)),
            (None, None) => None,
        };
        if let Some(known) = known {
            return Err(TrustError::OtherKey { name, told, known });
        }
        let revoked = self.circle.revoked.contains(&public_key);
        let claim = UnsignedClaim::Operator(TrustedOperator { name, public_key });
        match revoked {
            true => Err(TrustError::Dropped { what: claim.what() }),
            false => Ok(Some(claim)),
        }
    }

    /// What a node is told, with history taken from the statements that were verified here. Does not count statements
    /// that the coordinator only claims as known: the node would then never accept them.
    pub fn verified(&self, reply: BeginContactReply) -> BeginContactReply {
        let past = reply.past.unwrap_or_default();
        let is_free = |point: &[u8]| self.operators().iter().all(|known| known.public_key != point);
        let mut revoked: Vec<OperatorKey> = past.revoked;
        revoked.retain(|key| public_point(&key.public_key_pem).is_some_and(|point| is_free(&point)));
        for (name, point) in self.revocations() {
            let public_key_pem = public_pem(&point);
            if revoked.iter().all(|known| known.public_key_pem != public_key_pem) {
                revoked.push(OperatorKey { name, public_key_pem });
            }
        }
        let mut dropped = past.dropped;
        let fingerprints = self.circle.fingerprints();
        dropped.retain(|sha256| sha256.len() == 32 && !fingerprints.contains(sha256));
        for sha256 in &self.circle.dropped {
            if !dropped.iter().any(|known| known == sha256) {
                dropped.push(sha256.to_vec());
            }
        }
        let past = Past {
            statements: self.known_statements(),
            revoked,
            dropped,
            announced: past.announced,
        };
        BeginContactReply {
            past: Some(past),
            ..reply
        }
    }

    /// Ids of the statements to count as known: the valid ones, and those whose signer nobody knows, which can never
    /// become valid.
    fn known_statements(&self) -> Vec<Vec<u8>> {
        let counts = |statement: &Statement, why: &Option<Refused>| match why {
            None => true,
            Some(Refused::UnknownSigner) => self.key_of(statement.operator.as_str()).is_none(),
            Some(_) => false,
        };
        let all = self.received.iter().zip(&self.refused);
        let known = all.filter(|(statement, why)| counts(statement, why));
        known.map(|(statement, _)| statement.id().to_vec()).collect()
    }

    fn revocations(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let all = self.received.iter().chain(&self.pinned.statements);
        all.filter_map(|statement| match &statement.change {
            TrustChange::RevokeOperator { name, public_key } if self.circle.revoked.contains(public_key) => {
                Some((name.to_string(), public_key.clone()))
            }
            _ => None,
        })
    }
}
