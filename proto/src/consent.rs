use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::{Canonical, Invalid, NodeName, TaskId, v1};

/// How long a consent is valid, in milliseconds: one hour.
pub const LIFETIME_MS: u64 = 60 * 60 * 1000;

/// An operator's permission for one change that cannot be undone: valid once, for one task on one node. It is signed
/// with a key that the node trusts since first contact or by a signed statement, so that a hostile coordinator cannot
/// make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// 32 random hex digits; the node's journal stores it, so that the consent is valid only once.
    pub id: String,
    /// The task that may make the change.
    pub task: TaskId,
    /// The node on which the change may be made.
    pub node: NodeName,
    /// SHA-256 of the change: [`crate::Irreversible::digest`].
    pub act: [u8; 32],
    /// The end of its validity, Unix milliseconds: [`LIFETIME_MS`] after it was signed.
    pub expires_at_ms: u64,
    /// Name of the operator whose key signed.
    pub operator: String,
    /// ECDSA P-256 with SHA-256 over [`Consent::canonical`], ASN.1 DER.
    pub signature: Vec<u8>,
}

/// Why a consent does not permit a change.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    #[error("the consent is for another task")]
    OtherTask,
    #[error("the consent is for another node")]
    OtherNode,
    /// The machine changed since it was given, or it was given for another change.
    #[error("the consent is for a different change from the one that would happen now")]
    OtherAct,
    /// It expired: more than [`LIFETIME_MS`] passed by this machine's clock.
    #[error("the consent has expired")]
    Expired,
    /// It expires more than two hours from now: this machine's clock is behind, or the signer's is ahead.
    #[error("the consent was given in the future")]
    Future,
    #[error("the consent is not signed by a key that this node knows")]
    Signature,
}

impl Consent {
    /// Signs a permission for the change with the digest `act` ([`crate::Irreversible::digest`] or
    /// [`ReleaseHold::digest`](crate::ReleaseHold::digest)); `now_ms` is in Unix milliseconds. Fails when the system
    /// gives no randomness.
    pub fn sign(
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

    /// A new P-256 key pair, as PKCS #8 in DER. Fails when the system gives no randomness.
    pub fn new_key(random: &dyn SecureRandom) -> Result<Vec<u8>, ring::error::Unspecified> {
        Ok(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, random)?
            .as_ref()
            .to_vec())
    }

    /// The bytes that are signed: every field but the signature.
    pub fn canonical(&self) -> Canonical {
        let mut bytes = Canonical::new("heeler consent 2");
        bytes.text(&self.id).text(self.task.as_str()).text(self.node.as_str());
        bytes.hash(&self.act).number(self.expires_at_ms).text(&self.operator);
        bytes
    }

    /// Checks that it permits the change with the digest `act`, as part of the task on the node, at `now_ms` (Unix
    /// milliseconds). `public_key` is the operator's uncompressed point, 65 bytes. Whether it was used before is checked
    /// by the journal. Its error: the first check that fails; the signature is checked first.
    pub fn permits(
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
        // A lifetime more than a consent has: the clocks of the signer and of this machine may differ by an hour.
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
                .map_err(|_| Invalid::new("consent.act_sha256", "it must have 32 bytes"))?,
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
    use crate::{DiskIdentity, EraseContents, Irreversible, Serial};

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
        let untrusted = key(&Consent::new_key(&random).unwrap());
        let public = operator.public_key().as_ref();
        let (task, node) = (TaskId::from_random(1), NodeName::new("a").unwrap());
        let consent = Consent::sign(&operator, "me", (&task, &node), act("A").digest(), 1_000, &random).unwrap();
        let permits = |consent: &Consent, task: &TaskId, node: &NodeName, act: &Irreversible, now: u64, key: &[u8]| {
            consent.permits((task, node), &act.digest(), now, key)
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
        let foreign = untrusted.public_key().as_ref();
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
