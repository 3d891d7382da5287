use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1, EcdsaKeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::{Canonical, Invalid, OperatorName, sha256, v1};

/// The most bytes of an authority's certificate, DER.
const LONGEST: usize = 4096;
/// Bytes of an uncompressed point of P-256.
const POINT: usize = 65;

/// A change of the operators or authorities that the fleet trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrustChange {
    /// Add an operator, who may give consents and sign statements.
    AddOperator {
        /// The name that consents and statements give as the signer.
        name: OperatorName,
        /// The P-256 public key: an uncompressed point, 65 bytes.
        public_key: Vec<u8>,
    },
    /// Revoke an operator's key for good.
    RevokeOperator {
        /// The name of the operator, for display: the key counts.
        name: OperatorName,
        /// The P-256 public key: an uncompressed point, 65 bytes.
        public_key: Vec<u8>,
    },
    /// Trust one more authority.
    AddAuthority {
        /// X.509, DER, 1 to 4096 bytes.
        certificate: Vec<u8>,
    },
    /// Drop an authority for good.
    DropAuthority {
        /// SHA-256 of the authority's certificate.
        sha256: [u8; 32],
    },
}

/// A change that an operator has signed. The coordinator passes it on; it cannot make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The cluster's name, because an operator may have several clusters.
    pub cluster: String,
    /// When it was signed, Unix milliseconds; only for display: whether the signer is trusted is checked on arrival.
    pub at_ms: u64,
    /// Name of the operator whose key signed.
    pub operator: OperatorName,
    /// The change itself.
    pub change: TrustChange,
    /// ECDSA P-256 with SHA-256 over [`Statement::canonical`], ASN.1 DER.
    pub signature: Vec<u8>,
}

impl Statement {
    /// Signs a change; `now_ms` is in Unix milliseconds. Fails when the system gives no randomness.
    pub fn sign(
        key: &EcdsaKeyPair,
        operator: &OperatorName,
        cluster: &str,
        change: TrustChange,
        now_ms: u64,
        random: &dyn SecureRandom,
    ) -> Result<Self, ring::error::Unspecified> {
        let mut statement = Self {
            cluster: cluster.to_owned(),
            at_ms: now_ms,
            operator: operator.clone(),
            change,
            signature: Vec::new(),
        };
        statement.signature = key.sign(random, statement.canonical().as_bytes())?.as_ref().to_vec();
        Ok(statement)
    }

    /// The bytes that are signed: every field but the signature. Each change has a number of its own, 1 to 4.
    pub fn canonical(&self) -> Canonical {
        let mut bytes = Canonical::new("heeler statement 2");
        bytes
            .text(&self.cluster)
            .number(self.at_ms)
            .text(self.operator.as_str());
        match &self.change {
            TrustChange::AddOperator { name, public_key } => bytes.number(1).text(name.as_str()).bytes(public_key),
            TrustChange::RevokeOperator { name, public_key } => bytes.number(2).text(name.as_str()).bytes(public_key),
            TrustChange::AddAuthority { certificate } => bytes.number(3).bytes(certificate),
            TrustChange::DropAuthority { sha256 } => bytes.number(4).hash(sha256),
        };
        bytes
    }

    /// Whether `public_key` (uncompressed point, 65 bytes) signed it.
    pub fn is_signed_by(&self, public_key: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key)
            .verify(self.canonical().as_bytes(), &self.signature)
            .is_ok()
    }

    /// SHA-256 of the signed bytes. ECDSA can sign the same bytes in many ways; all of them are the same statement.
    pub fn id(&self) -> [u8; 32] {
        self.canonical().sha256()
    }
}

/// SHA-256 of the ids of a list of statements, in order.
pub fn statements_sha256(ids: &[[u8; 32]]) -> [u8; 32] {
    sha256(ids.as_flattened())
}

fn point(bytes: Vec<u8>) -> Result<Vec<u8>, Invalid> {
    match bytes.first() {
        Some(4) if bytes.len() == POINT => Ok(bytes),
        _ => Err(Invalid::new(
            "statement.public_key",
            "it must be an uncompressed P-256 point of 65 bytes",
        )),
    }
}

