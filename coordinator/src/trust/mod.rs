//! Whom a person's command line trusts: its own key, what a person or a grant has pinned beside it, and every statement
//! that can be followed from there. The coordinator only carries statements: each is verified here, as nodes do.

mod pinned;
mod stranger;
mod told;

use std::path::{Path, PathBuf};

use heeler_proto::{Circle, Invalid, MOST_STATEMENTS, Refused, Statement, TrustedOperator, v1};

use crate::pki::{PkiError, certificates, cluster_of, sha256, write_secret};
use crate::state::StateFolder;
use pinned::Pinned;

pub use stranger::Stranger;

/// Why what the coordinator says about trust is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file.
    #[error(transparent)]
    File(#[from] PkiError),
    /// What is pinned here is no such file.
    #[error("{} is not readable ({problem}). It lists the keys that you trust in addition to your own. Move it away, \
        and you are asked again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A message that cannot be.
    #[error("the coordinator says about trust what cannot be read: {0}")]
    Unreadable(String),
    /// Signed statements say otherwise.
    #[error(
        "the coordinator names {name} with the key {told}, and signed statements say {known}. Somebody may have taken \
         over the coordinator: compare the key with {name} before you continue"
    )]
    OtherKey {
        /// The operator.
        name: String,
        /// The coordinator's fingerprint for it.
        told: String,
        /// The verified one.
        known: String,
    },
    /// It brings back what was dropped.
    #[error(
        "the coordinator names {what}, which was revoked or dropped by a signed statement. Somebody may have taken \
         over the coordinator, or it was restored from an old backup: find out before you continue"
    )]
    Dropped {
        /// With its fingerprint.
        what: String,
    },
    /// One's own key is missing.
    #[error(
        "the coordinator does not name your own key ({name}, {fingerprint}) among its operators: a node added now would not take your consent. See them: heeler operator list"
    )]
    NotNamed {
        /// The operator.
        name: String,
        /// Of the key here.
        fingerprint: String,
    },
    /// One's own key is revoked.
    #[error("the key of {0} is revoked by a signed statement: nothing is signed with it any more")]
    Revoked(String),
    /// What one's own word would not do.
    #[error("nothing was signed: {0}. See: heeler operator list, heeler ca show")]
    Refused(#[from] Refused),
    /// No authority to begin with.
    #[error(
        "no certificate authority of the cluster is known here, so it is not known which cluster this is about. Have an operator print a grant for you (heeler operator add), then: heeler operator accept FILE"
    )]
    NoAuthority,
}

impl From<Invalid> for TrustError {
    fn from(invalid: Invalid) -> Self {
        Self::Unreadable(invalid.to_string())
    }
}

/// What is pinned for one operator, and what follows from it.
pub struct Keyring {
    path: PathBuf,
    own: TrustedOperator,
    pinned: Pinned,
    /// Of the state folder, and of the grant: DER.
    authorities: Vec<Vec<u8>>,
    told: Vec<Statement>,
    /// For each of `told`, why it was refused.
    refused: Vec<Option<Refused>>,
    circle: Circle,
}

impl Keyring {
    /// Of the operator `name`, whose key's uncompressed point is `public_key`. `state` is the state folder, the
    /// coordinator's or the operator's own.
    ///
    /// # Errors
    /// When what is pinned cannot be read.
    pub fn open(state: &Path, name: &str, public_key: Vec<u8>) -> Result<Self, TrustError> {
        let state = StateFolder::new(state);
        let folder = state.operator(name);
        let path = folder.join("trust.json");
        let files = [state.ca().join("certificate.pem"), folder.join("authorities.pem")];
        let read = files.iter().filter_map(|path| std::fs::read_to_string(path).ok());
        let mut authorities: Vec<Vec<u8>> = read.filter_map(|pem| certificates(&pem)).flatten().collect();
        authorities.dedup();
        let own = TrustedOperator {
            name: name.to_owned(),
            public_key,
        };
        let mut trust = Self {
            pinned: Pinned::read(&path)?,
            path,
            circle: circle(&own, &[], Vec::new()),
            own,
            authorities,
            told: Vec::new(),
            refused: Vec::new(),
        };
        trust.follow();
        Ok(trust)
    }

