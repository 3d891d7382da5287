use crate::{Result, Tx, signed};

/// What an operation does, which also says how its body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
pub enum OperationKind {
    /// A change of one node's network stays only when its peers confirm it.
    #[sqlx(rename = "network change")]
    NetworkChange,
}

/// Whether an operation goes on, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum OperationState {
    /// The planner works on it.
    Open,
    /// It has reached what it was to reach.
    Done,
    /// It was given up, and the machines are as they were before.
    Undone,
    /// It was given up half-way, or how far it got is not known.
    Failed,
}

/// Work of several steps or nodes. Its tasks name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its number, from 1; no number is given twice.
    pub id: u64,
    /// What it does.
    pub kind: OperationKind,
    /// Whether it goes on.
    pub state: OperationState,
    /// The node that it is about; None when there are several.
    pub node: Option<String>,
    /// Operator name, as in the audit log.
    pub operator: String,
    /// JSON, by kind: what it is to do, and how far it has got.
    pub body: Vec<u8>,
    /// Why it ended so: a clause without capital and full stop; empty while it is open.
    pub reason: String,
    /// When it began, Unix milliseconds.
    pub created_at_ms: u64,
    /// When its state or body last changed, Unix milliseconds.
    pub changed_at_ms: u64,
}

/// An operation to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// What it does.
    pub kind: OperationKind,
    /// The node that it is about; None when there are several.
    pub node: Option<String>,
    /// Operator name, as in the audit log.
    pub operator: String,
    /// JSON, by kind.
    pub body: Vec<u8>,
}

macro_rules! select {
    ($tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            Operation,
            r#"SELECT id as "id: u64", kind as "kind: OperationKind", state as "state: OperationState", node, operator,
            body, reason, created_at_ms as "created_at_ms: u64", changed_at_ms as "changed_at_ms: u64"
            FROM operations "#
            + $tail
            $(, $argument)*
        )
    };
}

impl Tx {
    /// The operation with that number.
    pub async fn operation(&mut self, id: u64) -> Result<Option<Operation>> {
        Ok(select!("WHERE id = ?", signed(id))
            .fetch_optional(&mut *self.tx)
            .await?)
    }

    /// Operations that have not ended, oldest first.
    pub async fn open_operations(&mut self) -> Result<Vec<Operation>> {
        Ok(select!("WHERE state = 'open' ORDER BY id")
            .fetch_all(&mut *self.tx)
            .await?)
    }

    /// Begins an operation and returns its number. Fails when an open one of its kind is about the same node.
    pub async fn add_operation(&mut self, new: &NewOperation, now_ms: u64) -> Result<u64> {
        let query = sqlx::query!(
            "INSERT INTO operations (kind, state, node, operator, body, reason, created_at_ms, changed_at_ms)
             VALUES (?, 'open', ?, ?, ?, '', ?, ?)",
            new.kind,
            new.node,
            new.operator,
            new.body,
            signed(now_ms),
            signed(now_ms)
        );
        self.insert("new operation", query).await
    }

    /// Records how far an open operation has got. Fails when it has ended.
    pub async fn set_operation(&mut self, id: u64, body: &[u8], now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE operations SET body = ?, changed_at_ms = ? WHERE id = ? AND state = 'open'",
            body,
            signed(now_ms),
            signed(id)
        );
        self.one("open operation", query).await
    }

    /// Ends an open operation. Fails when it has ended before, or holds the lease: it is freed first.
    pub async fn end_operation(&mut self, id: u64, (state, reason): (OperationState, &str), now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE operations SET state = ?, reason = ?, changed_at_ms = ? WHERE id = ? AND state = 'open'
             AND id NOT IN (SELECT operation FROM lease WHERE freed_at_ms IS NULL)",
            state,
            reason,
            signed(now_ms),
            signed(id)
        );
        self.one("operation to end", query).await
    }
}