impl TryFrom<v1::Statement> for Statement {
    type Error = Invalid;
    fn try_from(wire: v1::Statement) -> Result<Self, Invalid> {
        use v1::statement::Change;
        let change = match wire.change.ok_or_else(|| Invalid::missing("statement.change"))? {
            Change::AddOperator(add) => TrustChange::AddOperator {
                name: OperatorName::new(&add.name)?,
                public_key: point(add.public_key)?,
            },
            Change::RevokeOperator(revoke) => TrustChange::RevokeOperator {
                name: OperatorName::new(&revoke.name)?,
                public_key: point(revoke.public_key)?,
            },
            Change::AddAuthority(add) if (1..=LONGEST).contains(&add.certificate.len()) => TrustChange::AddAuthority {
                certificate: add.certificate,
            },
            Change::AddAuthority(_) => {
                return Err(Invalid::new("statement.certificate", "it must have 1 to 4096 bytes"));
            }
            Change::DropAuthority(drop) => TrustChange::DropAuthority {
                sha256: drop
                    .sha256
                    .try_into()
                    .map_err(|_| Invalid::new("statement.sha256", "it must have 32 bytes"))?,
            },
        };
        if wire.cluster.len() > 64 || wire.signature.len() > 80 {
            return Err(Invalid::new(
                "statement",
                "the cluster's name or the signature is too long",
            ));
        }
        Ok(Self {
            cluster: wire.cluster,
            at_ms: wire.at_ms,
            operator: OperatorName::new(&wire.operator)?,
            change,
            signature: wire.signature,
        })
    }
}

impl From<Statement> for v1::Statement {
    fn from(statement: Statement) -> Self {
        use v1::statement::Change;
        let change = match statement.change {
            TrustChange::AddOperator { name, public_key } => Change::AddOperator(v1::AddOperator {
                name: name.into(),
                public_key,
            }),
            TrustChange::RevokeOperator { name, public_key } => Change::RevokeOperator(v1::RevokeOperator {
                name: name.into(),
                public_key,
            }),
            TrustChange::AddAuthority { certificate } => Change::AddAuthority(v1::AddAuthority { certificate }),
            TrustChange::DropAuthority { sha256 } => Change::DropAuthority(v1::DropAuthority {
                sha256: sha256.to_vec(),
            }),
        };
        Self {
            cluster: statement.cluster,
            at_ms: statement.at_ms,
            operator: statement.operator.into(),
            signature: statement.signature,
            change: Some(change),
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, KeyPair as _};

    use super::*;
    use crate::Consent;

    fn key() -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let der = Consent::new_key(&random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap()
    }

    fn name(text: &str) -> OperatorName {
        OperatorName::new(text).unwrap()
    }

    fn changes() -> Vec<TrustChange> {
        let (one, other) = (vec![4; 65], [vec![4], vec![5; 64]].concat());
        let add = |name: OperatorName, public_key: &Vec<u8>| TrustChange::AddOperator {
            name,
            public_key: public_key.clone(),
        };
        let revoke = |name: OperatorName, public_key: &Vec<u8>| TrustChange::RevokeOperator {
            name,
            public_key: public_key.clone(),
        };
        vec![
            add(name("bo"), &one),
            add(name("bo"), &other),
            add(name("al"), &one),
            revoke(name("bo"), &one),
            revoke(name("al"), &one),
            TrustChange::AddAuthority { certificate: vec![1] },
            TrustChange::AddAuthority { certificate: vec![2] },
            TrustChange::DropAuthority { sha256: [1; 32] },
            TrustChange::DropAuthority { sha256: sha256(&[1]) },
        ]
    }

    #[test]
    fn a_signature_covers_only_its_own_statement() {
        let (signer, random) = (key(), SystemRandom::new());
        let public = signer.public_key().as_ref();
        let mut ids = std::collections::BTreeSet::new();
        for change in changes() {
            let signed = Statement::sign(&signer, &name("me"), "fleet", change, 7, &random).unwrap();
            assert!(signed.is_signed_by(public));
            assert!(!signed.is_signed_by(key().public_key().as_ref()));
            assert!(ids.insert(signed.id()), "{signed:?}");
            for other in changes().into_iter().filter(|other| *other != signed.change) {
                let forged = Statement {
                    change: other,
                    ..signed.clone()
                };
                assert!(!forged.is_signed_by(public), "{forged:?}");
            }
            let elsewhere = Statement {
                cluster: "flock".into(),
                ..signed.clone()
            };
            let earlier = Statement {
                at_ms: 6,
                ..signed.clone()
            };
            let somebody = Statement {
                operator: name("you"),
                ..signed.clone()
            };
            for forged in [elsewhere, earlier, somebody] {
                assert!(!forged.is_signed_by(public), "{forged:?}");
            }
        }
    }

    #[test]
    fn unsafe_operator_names_are_refused() {
        for bad in ["", "a b", "a\nby b", "é", &"a".repeat(65), "-a", "a/b", "..", "\"a\""] {
            assert!(OperatorName::new(bad).is_err(), "{bad:?}");
        }
        for good in ["me", "ann.lee", "Bo_2", "k@example.org", "a-b"] {
            assert!(OperatorName::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_statement_survives_encoding() {
        let (signer, random) = (key(), SystemRandom::new());
        for change in changes() {
            let signed = Statement::sign(&signer, &name("me"), "a \"b\"\nc", change, 7, &random).unwrap();
            assert_eq!(Statement::try_from(v1::Statement::from(signed.clone())), Ok(signed));
        }
    }
}
