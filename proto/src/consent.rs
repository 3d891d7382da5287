use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::{Invalid, Irreversible, NodeName, TaskId, v1};

/// How long a person's permission holds.
pub const LIFETIME_MS: u64 = 60 * 60 * 1000;

/// A person's permission for one irreversible op: single use, bound to a task and a node, signed with a key that the
/// node was given at first contact, so that a stolen coordinator cannot approve for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// 32 hex digits, random.
    pub id: String,
    /// The task that it permits.
    pub task: TaskId,
    /// The node that it permits it on.
    pub node: NodeName,
    /// [`Irreversible::digest`] of what is permitted.
    pub act: [u8; 32],
    /// Unix milliseconds.
    pub expires_at_ms: u64,
    /// Whose key signed.
    pub operator: String,
    /// ECDSA P-256 with SHA-256, ASN.1.
    pub signature: Vec<u8>,
}

/// Why a consent does not permit an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// It names another task.
    #[error("the consent is for another task")]
    OtherTask,
    /// It names another node.
    #[error("the consent is for another node")]
    OtherNode,
    /// The machine changed since it was given, or it was given for something else.
    #[error("the consent is for something else than what would happen now")]
    OtherAct,
    /// More than an hour old.
    #[error("the consent has expired")]
    Expired,
    /// Given more than an hour from now, by this machine's clock.
    #[error("the consent was given in the future")]
    Future,
    /// Not a signature of the operator's key.
    #[error("the consent is not signed by a key that this node knows")]
    Signature,
}

impl Consent {
    /// Signs a permission for `act`.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn sign(
        key: &EcdsaKeyPair,
        operator: &str,
        bound: (&TaskId, &NodeName),
        act: &Irreversible,
        now_ms: u64,
        random: &dyn SecureRandom,
    ) -> Result<Self, ring::error::Unspecified> {
        Self::sign_digest(key, operator, bound, act.digest(), now_ms, random)
    }

    /// The same for an act by its digest: [`Irreversible::digest`] or [`ReleaseHold::digest`](crate::ReleaseHold::digest).
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn sign_digest(
        key: &EcdsaKeyPair,
        operator: &str,
        (task, node): (&TaskId, &NodeName),
        act: [u8; 32],
        now_ms: u64,
        random: &dyn SecureRandom,
    ) -> Result<Self, ring::error::Unspecified> {
        let mut id = [0; 16];
        random.fill(&mut id)?;
        let mut consent = Self {
            id: format!("{:032x}", u128::from_be_bytes(id)),
            task: task.clone(),
            node: node.clone(),
            act,
            expires_at_ms: now_ms.saturating_add(LIFETIME_MS),
            operator: operator.to_owned(),
            signature: Vec::new(),
        };
        consent.signature = key.sign(random, consent.canonical().as_bytes())?.as_ref().to_vec();
        Ok(consent)
    }

    /// A fresh key pair's private half, PKCS#8 DER.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new_key(random: &dyn SecureRandom) -> Result<Vec<u8>, ring::error::Unspecified> {
        Ok(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, random)?
            .as_ref()
            .to_vec())
    }

    /// What is signed.
    #[must_use]
    pub fn canonical(&self) -> String {
        let act: String = self.act.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "heeler consent 1\nid {}\ntask {}\nnode {}\nact {act}\nexpires {}\noperator {:?}\n",
            self.id, self.task, self.node, self.expires_at_ms, self.operator
        )
    }

    /// Does it permit `act`, as part of `task` on `node`, now? `public_key` is the operator's uncompressed point
    /// (65 bytes). Whether it was used before is the journal's to say.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn permits(
        &self,
        bound: (&TaskId, &NodeName),
        act: &Irreversible,
        now_ms: u64,
        public_key: &[u8],
    ) -> Result<(), ConsentError> {
        self.permits_digest(bound, &act.digest(), now_ms, public_key)
    }

    /// The same for an act by its digest.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn permits_digest(
        &self,
        (task, node): (&TaskId, &NodeName),
        act: &[u8; 32],
        now_ms: u64,
        public_key: &[u8],
    ) -> Result<(), ConsentError> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key)
            .verify(self.canonical().as_bytes(), &self.signature)
            .map_err(|_| ConsentError::Signature)?;
        if self.task != *task {
            return Err(ConsentError::OtherTask);
        }
        if self.node != *node {
            return Err(ConsentError::OtherNode);
        }
        if self.act != *act {
            return Err(ConsentError::OtherAct);
        }
        if now_ms >= self.expires_at_ms {
            return Err(ConsentError::Expired);
        }
        if self.expires_at_ms > now_ms.saturating_add(2 * LIFETIME_MS) {
            return Err(ConsentError::Future);
        }
        Ok(())
    }
}

