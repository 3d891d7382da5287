use heeler_proto::TrustedOperator;

use crate::screen::fingerprint;

/// Characters of a fingerprint to type: two groups of four with a hyphen.
const TYPED: usize = 9;

/// A key or authority that the coordinator names and no signed statement supports.
pub enum UnsignedClaim {
    /// An operator's key.
    Operator(TrustedOperator),
    /// A certificate authority's certificate, DER.
    Authority(Vec<u8>),
}

impl UnsignedClaim {
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Operator(one) => fingerprint(&one.public_key),
            Self::Authority(certificate) => fingerprint(certificate),
        }
    }

    /// What it is, with the fingerprint: `operator bo, key 1f2e-…`.
    pub fn what(&self) -> String {
        match self {
            Self::Operator(one) => format!("operator {}, key {}", one.name, self.fingerprint()),
            Self::Authority(_) => format!("certificate authority {}", self.fingerprint()),
        }
    }

    /// The warning before the question.
    pub fn warning(&self) -> String {
        let compare = match self {
            Self::Operator(one) => format!(
                "Ask {} to read it to you: heeler operator list, on their machine.",
                one.name
            ),
            Self::Authority(_) => "Compare it with what another operator's machine shows: heeler ca show.".to_owned(),
        };
        format!(
            "The coordinator sends a new {}. No signed statement confirms it. {compare}",
            self.what()
        )
    }

    pub fn word(&self) -> String {
        self.fingerprint().chars().take(TYPED).collect()
    }

    pub fn question(&self) -> String {
        format!("Type {} to trust it from now on:", self.word())
    }

    /// The error when nobody confirms it.
    pub fn refusal(&self) -> String {
        format!(
            "the coordinator sends a new {}, and no signed statement confirms it. Compare the fingerprint with its owner, and confirm it on a terminal; --yes does not replace this",
            self.what()
        )
    }
}
