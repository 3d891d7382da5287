use std::collections::BTreeSet;

use crate::{Statement, TrustChange, sha256};

/// The most operators and the most authorities that are trusted at once: a bound on memory.
const OPERATORS: usize = 64;
const AUTHORITIES: usize = 8;
/// The most statements that are read. A cluster changes whom it trusts a few times a year.
pub const MOST_STATEMENTS: usize = 1024;

/// An operator whose consents and statements are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedOperator {
    /// The name that consents and statements give as the signer.
    pub name: String,
    /// The P-256 public key: an uncompressed point, 65 bytes.
    pub public_key: Vec<u8>,
}

/// Whom a node or an operator's command line trusts: what was pinned at first, changed by every statement since, in
/// order of arrival. A revoked key or dropped authority never comes back, so no old statement can undo a newer one.
#[derive(Debug, Clone)]
pub struct Circle {
    /// The cluster's name, as in its authorities' certificates and in every statement.
    pub cluster: String,
    /// The operators whose consents and statements are accepted.
    pub operators: Vec<TrustedOperator>,
    /// Public keys that are revoked for good: uncompressed points of P-256.
    pub revoked: BTreeSet<Vec<u8>>,
    /// Certificates of the authorities that are trusted: X.509, DER.
    pub authorities: Vec<Vec<u8>>,
    /// SHA-256 of the certificates of authorities that are dropped for good.
    pub dropped: BTreeSet<[u8; 32]>,
    /// The cluster that an authority's certificate (DER) names; None when it is not an authority's certificate.
    pub cluster_of: fn(&[u8]) -> Option<String>,
}

/// Why a statement is refused.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is about another cluster")]
    Cluster,
    #[error("it is signed by an operator that this node does not trust")]
    UnknownSigner,
    #[error("its signature is not from the operator that it names")]
    Signature,
    #[error("it adds a key or an authority that was dropped")]
    Dropped,
    #[error("another key already has the operator's name")]
    NameTaken,
    #[error("it would drop the last operator or authority")]
    Last,
    #[error("its certificate is not from an authority of this cluster")]
    Certificate,
    /// It would exceed the bound on operators, revoked keys or authorities.
    #[error("there are too many already")]
    TooMany,
}

impl Circle {
    /// Applies a statement. One that repeats what already holds is accepted. Its error: why the statement is refused;
    /// nothing changed then.
    pub fn accept(&mut self, statement: &Statement) -> Result<(), Refused> {
        if statement.cluster != self.cluster {
            return Err(Refused::Cluster);
        }
        let signer = self
            .operators
            .iter()
            .find(|operator| operator.name == statement.operator.as_str())
            .ok_or(Refused::UnknownSigner)?;
        if !statement.is_signed_by(&signer.public_key) {
            return Err(Refused::Signature);
        }
        match &statement.change {
            TrustChange::AddOperator { name, public_key } => self.add_operator(name.as_str(), public_key),
            TrustChange::RevokeOperator { public_key, .. } => self.revoke_operator(public_key),
            TrustChange::AddAuthority { certificate } => self.add_authority(certificate),
            TrustChange::DropAuthority { sha256 } => self.drop_authority(sha256),
        }
    }

    fn add_operator(&mut self, name: &str, public_key: &[u8]) -> Result<(), Refused> {
        if self.revoked.contains(public_key) {
            return Err(Refused::Dropped);
        }
        if let Some(known) = self.operators.iter().find(|operator| operator.name == name) {
            let same = known.public_key == public_key;
            return if same { Ok(()) } else { Err(Refused::NameTaken) };
        }
        if self.operators.len() >= OPERATORS {
            return Err(Refused::TooMany);
        }
        self.operators.push(TrustedOperator {
            name: name.to_owned(),
            public_key: public_key.to_owned(),
        });
        Ok(())
    }

    fn revoke_operator(&mut self, public_key: &[u8]) -> Result<(), Refused> {
        let left = self
            .operators
            .iter()
            .filter(|operator| operator.public_key != public_key);
        if left.count() == 0 {
            return Err(Refused::Last);
        }
        // An unknown key is revoked too: the statement that adds it may arrive later.
        if self.revoked.len() >= 16 * OPERATORS {
            return Err(Refused::TooMany);
        }
        self.operators.retain(|operator| operator.public_key != public_key);
        self.revoked.insert(public_key.to_owned());
        Ok(())
    }

    fn add_authority(&mut self, certificate: &[u8]) -> Result<(), Refused> {
        if self.dropped.contains(&sha256(certificate)) {
            return Err(Refused::Dropped);
        }
        if self.authorities.iter().any(|known| known == certificate) {
            return Ok(());
        }
        if self.authorities.len() >= AUTHORITIES {
            return Err(Refused::TooMany);
        }
        if (self.cluster_of)(certificate).as_ref() != Some(&self.cluster) {
            return Err(Refused::Certificate);
        }
        self.authorities.push(certificate.to_vec());
        Ok(())
    }

    fn drop_authority(&mut self, which: &[u8; 32]) -> Result<(), Refused> {
        let left = self.authorities.iter().filter(|known| sha256(known) != *which).count();
        if left == 0 {
            return Err(Refused::Last);
        }
        self.authorities.retain(|known| sha256(known) != *which);
        self.dropped.insert(*which);
        Ok(())
    }

    /// SHA-256 of each trusted authority's certificate, in the order in which they were added.
    pub fn fingerprints(&self) -> Vec<Vec<u8>> {
        self.authorities.iter().map(|known| sha256(known).to_vec()).collect()
    }
}
