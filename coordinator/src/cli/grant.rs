use heeler_proto::v1::OperatorGrant;
use heeler_proto::{OperatorName, TrustedOperator};

use super::{CliError, Result};
use crate::pki::{NodeRequest, certificates, identify_operator, pem, public_point};
use crate::screen::{Line, fingerprint};
use crate::trust::Keyring;

/// What one operator gives to a new one: a certificate, and the keys to trust. It holds no secret.
pub(super) struct Grant {
    pub(super) name: OperatorName,
    /// Their certificate, PEM.
    pub(super) certificate: String,
    key_sha256: [u8; 32],
    /// Certificates of the trusted authorities, PEM.
    pub(super) authorities: String,
    /// Trusted operators with keys, as the granting operator has verified them.
    pub(super) operators: Vec<TrustedOperator>,
    pub(super) addresses: Vec<String>,
}

fn bad(why: &str) -> CliError {
    CliError::Other(format!("this is not a grant from an operator: {why}"))
        .next("The operator who adds you makes one with: heeler operator add REQUEST > grant.pem")
}

impl Grant {
    /// Takes only the certificate from the coordinator's reply. Authorities and operators are those that this machine
    /// has verified.
    pub(super) fn of(granted: &OperatorGrant, trust: &Keyring, csr: &NodeRequest, name: &OperatorName) -> Result<Self> {
        let told = certificates(&granted.authorities).ok_or_else(|| bad("there is no authority in it"))?;
        for authority in told {
            if let Some(claim) = trust.authority(&authority)? {
                return Err(CliError::NotConfirmed(claim.refusal()));
            }
        }
        let chain = certificates(&granted.certificate_chain).unwrap_or_default();
        let own = chain.first().ok_or_else(|| bad("there is no certificate in it"))?;
        let peer = identify_operator(own).map_err(|_| bad("its certificate names no operator"))?;
        let grant = Self {
            certificate: pem("CERTIFICATE", own),
            key_sha256: peer.key_sha256,
            authorities: trust.authorities().iter().map(|der| pem("CERTIFICATE", der)).collect(),
            operators: trust.operators().to_vec(),
            addresses: granted.addresses.clone(),
            name: peer.name,
        };
        grant.is_for(csr)?;
        match grant.name == *name {
            true => Ok(grant),
            false => Err(bad("its certificate names another operator")),
        }
    }

    /// The text that is sent to the new operator.
    pub(super) fn text(&self) -> String {
        let addresses = self.addresses.iter().map(|at| format!("coordinator {at}\n"));
        let operators = self.operators.iter().map(|one| {
            let key = crate::pki::public_pem(&one.public_key);
            let key: String = key.lines().filter(|line| !line.starts_with("--")).collect();
            format!("operator {} {key}\n", one.name)
        });
        let head: String = addresses.chain(operators).collect();
        format!("{head}{}\n{}", self.certificate, self.authorities)
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let all = certificates(text).ok_or_else(|| bad("there is no certificate in it"))?;
        let (own, authorities) = all.split_first().ok_or_else(|| bad("there is no certificate in it"))?;
        let peer = identify_operator(own).map_err(|_| bad("its certificate names no operator"))?;
        if authorities.is_empty() {
            return Err(bad("there is no authority in it"));
        }
        let mut operators = Vec::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("operator ")) {
            let (name, key) = line.split_once(' ').ok_or_else(|| bad("an operator has no key"))?;
            let name = OperatorName::new(name).map_err(|invalid| bad(&invalid.to_string()))?;
            let key = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", key.trim());
            operators.push(TrustedOperator {
                name: name.into(),
                public_key: public_point(&key).ok_or_else(|| bad("an operator's key is not valid"))?,
            });
        }
        let addresses = text.lines().filter_map(|line| line.strip_prefix("coordinator "));
        Ok(Self {
            certificate: pem("CERTIFICATE", own),
            key_sha256: peer.key_sha256,
            authorities: authorities.iter().map(|der| pem("CERTIFICATE", der)).collect(),
            operators,
            addresses: addresses.map(|at| at.trim().to_owned()).collect(),
            name: peer.name,
        })
    }

    /// Fails unless the certificate is for this key.
    pub(super) fn is_for(&self, key: &NodeRequest) -> Result<()> {
        match self.key_sha256 == key.key_sha256 {
            true => Ok(()),
            false => Err(bad("its certificate is for another key")),
        }
    }

    /// What the new operator will trust, with fingerprints to compare.
    pub(super) fn pinned(&self) -> Vec<Line> {
        let authorities = certificates(&self.authorities).unwrap_or_default();
        let authorities = authorities
            .iter()
            .map(|der| format!("  authority {}", fingerprint(der)));
        let operators = self.operators.iter();
        let operators = operators.map(|one| format!("  operator {}, key {}", one.name, fingerprint(&one.public_key)));
        let head = "Trusted from now on. Compare these with what the operator who added you sees:".to_owned();
        let lines = std::iter::once(head).chain(authorities).chain(operators);
        lines.map(Line::of).collect()
    }
}
