use std::path::Path;

use heeler_proto::{OperatorName, Statement, TrustedOperator};
use serde::{Deserialize, Serialize};

use super::TrustError;
use crate::pki::{certificates, pem, public_pem, public_point};

/// Content of trust.json in an operator's folder.
#[derive(Default)]
pub(super) struct Pinned {
    /// Operators that a person has confirmed or a grant has named.
    pub(super) operators: Vec<TrustedOperator>,
    /// Authorities (DER) that a person has confirmed.
    pub(super) authorities: Vec<Vec<u8>>,
    /// Statements that were valid when they arrived.
    pub(super) statements: Vec<Statement>,
}

#[derive(Serialize, Deserialize)]
struct File {
    operators: Vec<Named>,
    authorities: Vec<String>,
    statements: Vec<Statement>,
}

#[derive(Serialize, Deserialize)]
struct Named {
    name: OperatorName,
    public_key: String,
}

impl Pinned {
    /// Reads the file; empty when it does not exist.
    pub(super) fn read(path: &Path) -> Result<Self, TrustError> {
        let damaged = |problem: String| TrustError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(damaged(error.to_string())),
        };
        let file: File = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        let operator = |one: Named| {
            Some(TrustedOperator {
                public_key: public_point(&one.public_key)?,
                name: one.name.into(),
            })
        };
        let operators: Option<_> = file.operators.into_iter().map(operator).collect();
        let authorities: Option<Vec<_>> = file.authorities.iter().map(|pem| certificates(pem)).collect();
        Ok(Self {
            operators: operators.ok_or_else(|| damaged("a key in it is not valid".to_owned()))?,
            authorities: authorities
                .ok_or_else(|| damaged("a certificate in it is not valid".to_owned()))?
                .concat(),
            statements: file.statements,
        })
    }

    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        let named = |one: &TrustedOperator| {
            let name = OperatorName::new(&one.name).ok()?;
            let public_key = public_pem(&one.public_key);
            Some(Named { name, public_key })
        };
        serde_json::to_string(&File {
            operators: self.operators.iter().filter_map(named).collect(),
            authorities: self.authorities.iter().map(|der| pem("CERTIFICATE", der)).collect(),
            statements: self.statements.clone(),
        })
    }

    pub(super) fn holds(&self, statement: &Statement) -> bool {
        self.statements.iter().any(|kept| kept.id() == statement.id())
    }

    pub(super) fn add(&mut self, operator: TrustedOperator) {
        self.operators.retain(|known| known.name != operator.name);
        self.operators.push(operator);
    }
}
