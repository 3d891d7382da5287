use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

/// Whether a node is part of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum NodeState {
    /// First contact has begun; the node has no certificate yet.
    New,
    /// It has a certificate and may connect.
    Enrolled,
    /// Its key is shut out, for good.
    Revoked,
    /// Its agent was removed and its key is shut out. Stored as revoked, with a row in `released`.
    Released,
}

impl NodeState {
    /// Whether the node's key is shut out.
    #[must_use]
    pub const fn is_shut_out(self) -> bool {
        matches!(self, Self::Revoked | Self::Released)
    }
}

/// A machine that is part of the fleet, or is being added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub name: String,
    /// Whether the node is part of the fleet.
    pub state: NodeState,
    /// Eight hex digits, as in /etc/hostid; kept when a node of this name is removed and added again.
    pub hostid: String,
    /// SHA-256 of its public key (SubjectPublicKeyInfo, DER); None before enrolment.
    pub key_sha256: Option<Digest>,
    /// Pinned SSH host key; empty when the node was never reached over SSH.
    pub host_key: String,
    /// Serial number of the board; empty when it reports none.
    pub hardware_serial: String,
    /// Version of its agent; empty before the first session.
    pub agent_version: String,
    /// End of its certificate, Unix milliseconds; 0 before enrolment.
    pub certificate_expires_ms: u64,
    /// When its agent was heard last, Unix milliseconds; 0: never.
    pub last_seen_ms: u64,
    /// Counter of the newest generation that was handed out; 0: none.
    pub counter: u64,
    /// The agent's number of its newest event that is stored here.
    pub acknowledged: u64,
    /// The encoded `v1::Facts`; None before the first look.
    pub facts: Option<Vec<u8>>,
    /// When the facts arrived, Unix milliseconds; 0: never.
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
    /// Every node but the removed ones, by name.
    pub async fn nodes(&mut self) -> Result<Vec<Node>, StoreError> {
        let rows = select!("WHERE name NOT IN (SELECT node FROM removed) ORDER BY name")
            .fetch_all(&mut *self.tx)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The node with that name, unless it was removed.
    pub async fn node(&mut self, name: &str) -> Result<Option<Node>, StoreError> {
        let row = select!("WHERE name = ? AND name NOT IN (SELECT node FROM removed)", name)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Adds a node, or takes a removed one back: that one keeps its hostid. Fails when the name or the hostid is
    /// taken.
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

    /// Records the hostid that the node already has. False, and no change, when another node has it.
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

    /// Writes all fields of the node except its name and hostid.
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
                let released = sqlx::query!(
                    "INSERT INTO released (node) VALUES (?) ON CONFLICT DO NOTHING",
                    node.name
                );
                released.execute(&mut *self.tx).await?;
            }
            NodeState::Revoked => {
                sqlx::query!("DELETE FROM released WHERE node = ?", node.name)
                    .execute(&mut *self.tx)
                    .await?;
            }
            // The row counts only for a revoked node. Most writes are about a node that is enrolled.
            NodeState::New | NodeState::Enrolled => {}
        }
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
