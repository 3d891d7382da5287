//! The keys that the command line trusts: its own, those that a person or a grant has pinned, and those that signed
//! statements lead to from there. The coordinator only delivers statements; each is verified here, as nodes do.

mod contact_reply;
mod pinned;
mod unsigned_claim;

use std::path::{Path, PathBuf};

use heeler_proto::{Circle, Invalid, MOST_STATEMENTS, Refused, Statement, TrustedOperator, v1};

use crate::pki::{PkiError, certificates, cluster_of, sha256, write_secret};
use crate::state::StateFolder;
use pinned::Pinned;

pub use unsigned_claim::UnsignedClaim;

/// Why the coordinator's information about trust is refused.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] PkiError),
    /// The file with the pinned keys cannot be read.
    #[error("{} is not readable ({problem}). It lists the keys that you trust in addition to your own. Move it away, and heeler asks you again", path.display())]
    Damaged { path: PathBuf, problem: String },
    /// A message could not be parsed; names its content.
    #[error("the coordinator's answer about trust cannot be read: {0}")]
    Unreadable(String),
    #[error(
        "the coordinator gives the key {told} for {name}, but signed statements give {known}. Somebody may have taken \
         over the coordinator: compare the key with {name} before you continue"
    )]
    OtherKey { name: String, told: String, known: String },
    #[error(
        "the coordinator lists {what}, which was revoked or dropped by a signed statement. Somebody may have taken \
         over the coordinator, or it was restored from an old backup: find out before you continue"
    )]
    Dropped { what: String },
    #[error(
        "the coordinator does not list your own key ({name}, {fingerprint}) among its operators: a node that you add now would refuse your consents. See them: heeler operator list"
    )]
    NotNamed { name: String, fingerprint: String },
    #[error("the key of {0} is revoked by a signed statement: nothing is signed with it any more")]
    Revoked(String),
    #[error("nothing was signed: {0}. See: heeler operator list, heeler ca show")]
    Refused(#[from] Refused),
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

/// The keys that one operator trusts: the pinned ones, and those that follow from statements.
pub struct Keyring {
    path: PathBuf,
    own: TrustedOperator,
    pinned: Pinned,
    /// Authorities (DER) of the state folder and of the grant.
    authorities: Vec<Vec<u8>>,
    received: Vec<Statement>,
    /// For each statement in `received`, why it was refused.
    refused: Vec<Option<Refused>>,
    circle: Circle,
}

impl Keyring {
    /// Opens the keyring of the operator `name` with this key (uncompressed point). `state` is the state folder of the
    /// coordinator or of the operator. Fails when the pinned keys cannot be read.
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
            received: Vec::new(),
            refused: Vec::new(),
        };
        trust.follow();
        Ok(trust)
    }

    /// Verifies every statement that the coordinator delivers, and stores the valid ones. They count from then on even
    /// if the coordinator withholds them. Fails when a statement cannot be read, the own key is revoked, or the valid
    /// ones cannot be stored.
    pub fn hear(&mut self, statements: Vec<v1::Statement>) -> Result<(), TrustError> {
        if statements.len() > MOST_STATEMENTS {
            return Err(TrustError::Unreadable(format!("{} statements", statements.len())));
        }
        let received = statements.into_iter().map(Statement::try_from);
        self.received = received.collect::<Result<_, _>>()?;
        self.follow();
        if !self.knows(&self.own.name, &self.own.public_key) {
            return Err(TrustError::Revoked(self.own.name.clone()));
        }
        let holding = self.received.iter().zip(&self.refused).filter(|(_, why)| why.is_none());
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

    /// Starts again from the pinned keys: first the delivered statements, then stored ones that were not delivered.
    fn follow(&mut self) {
        let authorities = self.authorities.iter().chain(&self.pinned.authorities);
        let mut circle = circle(&self.own, &self.pinned.operators, authorities.cloned().collect());
        self.refused = self.received.iter().map(|one| circle.accept(one).err()).collect();
        let ids: Vec<[u8; 32]> = self.received.iter().map(Statement::id).collect();
        for kept in self.pinned.statements.iter().filter(|kept| !ids.contains(&kept.id())) {
            // A stored statement that is no longer valid changes nothing.
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

    /// Whether the operator `name` is known with that key.
    pub fn knows(&self, name: &str, public_key: &[u8]) -> bool {
        self.key_of(name) == Some(public_key)
    }

    /// The verified key of the operator `name`.
    pub fn key_of(&self, name: &str) -> Option<&[u8]> {
        let mut operators = self.circle.operators.iter();
        let known = operators.find(|known| known.name == name)?;
        Some(&known.public_key)
    }

    /// Name and key of the operator whose keyring this is.
    pub fn own(&self) -> &TrustedOperator {
        &self.own
    }

    pub fn operators(&self) -> &[TrustedOperator] {
        &self.circle.operators
    }

    /// Certificates (DER) of all trusted authorities.
    pub fn authorities(&self) -> &[Vec<u8>] {
        &self.circle.authorities
    }

    /// The cluster, from the authority's certificate and never from the coordinator's word. Fails when no authority is
    /// pinned.
    pub fn cluster(&self) -> Result<&str, TrustError> {
        match self.circle.cluster.as_str() {
            "" => Err(TrustError::NoAuthority),
            cluster => Ok(cluster),
        }
    }

    /// Checks that an own statement would be valid. Its error: the reason why it would not be.
    pub fn would_take(&self, statement: &Statement) -> Result<(), TrustError> {
        Ok(self.circle.clone().accept(statement)?)
    }

    /// Pins keys that a person has confirmed or a grant has brought. Fails when they cannot be stored.
    pub fn pin(&mut self, claims: Vec<UnsignedClaim>) -> Result<(), TrustError> {
        for claim in claims {
            match claim {
                UnsignedClaim::Operator(one) => self.pinned.add(one),
                UnsignedClaim::Authority(certificate) => self.pinned.authorities.push(certificate),
            }
        }
        self.follow();
        self.keep()
    }
}

/// The pinned keys alone. The own name and key come first, so that nothing can replace them.
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

fn is_dropped(circle: &Circle, certificate: &[u8]) -> bool {
    circle.dropped.contains(&sha256(certificate))
}
