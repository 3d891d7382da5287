//! The bounds of an operator's requests: one row for each call.

use super::Field;
use super::table::{DISKS, KIB, NAME, PATH, TEXT, list, many, one, part};

/// heeler.toml of some thousand nodes.
const FILE: usize = 1024 * KIB;
const NODES: usize = 4096;
/// One for each change that cannot be undone, on each node.
const CONSENTS: usize = 4096;
const CERTIFICATE: usize = 8 * KIB;
const SECRET: usize = 64 * KIB;

/// The fields of each call's request, by the call's name in the .proto files.
pub const OPERATOR: &[(&str, &[Field])] = &[
    ("Status", &[]),
    (
        "Plan",
        &[
            one(1, "text", FILE),
            one(2, "git_commit", NAME),
            many(5, "nodes", NODES, NAME),
            many(6, "skip_reading", DISKS, NAME),
        ],
    ),
    ("Apply", APPLY),
    ("ListNodes", &[]),
    ("ShowNode", NODE),
    ("BeginContact", NODE),
    (
        "CreateToken",
        &[
            one(1, "node", NAME),
            one(2, "key_sha256", NAME),
            one(3, "host_key", TEXT),
        ],
    ),
    ("Discover", NODE),
    ("Revoke", NODE),
    ("ListDisks", NODE),
    ("PlanErase", &[one(1, "serial", NAME)]),
    ("Erase", APPLY),
    ("ListTasks", &[]),
    ("ShowTask", &[one(1, "task_id", NAME)]),
    (
        "Events",
        &[one(3, "task_id", NAME), one(4, "node", NAME), many(6, "kinds", 64, 64)],
    ),
    ("ListAudit", &[]),
    (
        "VerifyAudit",
        &[list(
            1,
            "known",
            (256, 8 * KIB),
            &[one(1, "place", PATH), one(3, "hash", NAME)],
        )],
    ),
    ("ListCopies", &[]),
    ("MakeCopies", &[]),
    ("AcceptedRevision", &[]),
    ("PauseNode", &[one(1, "node", NAME), one(2, "reason", TEXT)]),
    ("ResumeNode", NODE),
    ("ReleaseNode", NODE),
    ("RemoveNode", &[one(1, "node", NAME), many(3, "confirmed", 256, NAME)]),
    (
        "ForgetPool",
        &[one(1, "node", NAME), one(2, "pool", NAME), one(4, "confirmed", NAME)],
    ),
    ("SeenAlarms", NODE),
    ("ListOperators", &[]),
    (
        "AddOperator",
        &[part(1, "statement", 16 * KIB, STATEMENT), one(2, "csr", CERTIFICATE)],
    ),
    ("RevokeOperator", &[part(1, "statement", 16 * KIB, STATEMENT)]),
    ("RenewOperator", &[one(1, "csr", CERTIFICATE)]),
    ("ShowAuthorities", &[]),
    (
        "RotateAuthority",
        &[
            part(2, "statement", 16 * KIB, STATEMENT),
            many(3, "without", NODES, NAME),
        ],
    ),
    ("Snapshots", &[one(1, "node", NAME), part(2, "ask", 32 * KIB, ASK)]),
    ("Handbook", &[]),
    ("SetSecret", &[one(1, "name", NAME), one(2, "value", SECRET)]),
    ("ListSecrets", &[]),
    ("RemoveSecret", &[one(1, "name", NAME)]),
];

const NODE: &[Field] = &[one(1, "node", NAME)];

const APPLY: &[Field] = &[
    one(1, "plan_id", NAME),
    many(2, "nodes", NODES, NAME),
    list(3, "consents", (CONSENTS, 2 * KIB), CONSENT),
];

const CONSENT: &[Field] = &[
    one(1, "id", NAME),
    one(2, "task_id", NAME),
    one(3, "node", NAME),
    one(4, "act_sha256", NAME),
    one(6, "operator", NAME),
    one(7, "signature", NAME),
];

const OPERATOR_KEY: &[Field] = &[one(1, "name", NAME), one(2, "public_key", NAME)];

const STATEMENT: &[Field] = &[
    one(1, "cluster", NAME),
    one(3, "operator", NAME),
    one(4, "signature", NAME),
    part(5, "add_operator", KIB, OPERATOR_KEY),
    part(6, "revoke_operator", KIB, OPERATOR_KEY),
    part(
        7,
        "add_authority",
        CERTIFICATE + KIB,
        &[one(1, "certificate", CERTIFICATE)],
    ),
    part(8, "drop_authority", KIB, &[one(1, "sha256", NAME)]),
];

/// `DATASET@NAME`.
const SNAPSHOT: usize = 2 * NAME;

const HOLD: &[Field] = &[
    one(1, "snapshot", SNAPSHOT),
    one(2, "tag", NAME),
    part(3, "consent", 2 * KIB, CONSENT),
];

const ASK: &[Field] = &[
    part(
        1,
        "list",
        2 * KIB,
        &[one(1, "dataset", SNAPSHOT), one(2, "after", SNAPSHOT)],
    ),
    part(
        2,
        "create",
        2 * KIB,
        &[one(1, "dataset", SNAPSHOT), one(2, "name", NAME)],
    ),
    part(3, "hold", 4 * KIB, HOLD),
    part(4, "release", 4 * KIB, HOLD),
    part(5, "diff", 2 * KIB, &[one(1, "from", SNAPSHOT), one(2, "to", SNAPSHOT)]),
];
