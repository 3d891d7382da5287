use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};

use crate::{Statement, TrustChange};

/// More would be a mistake, or an attack on memory.
const OPERATORS: usize = 64;
const AUTHORITIES: usize = 8;
/// Statements that are read: a cluster changes whom it trusts a few times a year.
pub const MOST_STATEMENTS: usize = 1024;

/// Somebody who may consent to irreversible acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedOperator {
    /// As consents name them.
    pub name: String,
    /// Uncompressed point of the P-256 public key, 65 bytes.
    pub public_key: Vec<u8>,
}

/// Whom a node, or a person's command line, trusts: what was pinned there, as changed by every statement since, in the
/// order in which they came. A key or an authority that was dropped never comes back, so that no old statement can undo a
/// newer one.
#[derive(Debug, Clone)]
pub struct Circle {
    /// Its name, as its authorities' certificates and every statement give it.
    pub cluster: String,
    /// Whose consents and statements are honoured.
    pub operators: Vec<TrustedOperator>,
    /// Keys that are worth nothing any more: uncompressed points.
    pub revoked: BTreeSet<Vec<u8>>,
    /// Whose certificates are taken: X.509, DER.
    pub authorities: Vec<Vec<u8>>,
    /// SHA-256 of the certificates of authorities that are worth nothing any more.
    pub dropped: BTreeSet<[u8; 32]>,
    /// The cluster that an authority's certificate (DER) names; None when it is no authority's.
    pub cluster_of: fn(&[u8]) -> Option<String>,
}

/// Why a statement changes nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another cluster's.
    #[error("it is about another cluster")]
    Cluster,
    /// The signer is nobody here.
    #[error("it is signed by an operator who is not trusted here")]
    Stranger,
    /// Not that operator's signature.
    #[error("its signature is not of the operator whom it names")]
    Signature,
    /// Gone for good.
    #[error("it brings back a key or an authority that was dropped")]
    Dropped,
    /// The name is another key's.
    #[error("the operator's name is taken by another key")]
    NameTaken,
    /// Nobody could consent any more, or nobody would be let in.
    #[error("it would drop the last one")]
    Last,
    /// No authority's certificate of this cluster.
    #[error("its certificate is no authority's of this cluster")]
    Certificate,
    /// A bound.
    #[error("there are too many already")]
    TooMany,
}

impl Circle {
    /// Takes a statement in. What it says and holds already is taken as well.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn accept(&mut self, statement: &Statement) -> Result<(), Refused> {
        if statement.cluster != self.cluster {
            return Err(Refused::Cluster);
        }
        let signer = self
            .operators
            .iter()
            .find(|operator| operator.name == statement.operator.as_str())
            .ok_or(Refused::Stranger)?;
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
        // Also a key that was never heard of here: the statement that adds it may still be on its way.
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

    /// SHA-256 of each authority's certificate.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Vec<u8>> {
        self.authorities.iter().map(|known| sha256(known).to_vec()).collect()
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
