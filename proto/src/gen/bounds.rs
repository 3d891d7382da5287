/// The fields of each call's request, by the call's name.
pub const OPERATOR: &[(&str, &[Field])] = &[
    ("Status", STATUS_REQUEST),
    ("Plan", PLAN_REQUEST),
    ("Apply", APPLY_REQUEST),
    ("ListNodes", LIST_NODES_REQUEST),
    ("ShowNode", SHOW_NODE_REQUEST),
    ("BeginContact", BEGIN_CONTACT_REQUEST),
    ("CreateToken", CREATE_TOKEN_REQUEST),
    ("Discover", DISCOVER_REQUEST),
    ("Revoke", REVOKE_REQUEST),
    ("ListDisks", LIST_DISKS_REQUEST),
    ("PlanErase", PLAN_ERASE_REQUEST),
    ("Erase", APPLY_REQUEST),
    ("ListTasks", LIST_TASKS_REQUEST),
    ("ShowTask", SHOW_TASK_REQUEST),
    ("Events", EVENTS_REQUEST),
    ("ListAudit", LIST_AUDIT_REQUEST),
    ("VerifyAudit", VERIFY_AUDIT_REQUEST),
    ("ListCopies", LIST_COPIES_REQUEST),
    ("MakeCopies", MAKE_COPIES_REQUEST),
    ("AcceptedRevision", ACCEPTED_REVISION_REQUEST),
    ("PauseNode", PAUSE_NODE_REQUEST),
    ("ResumeNode", RESUME_NODE_REQUEST),
    ("ReleaseNode", RELEASE_NODE_REQUEST),
    ("RemoveNode", REMOVE_NODE_REQUEST),
    ("ForgetPool", FORGET_POOL_REQUEST),
    ("SeenAlarms", SEEN_ALARMS_REQUEST),
    ("ListOperators", LIST_OPERATORS_REQUEST),
    ("AddOperator", ADD_OPERATOR_REQUEST),
    ("RevokeOperator", REVOKE_OPERATOR_REQUEST),
    ("RenewOperator", RENEW_OPERATOR_REQUEST),
    ("ShowAuthorities", SHOW_AUTHORITIES_REQUEST),
    ("RotateAuthority", ROTATE_AUTHORITY_REQUEST),
    ("Snapshots", SNAPSHOTS_REQUEST),
    ("Handbook", HANDBOOK_REQUEST),
    ("SetSecret", SET_SECRET_REQUEST),
    ("ListSecrets", LIST_SECRETS_REQUEST),
    ("RemoveSecret", REMOVE_SECRET_REQUEST),
];
/// The fields of `RemoveSecretRequest` that have a bound.
pub const REMOVE_SECRET_REQUEST: &[Field] = &[field(1, "name", 1, 256, &[])];
/// The fields of `ListSecretsRequest` that have a bound.
pub const LIST_SECRETS_REQUEST: &[Field] = &[];
/// The fields of `SetSecretRequest` that have a bound.
pub const SET_SECRET_REQUEST: &[Field] = &[field(1, "name", 1, 256, &[]), field(2, "value", 1, 65536, &[])];
/// The fields of `HandbookRequest` that have a bound.
pub const HANDBOOK_REQUEST: &[Field] = &[];
/// The fields of `SnapshotsRequest` that have a bound.
pub const SNAPSHOTS_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[]), field(2, "ask", 1, 32768, SNAPSHOT_ASK)];
/// The fields of `SnapshotAsk` that have a bound.
pub const SNAPSHOT_ASK: &[Field] = &[
    field(1, "list", 1, 2048, LIST_SNAPSHOTS),
    field(2, "create", 1, 2048, CREATE_SNAPSHOT),
    field(3, "hold", 1, 4096, HOLD_SNAPSHOT),
    field(4, "release", 1, 4096, HOLD_SNAPSHOT),
    field(5, "diff", 1, 2048, DIFF_SNAPSHOTS),
];
/// The fields of `DiffSnapshots` that have a bound.
pub const DIFF_SNAPSHOTS: &[Field] = &[field(1, "from", 1, 512, &[]), field(2, "to", 1, 512, &[])];
/// The fields of `HoldSnapshot` that have a bound.
pub const HOLD_SNAPSHOT: &[Field] = &[
    field(1, "snapshot", 1, 512, &[]),
    field(2, "tag", 1, 256, &[]),
    field(3, "consent", 1, 2048, CONSENT),
];
/// The fields of `Consent` that have a bound.
pub const CONSENT: &[Field] = &[
    field(1, "id", 1, 256, &[]),
    field(2, "task_id", 1, 256, &[]),
    field(3, "node", 1, 256, &[]),
    field(4, "act_sha256", 1, 256, &[]),
    field(6, "operator", 1, 256, &[]),
    field(7, "signature", 1, 256, &[]),
];
/// The fields of `CreateSnapshot` that have a bound.
pub const CREATE_SNAPSHOT: &[Field] = &[field(1, "dataset", 1, 512, &[]), field(2, "name", 1, 256, &[])];
/// The fields of `ListSnapshots` that have a bound.
pub const LIST_SNAPSHOTS: &[Field] = &[field(1, "dataset", 1, 512, &[]), field(2, "after", 1, 512, &[])];
/// The fields of `RotateAuthorityRequest` that have a bound.
pub const ROTATE_AUTHORITY_REQUEST: &[Field] = &[
    field(2, "statement", 1, 16384, STATEMENT),
    field(3, "without", 4096, 256, &[]),
];
/// The fields of `Statement` that have a bound.
pub const STATEMENT: &[Field] = &[
    field(1, "cluster", 1, 256, &[]),
    field(3, "operator", 1, 256, &[]),
    field(4, "signature", 1, 256, &[]),
    field(5, "add_operator", 1, 1024, ADD_OPERATOR),
    field(6, "revoke_operator", 1, 1024, REVOKE_OPERATOR),
    field(7, "add_authority", 1, 9216, ADD_AUTHORITY),
    field(8, "drop_authority", 1, 1024, DROP_AUTHORITY),
];
/// The fields of `DropAuthority` that have a bound.
pub const DROP_AUTHORITY: &[Field] = &[field(1, "sha256", 1, 256, &[])];
/// The fields of `AddAuthority` that have a bound.
pub const ADD_AUTHORITY: &[Field] = &[field(1, "certificate", 1, 8192, &[])];
/// The fields of `RevokeOperator` that have a bound.
pub const REVOKE_OPERATOR: &[Field] = &[field(1, "name", 1, 256, &[]), field(2, "public_key", 1, 256, &[])];
/// The fields of `AddOperator` that have a bound.
pub const ADD_OPERATOR: &[Field] = &[field(1, "name", 1, 256, &[]), field(2, "public_key", 1, 256, &[])];
/// The fields of `ShowAuthoritiesRequest` that have a bound.
pub const SHOW_AUTHORITIES_REQUEST: &[Field] = &[];
/// The fields of `RenewOperatorRequest` that have a bound.
pub const RENEW_OPERATOR_REQUEST: &[Field] = &[field(1, "csr", 1, 8192, &[])];
/// The fields of `RevokeOperatorRequest` that have a bound.
pub const REVOKE_OPERATOR_REQUEST: &[Field] = &[field(1, "statement", 1, 16384, STATEMENT)];
/// The fields of `AddOperatorRequest` that have a bound.
pub const ADD_OPERATOR_REQUEST: &[Field] = &[
    field(1, "statement", 1, 16384, STATEMENT),
    field(2, "csr", 1, 8192, &[]),
];
/// The fields of `ListOperatorsRequest` that have a bound.
pub const LIST_OPERATORS_REQUEST: &[Field] = &[];
/// The fields of `SeenAlarmsRequest` that have a bound.
pub const SEEN_ALARMS_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `ForgetPoolRequest` that have a bound.
pub const FORGET_POOL_REQUEST: &[Field] = &[
    field(1, "node", 1, 256, &[]),
    field(2, "pool", 1, 256, &[]),
    field(4, "confirmed", 1, 256, &[]),
];
/// The fields of `RemoveNodeRequest` that have a bound.
pub const REMOVE_NODE_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[]), field(3, "confirmed", 256, 256, &[])];
/// The fields of `ReleaseNodeRequest` that have a bound.
pub const RELEASE_NODE_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `ResumeNodeRequest` that have a bound.
pub const RESUME_NODE_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `PauseNodeRequest` that have a bound.
pub const PAUSE_NODE_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[]), field(2, "reason", 1, 4096, &[])];
/// The fields of `AcceptedRevisionRequest` that have a bound.
pub const ACCEPTED_REVISION_REQUEST: &[Field] = &[];
/// The fields of `MakeCopiesRequest` that have a bound.
pub const MAKE_COPIES_REQUEST: &[Field] = &[];
/// The fields of `ListCopiesRequest` that have a bound.
pub const LIST_COPIES_REQUEST: &[Field] = &[];
/// The fields of `VerifyAuditRequest` that have a bound.
pub const VERIFY_AUDIT_REQUEST: &[Field] = &[field(1, "known", 256, 8192, AUDIT_HEAD)];
/// The fields of `AuditHead` that have a bound.
pub const AUDIT_HEAD: &[Field] = &[field(1, "place", 1, 4096, &[]), field(3, "hash", 1, 256, &[])];
/// The fields of `ListAuditRequest` that have a bound.
pub const LIST_AUDIT_REQUEST: &[Field] = &[];
/// The fields of `EventsRequest` that have a bound.
pub const EVENTS_REQUEST: &[Field] = &[
    field(3, "task_id", 1, 256, &[]),
    field(4, "node", 1, 256, &[]),
    field(6, "kinds", 64, 64, &[]),
];
/// The fields of `ShowTaskRequest` that have a bound.
pub const SHOW_TASK_REQUEST: &[Field] = &[field(1, "task_id", 1, 256, &[])];
/// The fields of `ListTasksRequest` that have a bound.
pub const LIST_TASKS_REQUEST: &[Field] = &[];
/// The fields of `ApplyRequest` that have a bound.
pub const APPLY_REQUEST: &[Field] = &[
    field(1, "plan_id", 1, 256, &[]),
    field(2, "nodes", 4096, 256, &[]),
    field(3, "consents", 4096, 2048, CONSENT),
];
/// The fields of `PlanEraseRequest` that have a bound.
pub const PLAN_ERASE_REQUEST: &[Field] = &[field(1, "serial", 1, 256, &[])];
/// The fields of `ListDisksRequest` that have a bound.
pub const LIST_DISKS_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `RevokeRequest` that have a bound.
pub const REVOKE_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `DiscoverRequest` that have a bound.
pub const DISCOVER_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `CreateTokenRequest` that have a bound.
pub const CREATE_TOKEN_REQUEST: &[Field] = &[
    field(1, "node", 1, 256, &[]),
    field(2, "key_sha256", 1, 256, &[]),
    field(3, "host_key", 1, 4096, &[]),
];
/// The fields of `BeginContactRequest` that have a bound.
pub const BEGIN_CONTACT_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `ShowNodeRequest` that have a bound.
pub const SHOW_NODE_REQUEST: &[Field] = &[field(1, "node", 1, 256, &[])];
/// The fields of `ListNodesRequest` that have a bound.
pub const LIST_NODES_REQUEST: &[Field] = &[];
/// The fields of `PlanRequest` that have a bound.
pub const PLAN_REQUEST: &[Field] = &[
    field(1, "text", 1, 1048576, &[]),
    field(2, "git_commit", 1, 256, &[]),
    field(5, "nodes", 4096, 256, &[]),
    field(6, "skip_reading", 256, 256, &[]),
];
/// The fields of `StatusRequest` that have a bound.
pub const STATUS_REQUEST: &[Field] = &[];
/// The fields of `EnrolRequest` that have a bound.
pub const ENROL_REQUEST: &[Field] = &[
    field(1, "token", 1, 256, &[]),
    field(2, "node", 1, 256, &[]),
    field(3, "csr", 1, 8192, &[]),
    field(4, "hardware_serial", 1, 256, &[]),
];
/// The fields of `FromAgent` that have a bound.
pub const FROM_AGENT: &[Field] = &[
    field(1, "hello", 1, 262144, HELLO),
    field(2, "reply", 1, 4194304, REPLY),
    field(3, "event", 1, 524288, EVENT),
    field(4, "assignment", 1, 16384, ASSIGNMENT_REPLY),
    field(5, "trust", 1, 196608, TRUST_REPLY),
    field(6, "renew", 1, 16384, RENEW_REQUEST),
    field(7, "pools_changed", 1, 256, POOLS_CHANGED),
    field(8, "pong", 1, 256, PONG),
];
/// The fields of `Pong` that have a bound.
pub const PONG: &[Field] = &[];
/// The fields of `PoolsChanged` that have a bound.
pub const POOLS_CHANGED: &[Field] = &[];
/// The fields of `RenewRequest` that have a bound.
pub const RENEW_REQUEST: &[Field] = &[field(1, "csr", 1, 8192, &[])];
/// The fields of `TrustReply` that have a bound.
pub const TRUST_REPLY: &[Field] = &[
    field(1, "statements_sha256", 1, 32, &[]),
    field(2, "authorities", 64, 32, &[]),
    field(3, "refused", 1024, 4096, &[]),
];
/// The fields of `AssignmentReply` that have a bound.
pub const ASSIGNMENT_REPLY: &[Field] = &[
    field(1, "task_id", 1, 256, &[]),
    field(2, "generation", 1, 256, GENERATION),
    field(4, "reason", 1, 4096, &[]),
];
/// The fields of `Generation` that have a bound.
pub const GENERATION: &[Field] = &[];
/// The fields of `Event` that have a bound.
pub const EVENT: &[Field] = &[
    field(3, "task_id", 1, 256, &[]),
    field(4, "task_started", 1, 65536, TASK_STARTED),
    field(5, "step_started", 1, 1024, STEP_STARTED),
    field(6, "op_started", 1, 32768, OP_STARTED),
    field(7, "op_finished", 1, 262144, OP_FINISHED),
    field(8, "step_finished", 1, 262144, STEP_FINISHED),
    field(9, "progress", 1, 262144, PROGRESS),
    field(10, "task_finished", 1, 524288, TASK_FINISHED),
    field(11, "note", 1, 262144, NOTE),
    field(12, "snapshots", 1, 524288, SNAPSHOT_RUN),
    field(13, "scrub", 1, 16384, SCRUB_RUN),
];
/// The fields of `ScrubRun` that have a bound.
pub const SCRUB_RUN: &[Field] = &[field(1, "pool", 1, 256, &[]), field(3, "text", 1, 4096, &[])];
/// The fields of `SnapshotRun` that have a bound.
pub const SNAPSHOT_RUN: &[Field] = &[
    field(1, "taken", 4096, 512, &[]),
    field(3, "pruned_names", 64, 512, &[]),
    field(4, "problems", 4096, 4096, &[]),
    field(5, "stands", 4096, 1024, SNAPSHOT_STAND),
    field(7, "no_pruning", 1, 4096, &[]),
];
/// The fields of `SnapshotStand` that have a bound.
pub const SNAPSHOT_STAND: &[Field] = &[field(1, "dataset", 1, 256, &[])];
/// The fields of `Note` that have a bound.
pub const NOTE: &[Field] = &[field(2, "text", 1, 131072, &[])];
/// The fields of `TaskFinished` that have a bound.
pub const TASK_FINISHED: &[Field] = &[
    field(2, "reason", 1, 131072, &[]),
    field(3, "blocked", 1, 65536, BLOCKED),
    field(5, "pools", 64, 131072, POOL),
];
/// The fields of `Pool` that have a bound.
pub const POOL: &[Field] = &[
    field(1, "name", 1, 256, &[]),
    field(2, "guid", 1, 256, &[]),
    field(3, "state", 1, 256, &[]),
    field(7, "scan_function", 1, 256, &[]),
    field(8, "scan_state", 1, 256, &[]),
    field(10, "legs", 128, 8192, LEG),
    field(11, "comment", 1, 256, &[]),
    field(12, "zfs_status", 1, 4096, &[]),
];
/// The fields of `Leg` that have a bound.
pub const LEG: &[Field] = &[
    field(1, "serial", 1, 256, &[]),
    field(2, "guid", 1, 256, &[]),
    field(3, "state", 1, 256, &[]),
    field(7, "path", 1, 4096, &[]),
    field(9, "vdev", 1, 256, &[]),
    field(11, "last_serial", 1, 256, &[]),
    field(12, "last_slot", 1, 256, &[]),
];
/// The fields of `Blocked` that have a bound.
pub const BLOCKED: &[Field] = &[
    field(1, "found", 1, 8192, &[]),
    field(2, "why", 1, 8192, &[]),
    field(3, "next", 1, 8192, &[]),
    field(5, "item", 1, 512, &[]),
    field(6, "edit", 1, 8192, &[]),
];
/// The fields of `Progress` that have a bound.
pub const PROGRESS: &[Field] = &[field(1, "step", 1, 256, &[]), field(2, "text", 1, 131072, &[])];
/// The fields of `StepFinished` that have a bound.
pub const STEP_FINISHED: &[Field] = &[field(1, "step", 1, 256, &[]), field(3, "reason", 1, 131072, &[])];
/// The fields of `OpFinished` that have a bound.
pub const OP_FINISHED: &[Field] = &[
    field(1, "step", 1, 256, &[]),
    field(2, "summary", 1, 16384, &[]),
    field(4, "error", 1, 131072, &[]),
];
/// The fields of `OpStarted` that have a bound.
pub const OP_STARTED: &[Field] = &[field(1, "step", 1, 256, &[]), field(2, "summary", 1, 16384, &[])];
/// The fields of `StepStarted` that have a bound.
pub const STEP_STARTED: &[Field] = &[field(1, "step", 1, 256, &[])];
/// The fields of `TaskStarted` that have a bound.
pub const TASK_STARTED: &[Field] = &[field(1, "steps", 256, 256, &[])];
/// The fields of `Reply` that have a bound.
pub const REPLY: &[Field] = &[
    field(2, "error", 1, 4096, &[]),
    field(3, "facts", 1, 524288, FACTS),
    field(4, "preview", 1, 4194304, PREVIEW),
    field(5, "snapshots", 1, 4194304, SNAPSHOT_ANSWER),
    field(6, "reach", 1, 256, REACH),
    field(7, "copy", 1, 256, COPY_STORED),
    field(8, "release", 1, 262144, RELEASE_PLAN),
];
/// The fields of `ReleasePlan` that have a bound.
pub const RELEASE_PLAN: &[Field] = &[
    field(1, "stops", 256, 4096, &[]),
    field(2, "goes_on", 256, 4096, &[]),
    field(3, "starts", 256, 4096, &[]),
    field(4, "refused", 1, 4096, &[]),
];
/// The fields of `CopyStored` that have a bound.
pub const COPY_STORED: &[Field] = &[];
/// The fields of `Reach` that have a bound.
pub const REACH: &[Field] = &[];
/// The fields of `SnapshotAnswer` that have a bound.
pub const SNAPSHOT_ANSWER: &[Field] = &[
    field(1, "rows", 2000, 262144, SNAPSHOT_ROW),
    field(3, "next", 1, 512, &[]),
    field(4, "no_pruning", 1, 4096, &[]),
    field(5, "problems", 64, 8192, &[]),
    field(6, "created", 1, 131072, &[]),
    field(7, "diff", 2000, 32768, DIFF_LINE),
];
/// The fields of `DiffLine` that have a bound.
pub const DIFF_LINE: &[Field] = &[field(2, "path", 1, 8192, &[]), field(3, "new_path", 1, 8192, &[])];
/// The fields of `SnapshotRow` that have a bound.
pub const SNAPSHOT_ROW: &[Field] = &[
    field(1, "dataset", 1, 256, &[]),
    field(2, "name", 1, 256, &[]),
    field(3, "guid", 1, 256, &[]),
    field(7, "clones", 1024, 256, &[]),
    field(8, "classes", 16, 256, &[]),
    field(10, "reason", 1, 1024, &[]),
    field(11, "path", 1, 4096, &[]),
    field(12, "tags", 64, 256, &[]),
];
/// The fields of `Preview` that have a bound.
pub const PREVIEW: &[Field] = &[
    field(1, "steps", 256, 4194304, STEP_REPORT),
    field(2, "facts", 1, 524288, FACTS),
];
/// The fields of `Facts` that have a bound.
pub const FACTS: &[Field] = &[
    field(1, "hostname", 1, 256, &[]),
    field(2, "machine_id", 1, 256, &[]),
    field(3, "hardware_serial", 1, 256, &[]),
    field(4, "model", 1, 256, &[]),
    field(5, "architecture", 1, 256, &[]),
    field(6, "os", 1, 256, &[]),
    field(7, "kernel", 1, 256, &[]),
    field(8, "boot_id", 1, 256, &[]),
    field(10, "disks", 256, 8192, DISK),
    field(11, "nics", 256, 16384, NIC),
    field(12, "pools", 64, 131072, POOL),
    field(14, "hostid", 1, 256, &[]),
    field(15, "zfs_version", 1, 256, &[]),
    field(16, "agent_version", 1, 256, &[]),
    field(20, "unreadable_pools", 64, 8192, UNREADABLE_POOL),
    field(21, "schedule", 1, 524288, SCHEDULE_FACTS),
    field(22, "paused", 1, 8192, PAUSE),
];
/// The fields of `Pause` that have a bound.
pub const PAUSE: &[Field] = &[field(1, "reason", 1, 4096, &[]), field(2, "operator", 1, 256, &[])];
/// The fields of `ScheduleFacts` that have a bound.
pub const SCHEDULE_FACTS: &[Field] = &[
    field(1, "stands", 4096, 1024, SNAPSHOT_STAND),
    field(2, "no_pruning", 1, 4096, &[]),
    field(7, "problems", 4096, 4096, &[]),
    field(8, "absent", 4096, 256, &[]),
    field(11, "copy_problem", 1, 4096, &[]),
];
/// The fields of `UnreadablePool` that have a bound.
pub const UNREADABLE_POOL: &[Field] = &[field(1, "name", 1, 256, &[]), field(2, "reason", 1, 4096, &[])];
/// The fields of `Nic` that have a bound.
pub const NIC: &[Field] = &[
    field(1, "name", 1, 256, &[]),
    field(2, "mac", 1, 256, &[]),
    field(3, "bus", 1, 256, &[]),
    field(4, "driver", 1, 256, &[]),
    field(7, "addresses", 256, 256, &[]),
    field(8, "refusal", 1, 1024, &[]),
    field(9, "operstate", 1, 256, &[]),
];
/// The fields of `Disk` that have a bound.
pub const DISK: &[Field] = &[
    field(1, "serial", 1, 256, &[]),
    field(2, "by_id", 1, 1024, &[]),
    field(3, "model", 1, 256, &[]),
    field(5, "slot", 1, 256, &[]),
    field(6, "transport", 1, 256, &[]),
    field(8, "finding", 1, 2048, &[]),
    field(9, "pool_guid", 1, 256, &[]),
    field(10, "kernel_name", 1, 256, &[]),
];
/// The fields of `StepReport` that have a bound.
pub const STEP_REPORT: &[Field] = &[
    field(1, "step", 1, 256, &[]),
    field(3, "reason", 1, 16384, &[]),
    field(4, "ops", 1024, 4194304, OP_PREVIEW),
    field(5, "blocked", 1, 65536, BLOCKED),
    field(8, "after", 1, 256, &[]),
];
/// The fields of `OpPreview` that have a bound.
pub const OP_PREVIEW: &[Field] = &[
    field(2, "summary", 1, 16384, &[]),
    field(3, "before", 1, 524288, &[]),
    field(4, "after", 1, 524288, &[]),
    field(5, "irreversible", 1, 4194304, IRREVERSIBLE),
    field(6, "meaning", 1, 16384, &[]),
];
/// The fields of `Irreversible` that have a bound.
pub const IRREVERSIBLE: &[Field] = &[
    field(1, "create_pool", 1, 65536, CREATE_POOL),
    field(2, "erase_contents", 1, 16384, ERASE_CONTENTS),
    field(3, "import_pool", 1, 131072, IMPORT_POOL),
    field(4, "lower_keep", 1, 4194304, LOWER_KEEP),
];
/// The fields of `LowerKeep` that have a bound.
pub const LOWER_KEEP: &[Field] = &[
    field(1, "changes", 4096, 4096, KEEP_CHANGE),
    field(2, "victims", 100000, 1024, SNAPSHOT_IDENTITY),
];
/// The fields of `SnapshotIdentity` that have a bound.
pub const SNAPSHOT_IDENTITY: &[Field] = &[field(1, "name", 1, 512, &[]), field(2, "guid", 1, 256, &[])];
/// The fields of `KeepChange` that have a bound.
pub const KEEP_CHANGE: &[Field] = &[
    field(1, "dataset", 1, 256, &[]),
    field(2, "before", 1, 1024, &[]),
    field(3, "after", 1, 1024, &[]),
];
/// The fields of `ImportPool` that have a bound.
pub const IMPORT_POOL: &[Field] = &[
    field(1, "guid", 1, 256, &[]),
    field(2, "present", 256, 1024, DISK_IDENTITY),
    field(3, "txgs", 256, 4096, &[]),
    field(4, "missing", 256, 256, &[]),
];
/// The fields of `DiskIdentity` that have a bound.
pub const DISK_IDENTITY: &[Field] = &[field(1, "serial", 1, 256, &[])];
/// The fields of `EraseContents` that have a bound.
pub const ERASE_CONTENTS: &[Field] = &[
    field(1, "disk", 1, 1024, DISK_IDENTITY),
    field(2, "finding", 1, 2048, &[]),
];
/// The fields of `CreatePool` that have a bound.
pub const CREATE_POOL: &[Field] = &[
    field(1, "pool", 1, 256, &[]),
    field(2, "disks", 256, 1024, DISK_IDENTITY),
    field(3, "properties", 256, 8192, PROPERTY),
    field(4, "unread", 256, 256, &[]),
];
/// The fields of `Property` that have a bound.
pub const PROPERTY: &[Field] = &[field(1, "name", 1, 256, &[]), field(2, "value", 1, 4096, &[])];
/// The fields of `Hello` that have a bound.
pub const HELLO: &[Field] = &[
    field(1, "node", 1, 256, &[]),
    field(2, "agent_version", 1, 256, &[]),
    field(3, "boot_id", 1, 256, &[]),
    field(4, "hardware_serial", 1, 256, &[]),
    field(6, "generation", 1, 256, GENERATION),
    field(7, "task_id", 1, 256, &[]),
    field(10, "trust", 1, 196608, TRUST_REPLY),
    field(11, "pending_network", 1, 1024, PENDING_NETWORK),
];
/// The fields of `PendingNetwork` that have a bound.
pub const PENDING_NETWORK: &[Field] = &[field(1, "guard_id", 1, 256, &[]), field(2, "address", 1, 256, &[])];