impl TryFrom<v1::Consent> for Consent {
    type Error = Invalid;
    fn try_from(wire: v1::Consent) -> Result<Self, Invalid> {
        if wire.id.len() != 32 || !wire.id.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(Invalid::new("consent.id", format!("{:?}", wire.id)));
        }
        Ok(Self {
            id: wire.id,
            task: TaskId::new(&wire.task_id)?,
            node: NodeName::new(&wire.node)?,
            act: wire
                .act_sha256
                .try_into()
                .map_err(|_| Invalid::new("consent.act_sha256", "32 bytes are wanted"))?,
            expires_at_ms: wire.expires_at_ms,
            operator: wire.operator,
            signature: wire.signature,
        })
    }
}

impl From<Consent> for v1::Consent {
    fn from(consent: Consent) -> Self {
        Self {
            id: consent.id,
            task_id: consent.task.into(),
            node: consent.node.into(),
            act_sha256: consent.act.to_vec(),
            expires_at_ms: consent.expires_at_ms,
            operator: consent.operator,
            signature: consent.signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::KeyPair as _;

    use super::*;
    use crate::{DiskIdentity, EraseContents, Serial};

    fn act(serial: &str) -> Irreversible {
        let disk = DiskIdentity {
            serial: Serial::new(serial).unwrap(),
            size_bytes: 1,
        };
        Irreversible::EraseContents(EraseContents {
            disk,
            finding: "ext4".into(),
        })
    }

    #[test]
    fn a_consent_permits_its_own_act_and_nothing_else() {
        let random = SystemRandom::new();
        let key = |der: &[u8]| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &random).unwrap();
        let operator = key(&Consent::new_key(&random).unwrap());
        let stranger = key(&Consent::new_key(&random).unwrap());
        let public = operator.public_key().as_ref();
        let (task, node) = (TaskId::from_random(1), NodeName::new("a").unwrap());
        let consent = Consent::sign(&operator, "me", (&task, &node), &act("A"), 1_000, &random).unwrap();
        let permits = |consent: &Consent, task: &TaskId, node: &NodeName, act: &Irreversible, now: u64, key: &[u8]| {
            consent.permits((task, node), act, now, key)
        };

        assert_eq!(permits(&consent, &task, &node, &act("A"), 1_000, public), Ok(()));
        let other = NodeName::new("b").unwrap();
        assert_eq!(
            permits(&consent, &task, &other, &act("A"), 1_000, public),
            Err(ConsentError::OtherNode)
        );
        let later = TaskId::from_random(2);
        assert_eq!(
            permits(&consent, &later, &node, &act("A"), 1_000, public),
            Err(ConsentError::OtherTask)
        );
        assert_eq!(
            permits(&consent, &task, &node, &act("B"), 1_000, public),
            Err(ConsentError::OtherAct)
        );
        let end = 1_000 + LIFETIME_MS;
        assert_eq!(
            permits(&consent, &task, &node, &act("A"), end, public),
            Err(ConsentError::Expired)
        );
        let foreign = stranger.public_key().as_ref();
        assert_eq!(
            permits(&consent, &task, &node, &act("A"), 1_000, foreign),
            Err(ConsentError::Signature)
        );
        let forged = Consent {
            expires_at_ms: end + 1,
            ..consent
        };
        assert_eq!(
            permits(&forged, &task, &node, &act("A"), 1_000, public),
            Err(ConsentError::Signature)
        );
    }
}
