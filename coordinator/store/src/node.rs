use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

/// How far a node is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum NodeState {
    /// First contact was begun.
    New,
    /// It holds a certificate.
    Enrolled,
    /// Nobody with its key gets in.
    Revoked,
    /// Its agent was taken off, and nobody with its key gets in. Stored as revoked, with a row in `released`.
    Released,
}

impl NodeState {
    /// As lists show it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Enrolled => "enrolled",
            Self::Revoked => "revoked",
            Self::Released => "released",
        }
    }

    /// Whether nobody with the node's key gets in.
    #[must_use]
    pub const fn is_shut_out(self) -> bool {
        matches!(self, Self::Revoked | Self::Released)
    }
}

/// A machine that is, or may become, a member of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, as the wire's checked type writes it.
    pub name: String,
    /// How far it is known.
    pub state: NodeState,
    /// Eight hex digits, kept for the life of the name.
    pub hostid: String,
    /// SHA-256 of its public key (SubjectPublicKeyInfo, DER); None before enrolment.
    pub key_sha256: Option<Digest>,
    /// Pinned SSH host key; empty when it was never reached by SSH.
    pub host_key: String,
    /// The board's; empty when it has none.
    pub hardware_serial: String,
    /// Empty before the first session.
    pub agent_version: String,
    /// 0 before enrolment.
    pub certificate_expires_ms: u64,
    /// When its agent was heard last; 0 never.
    pub last_seen_ms: u64,
    /// Of the last generation that was handed out.
    pub counter: u64,
    /// The agent's number of the last event that is stored.
    pub acknowledged: u64,
    /// Encoded; None before the first.
    pub facts: Option<Vec<u8>>,
    /// When they arrived.
    pub facts_at_ms: u64,
}

struct Row {
    name: String,
    state: NodeState,
    hostid: String,
    key_sha256: Option<Vec<u8>>,
    host_key: String,
    hardware_serial: String,
    agent_version: String,
    certificate_expires_ms: u64,
    last_seen_ms: u64,
    counter: u64,
    acknowledged: u64,
    facts: Option<Vec<u8>>,
    facts_at_ms: u64,
}

impl TryFrom<Row> for Node {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.name,
            state: row.state,
            hostid: row.hostid,
            key_sha256: row
                .key_sha256
                .map(|bytes| digest("nodes.key_sha256", bytes))
                .transpose()?,
            host_key: row.host_key,
            hardware_serial: row.hardware_serial,
            agent_version: row.agent_version,
            certificate_expires_ms: row.certificate_expires_ms,
            last_seen_ms: row.last_seen_ms,
            counter: row.counter,
            acknowledged: row.acknowledged,
            facts: row.facts,
            facts_at_ms: row.facts_at_ms,
        })
    }
}

macro_rules! select {
    ($tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"SELECT name, CASE WHEN state = 'revoked' AND name IN (SELECT node FROM released) THEN 'released'
            ELSE state END as "state!: NodeState", hostid, key_sha256, host_key, hardware_serial, agent_version,
            certificate_expires_ms as "certificate_expires_ms: u64", last_seen_ms as "last_seen_ms: u64",
            counter as "counter: u64", acknowledged as "acknowledged: u64", facts, facts_at_ms as "facts_at_ms: u64"
            FROM nodes "# + $tail
            $(, $argument)*
        )
    };
}

impl Tx {
    /// By name.
    pub async fn nodes(&mut self) -> Result<Vec<Node>, StoreError> {
        let rows = select!("WHERE name NOT IN (SELECT node FROM removed) ORDER BY name")
            .fetch_all(&mut *self.tx)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The node of that name.
    pub async fn node(&mut self, name: &str) -> Result<Option<Node>, StoreError> {
        let row = select!("WHERE name = ? AND name NOT IN (SELECT node FROM removed)", name)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// A node that nobody has heard of yet, or that was removed: then it keeps its hostid. Fails when the name or the hostid
    /// is taken.
    pub async fn add_node(&mut self, name: &str, hostid: &str) -> Result<(), StoreError> {
        if self.bring_back(name).await? {
            return Ok(());
        }
        let result = sqlx::query!(
            "INSERT INTO nodes (name, state, hostid, host_key, hardware_serial, agent_version, certificate_expires_ms,
             last_seen_ms, counter, acknowledged, facts_at_ms) VALUES (?, 'new', ?, '', '', '', 0, 0, 0, 0, 0)",
            name,
            hostid
        )
        .execute(&mut *self.tx)
        .await?;
        one("new node", &result)
    }

    /// The hostid that a node came with is its own from now on; whether no other node has it.
    pub async fn adopt_hostid(&mut self, name: &str, hostid: &str) -> Result<bool, StoreError> {
        let result = sqlx::query!(
            "UPDATE nodes SET hostid = ?1 WHERE name = ?2 AND NOT EXISTS (SELECT 1 FROM nodes WHERE hostid = ?1)",
            hostid,
            name
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Writes all of a node but its name and its hostid.
    pub async fn set_node(&mut self, node: &Node) -> Result<(), StoreError> {
        let (expires, seen) = (signed(node.certificate_expires_ms), signed(node.last_seen_ms));
        let (counter, acknowledged) = (signed(node.counter), signed(node.acknowledged));
        let facts_at = signed(node.facts_at_ms);
        let key = node.key_sha256.as_ref().map(<[u8; 32]>::as_slice);
        let stored = match node.state {
            NodeState::Released => NodeState::Revoked,
            state => state,
        };
        match node.state {
            NodeState::Released => {
                sqlx::query!(
                    "INSERT INTO released (node) VALUES (?) ON CONFLICT DO NOTHING",
                    node.name
                )
                .execute(&mut *self.tx)
                .await?
            }
            _ => {
                sqlx::query!("DELETE FROM released WHERE node = ?", node.name)
                    .execute(&mut *self.tx)
                    .await?
            }
        };
        let result = sqlx::query!(
            "UPDATE nodes SET state = ?, key_sha256 = ?, host_key = ?, hardware_serial = ?, agent_version = ?,
             certificate_expires_ms = ?, last_seen_ms = ?, counter = ?, acknowledged = ?, facts = ?, facts_at_ms = ?
             WHERE name = ?",
            stored,
            key,
            node.host_key,
            node.hardware_serial,
            node.agent_version,
            expires,
            seen,
            counter,
            acknowledged,
            node.facts,
            facts_at,
            node.name
        )
        .execute(&mut *self.tx)
        .await?;
        one("node", &result)
    }
}