    /// Hears every statement that the coordinator carries, and keeps those that hold: what was once verified here counts
    /// also when the coordinator no longer shows it.
    ///
    /// # Errors
    /// When one cannot be read, one's own key is revoked, or what holds cannot be kept.
    pub fn hear(&mut self, statements: Vec<v1::Statement>) -> Result<(), TrustError> {
        if statements.len() > MOST_STATEMENTS {
            return Err(TrustError::Unreadable(format!("{} statements", statements.len())));
        }
        let told = statements.into_iter().map(Statement::try_from);
        self.told = told.collect::<Result<_, _>>()?;
        self.follow();
        if !self.knows(&self.own.name, &self.own.public_key) {
            return Err(TrustError::Revoked(self.own.name.clone()));
        }
        let holding = self.told.iter().zip(&self.refused).filter(|(_, why)| why.is_none());
        let new: Vec<Statement> = holding
            .map(|(statement, _)| statement.clone())
            .filter(|statement| !self.pinned.holds(statement))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        self.pinned.statements.extend(new);
        self.keep()
    }

    /// From the beginning: what is pinned, then what was told, then what is kept and was not told.
    fn follow(&mut self) {
        let authorities = self.authorities.iter().chain(&self.pinned.authorities);
        let mut circle = circle(&self.own, &self.pinned.operators, authorities.cloned().collect());
        self.refused = self.told.iter().map(|one| circle.accept(one).err()).collect();
        let ids: Vec<[u8; 32]> = self.told.iter().map(Statement::id).collect();
        for kept in self.pinned.statements.iter().filter(|kept| !ids.contains(&kept.id())) {
            // What does not hold by itself any more changes nothing.
            let _ = circle.accept(kept);
        }
        self.circle = circle;
    }

    fn keep(&self) -> Result<(), TrustError> {
        let text = self.pinned.text().map_err(|error| TrustError::Damaged {
            path: self.path.clone(),
            problem: error.to_string(),
        })?;
        Ok(write_secret(&self.path, &text)?)
    }

    /// Whether that name has that key, by what is verified.
    #[must_use]
    pub fn knows(&self, name: &str, public_key: &[u8]) -> bool {
        self.key_of(name) == Some(public_key)
    }

    /// The verified key of that name.
    #[must_use]
    pub fn key_of(&self, name: &str) -> Option<&[u8]> {
        let mut operators = self.circle.operators.iter();
        let known = operators.find(|known| known.name == name)?;
        Some(&known.public_key)
    }

    /// One's own name and key.
    #[must_use]
    pub fn own(&self) -> &TrustedOperator {
        &self.own
    }

    /// Everybody whose key is verified.
    #[must_use]
    pub fn operators(&self) -> &[TrustedOperator] {
        &self.circle.operators
    }

    /// Certificates (DER) of the verified authorities.
    #[must_use]
    pub fn authorities(&self) -> &[Vec<u8>] {
        &self.circle.authorities
    }

    /// The cluster, by its authority's certificate and never by the coordinator's word.
    ///
    /// # Errors
    /// When no authority is pinned.
    pub fn cluster(&self) -> Result<&str, TrustError> {
        match self.circle.cluster.as_str() {
            "" => Err(TrustError::NoAuthority),
            cluster => Ok(cluster),
        }
    }

    /// Whether a statement of one's own would hold.
    ///
    /// # Errors
    /// Why not.
    pub fn would_take(&self, statement: &Statement) -> Result<(), TrustError> {
        Ok(self.circle.clone().accept(statement)?)
    }

    /// Pins what a person has confirmed, or a grant has brought.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn pin(&mut self, strangers: Vec<Stranger>) -> Result<(), TrustError> {
        for stranger in strangers {
            match stranger {
                Stranger::Operator(one) => self.pinned.add(one),
                Stranger::Authority(certificate) => self.pinned.authorities.push(certificate),
            }
        }
        self.follow();
        self.keep()
    }
}

/// With nothing but what is pinned. One's own name and key come first: nothing takes their place.
fn circle(own: &TrustedOperator, others: &[TrustedOperator], mut authorities: Vec<Vec<u8>>) -> Circle {
    let mut operators = vec![own.clone()];
    for other in others {
        if operators.iter().all(|one| one.name != other.name) {
            operators.push(other.clone());
        }
    }
    authorities.dedup();
    Circle {
        cluster: authorities.iter().find_map(|one| cluster_of(one)).unwrap_or_default(),
        operators,
        revoked: Default::default(),
        authorities,
        dropped: Default::default(),
        cluster_of,
    }
}

/// Whether that certificate was dropped.
fn is_dropped(circle: &Circle, certificate: &[u8]) -> bool {
    circle.dropped.contains(&sha256(certificate))
}
