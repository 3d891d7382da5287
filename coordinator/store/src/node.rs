use sqlx::Sqlite;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteTypeInfo, SqliteValueRef};

use crate::{Digest, Result, Sha256, Tx, signed};

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

/// The key of a node that may have none yet.
struct Key(Option<Digest>);

impl sqlx::Type<Sqlite> for Key {
    fn type_info() -> SqliteTypeInfo {
        Sha256::type_info()
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Key {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Option::<Sha256>::decode(value)?.map(Into::into)))
    }
}

impl From<Key> for Option<Digest> {
    fn from(key: Key) -> Self {
        key.0
    }
}

macro_rules! select {
    ($facts:tt, $tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            Node,
            r#"SELECT name, CASE WHEN state = 'revoked' AND name IN (SELECT node FROM released) THEN 'released'
            ELSE state END as "state!: NodeState", hostid, key_sha256 as "key_sha256!: Key", host_key, hardware_serial,
            agent_version, certificate_expires_ms as "certificate_expires_ms: u64", last_seen_ms as "last_seen_ms: u64",
            counter as "counter: u64", acknowledged as "acknowledged: u64", facts_at_ms as "facts_at_ms: u64", "#
                + $facts
                + " FROM nodes "
                + $tail
            $(, $argument)*
        )
    };
}

impl Tx {
    /// Every node but the removed ones, by name.
    pub async fn nodes(&mut self) -> Result<Vec<Node>> {
        let query = select!("facts", "WHERE name NOT IN (SELECT node FROM removed) ORDER BY name");
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The same without their facts, which are large.
    pub async fn nodes_without_facts(&mut self) -> Result<Vec<Node>> {
        let query = select!(
            "NULL as \"facts: Vec<u8>\"",
            "WHERE name NOT IN (SELECT node FROM removed) ORDER BY name"
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The node with that name, unless it was removed.
    pub async fn node(&mut self, name: &str) -> Result<Option<Node>> {
        let query = select!(
            "facts",
            "WHERE name = ? AND name NOT IN (SELECT node FROM removed)",
            name
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Adds a node, or takes a removed one back: that one keeps its hostid. Fails when the name or the hostid is
    /// taken.
    pub async fn add_node(&mut self, name: &str, hostid: &str) -> Result<()> {
        if self.bring_back(name).await? {
            return Ok(());
        }
        let query = sqlx::query!(
            "INSERT INTO nodes (name, state, hostid, host_key, hardware_serial, agent_version, certificate_expires_ms,
             last_seen_ms, counter, acknowledged, facts_at_ms) VALUES (?, 'new', ?, '', '', '', 0, 0, 0, 0, 0)",
            name,
            hostid
        );
        self.one("new node", query).await
    }

    /// Records the hostid that the node already has. False, and no change, when another node has it.
    pub async fn adopt_hostid(&mut self, name: &str, hostid: &str) -> Result<bool> {
        Ok(self
            .run(sqlx::query!(
                "UPDATE nodes SET hostid = ?1 WHERE name = ?2 AND NOT EXISTS (SELECT 1 FROM nodes WHERE hostid = ?1)",
                hostid,
                name
            ))
            .await?
            == 1)
    }

    /// Writes all fields of the node except its name and hostid.
    pub async fn set_node(&mut self, node: &Node) -> Result<()> {
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
                self.run(sqlx::query!("DELETE FROM released WHERE node = ?", node.name))
                    .await?;
            }
            // The row counts only for a revoked node. Most writes are about a node that is enrolled.
            NodeState::New | NodeState::Enrolled => {}
        }
        let query = sqlx::query!(
            "UPDATE nodes SET state = ?, key_sha256 = ?, host_key = ?, hardware_serial = ?, agent_version = ?,
             certificate_expires_ms = ?, last_seen_ms = ?, counter = ?, acknowledged = ?, facts = ?, facts_at_ms = ?
             WHERE name = ?",
            stored,
            key,
            node.host_key,
            node.hardware_serial,
            node.agent_version,
            signed(node.certificate_expires_ms),
            signed(node.last_seen_ms),
            signed(node.counter),
            signed(node.acknowledged),
            node.facts,
            signed(node.facts_at_ms),
            node.name
        );
        self.one("node", query).await
    }
}
