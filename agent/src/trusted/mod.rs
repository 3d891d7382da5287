//! Whom this node trusts: the operators and authorities from first contact, changed by all statements since. The
//! coordinator only passes statements on, so a hostile one cannot add an operator or an authority.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heeler_host::{File, System, content};
use heeler_proto::v1::{self, TrustReply};
use heeler_proto::{Circle, MOST_STATEMENTS, Statement, statements_sha256};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Operator};
use crate::identity::cluster;

const PATH: &str = "/var/lib/heeler-agent/trust.json";

/// Why the statements on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("could not {action} {PATH}")]
    File { action: &'static str, source: io::Error },
    #[error("{PATH} is not readable: {0}. Remove it, then: heeler node add")]
    Content(String),
    #[error("the authorities cannot be used")]
    Authority(#[source] rustls::Error),
}

/// The trusted operators and authorities, and the statements on disk that changed them.
pub struct Trusted {
    host: Arc<dyn System>,
    current: Mutex<Current>,
}

struct Current {
    /// The ids of all accepted statements, in order of arrival.
    known: Vec<[u8; 32]>,
    /// Those of them that came after first contact.
    statements: Vec<Statement>,
    circle: Circle,
    operators: Arc<[Operator]>,
    roots: Arc<RootCertStore>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    statements: Vec<Statement>,
}

/// As first contact left it.
fn pinned(config: &Config) -> Circle {
    let past = &config.past;
    let (mut revoked, mut dropped) = (BTreeSet::new(), BTreeSet::new());
    revoked.extend(past.revoked.iter().map(|known| known.public_key.clone()));
    dropped.extend(past.dropped.iter().copied());
    let authorities = [&config.ca].into_iter().chain(&past.announced);
    Circle {
        cluster: cluster(&config.ca).unwrap_or_default(),
        operators: config.operators.to_vec(),
        revoked,
        authorities: authorities.map(|known| known.to_vec()).collect(),
        dropped,
        cluster_of: |certificate| {
            RootCertStore::empty()
                .add(CertificateDer::from_slice(certificate))
                .ok()?;
            cluster(certificate)
        },
    }
}

impl Current {
    fn new(known: Vec<[u8; 32]>, statements: Vec<Statement>, circle: Circle) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for authority in &circle.authorities {
            let authority = CertificateDer::from_slice(authority);
            roots.add(authority).map_err(TrustError::Authority)?;
        }
        Ok(Self {
            operators: circle.operators.as_slice().into(),
            roots: Arc::new(roots),
            known,
            statements,
            circle,
        })
    }
}

impl Trusted {
    /// From the configuration and the statements on disk; each signature is checked again. Fails when the file cannot
    /// be read.
    pub async fn open(config: &Config, host: Arc<dyn System>) -> Result<Self, TrustError> {
        let kept = content(host.as_ref(), Path::new(PATH)).await;
        let kept = match kept.map_err(|source| TrustError::File { action: "read", source })? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| TrustError::Content(error.to_string()))?,
            None => Kept { statements: Vec::new() },
        };
        let mut circle = pinned(config);
        let (mut known, mut statements) = (config.past.statements.clone(), Vec::new());
        for statement in kept.statements {
            // First contact was repeated since, and may have named other operators.
            let id = statement.id();
            if known.contains(&id) {
                continue;
            }
            match circle.accept(&statement) {
                Ok(()) => {
                    known.push(id);
                    statements.push(statement);
                }
                Err(why) => tracing::warn!(%why, "a stored statement is no longer valid"),
            }
        }
        Ok(Self {
            host,
            current: Mutex::new(Current::new(known, statements, circle)?),
        })
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operators whose consents are accepted now.
    pub fn operators(&self) -> Arc<[Operator]> {
        self.current().operators.clone()
    }

    /// The authorities whose certificates are accepted now.
    pub fn roots(&self) -> Arc<RootCertStore> {
        self.current().roots.clone()
    }

    /// What the hello reports to the coordinator.
    pub fn summary(&self) -> TrustReply {
        let current = self.current();
        TrustReply {
            statements_sha256: statements_sha256(&current.known).to_vec(),
            authorities: current.circle.fingerprints(),
            refused: Vec::new(),
        }
    }

    /// Accepts the new ones among all statements. They count once they are on disk. Fails when they cannot be written;
    /// then nothing changed.
    pub async fn learn(&self, all: Vec<v1::Statement>) -> Result<TrustReply, TrustError> {
        let (mut known, mut statements, mut circle) = {
            let current = self.current();
            (
                current.known.clone(),
                current.statements.clone(),
                current.circle.clone(),
            )
        };
        let (before, mut refused) = (statements.len(), Vec::new());
        for wire in all.into_iter().take(MOST_STATEMENTS) {
            let taken = Statement::try_from(wire).map_err(|invalid| invalid.to_string());
            let taken = taken.and_then(|statement| match statement.id() {
                id if known.contains(&id) => Ok(()),
                _ if known.len() >= MOST_STATEMENTS => Err("there are too many already".to_owned()),
                id => {
                    circle.accept(&statement).map_err(|why| why.to_string())?;
                    known.push(id);
                    statements.push(statement);
                    Ok(())
                }
            });
            if let Err(why) = taken {
                tracing::warn!(why, "a statement was refused");
                refused.push(why);
            }
        }
        if statements.len() > before {
            let new = Current::new(known, statements, circle)?;
            self.keep(&new.statements).await?;
            tracing::info!(
                statements = new.statements.len(),
                "the keys that this node trusts have changed"
            );
            *self.current() = new;
        }
        Ok(TrustReply {
            refused,
            ..self.summary()
        })
    }

    async fn keep(&self, statements: &[Statement]) -> Result<(), TrustError> {
        let kept = Kept {
            statements: statements.to_vec(),
        };
        let json = serde_json::to_vec(&kept).map_err(|error| TrustError::Content(error.to_string()))?;
        let file = File::private(PATH, json);
        let failed = |source| TrustError::File {
            action: "write",
            source,
        };
        self.host.write(&file).await.map_err(failed)
    }
}
