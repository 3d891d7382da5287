//! A coordinator that answers as a test scripts it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use heeler_proto::v1::operator_server::Operator;
use heeler_proto::v1::*;
use tokio_stream::Stream;
use tonic::{Code, Request, Response, Status};

pub use super::stage::{NOW, Stage};
use crate::told;

/// The answers, and the requests that came.
#[derive(Default)]
pub struct Script {
    pub status: StatusReply,
    pub plan: PlanReply,
    pub apply: ApplyReply,
    pub nodes: Vec<NodeInfo>,
    pub disks: Vec<DiskRecord>,
    pub tasks: Vec<TaskInfo>,
    pub revision: Revision,
    /// Gates of a removal.
    pub gates: Vec<Gate>,
    /// Whether something was released, removed or forgotten.
    pub went: bool,
    /// One stream for each call. Each ends in a lost connection, but the last stays open.
    pub streams: VecDeque<Vec<FleetEvent>>,
    pub planned: Vec<PlanRequest>,
    pub applied: Vec<ApplyRequest>,
    pub followed: Vec<EventsRequest>,
    pub audit: ListAuditReply,
    pub audit_check: VerifyAuditReply,
    pub verified: Vec<VerifyAuditRequest>,
    /// One answer, or refusal, for each request about snapshots.
    pub snapshots: VecDeque<Result<SnapshotAnswer, Told>>,
    pub asked: Vec<SnapshotsRequest>,
    pub copies: Vec<CopyInfo>,
    pub copy_problems: Vec<CopyProblem>,
    pub handbook: HandbookReply,
    pub secrets: Vec<SecretInfo>,
    pub secrets_set: Vec<SetSecretRequest>,
    pub operators: Vec<OperatorInfo>,
    pub statements: Vec<Statement>,
    pub contact: BeginContactReply,
    pub authorities: ShowAuthoritiesReply,
    pub grant: OperatorGrant,
    /// Requests for steps of a rotation.
    pub rotated: Vec<RotateAuthorityRequest>,
    /// Statements that operators signed, as they arrived.
    pub signed: Vec<Option<Statement>>,
}

#[derive(Clone, Default)]
pub struct Fake(pub Arc<Mutex<Script>>);

type Events = Pin<Box<dyn Stream<Item = Result<FleetEvent, Status>> + Send>>;

impl Fake {
    fn script<T: Send>(&self, act: impl FnOnce(&mut Script) -> T) -> Result<Response<T>, Status> {
        Ok(Response::new(act(&mut self.0.lock().unwrap())))
    }
}

#[async_trait]
impl Operator for Fake {
    type EventsStream = Events;

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        self.script(|script| script.status.clone())
    }
    async fn plan(&self, request: Request<PlanRequest>) -> Result<Response<PlanReply>, Status> {
        self.script(|script| {
            script.planned.push(request.into_inner());
            script.plan.clone()
        })
    }
    async fn apply(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyReply>, Status> {
        self.script(|script| {
            script.applied.push(request.into_inner());
            script.apply.clone()
        })
    }
    async fn snapshots(&self, request: Request<SnapshotsRequest>) -> Result<Response<SnapshotAnswer>, Status> {
        let answer = self.script(|script| {
            script.asked.push(request.into_inner());
            script.snapshots.pop_front().unwrap_or(Ok(SnapshotAnswer::default()))
        })?;
        answer
            .into_inner()
            .map(Response::new)
            .map_err(|told| told::status(Code::FailedPrecondition, &told))
    }
    async fn list_nodes(&self, _: Request<ListNodesRequest>) -> Result<Response<ListNodesReply>, Status> {
        self.script(|script| ListNodesReply {
            nodes: script.nodes.clone(),
        })
    }
    async fn show_node(&self, request: Request<ShowNodeRequest>) -> Result<Response<ShowNodeReply>, Status> {
        let name = request.into_inner().node;
        let node = self
            .0
            .lock()
            .unwrap()
            .nodes
            .iter()
            .find(|node| node.node == name)
            .cloned();
        let node = node.ok_or_else(|| Status::not_found(format!("no node is called {name}\nSee: heeler node list")))?;
        self.script(|script| ShowNodeReply {
            node: Some(node),
            tasks: script.tasks.clone(),
            drift: None,
        })
    }
    async fn begin_contact(&self, _: Request<BeginContactRequest>) -> Result<Response<BeginContactReply>, Status> {
        self.script(|script| script.contact.clone())
    }
    async fn create_token(&self, _: Request<CreateTokenRequest>) -> Result<Response<CreateTokenReply>, Status> {
        Err(Status::unimplemented("not played"))
    }
    async fn discover(&self, _: Request<DiscoverRequest>) -> Result<Response<DiscoverReply>, Status> {
        self.script(|script| DiscoverReply {
            facts: script.nodes.first().and_then(|node| node.facts.clone()),
        })
    }
    async fn revoke(&self, _: Request<RevokeRequest>) -> Result<Response<RevokeReply>, Status> {
        self.script(|_| RevokeReply { session_closed: true })
    }
    async fn pause_node(&self, request: Request<PauseNodeRequest>) -> Result<Response<PauseNodeReply>, Status> {
        let request = request.into_inner();
        self.script(|script| PauseNodeReply {
            pause: Some(Pause {
                reason: request.reason,
                operator: "me".into(),
                on_node: false,
                since_ms: NOW,
                until_ms: if request.for_ms == 0 { 0 } else { NOW + request.for_ms },
            }),
            in_hand: script
                .tasks
                .first()
                .map(|task| task.task_id.clone())
                .unwrap_or_default(),
        })
    }
    async fn release_node(&self, request: Request<ReleaseNodeRequest>) -> Result<Response<ReleaseNodeReply>, Status> {
        self.script(|script| {
            let released = request.into_inner().go;
            script.went |= released;
            ReleaseNodeReply {
                released,
                node: Some(ReleasePlan {
                    stops: vec!["new snapshots".into()],
                    starts: vec!["monthly scrubs of data, by a timer".into()],
                    goes_on: vec!["pools".into()],
                    ..ReleasePlan::default()
                }),
            }
        })
    }
    async fn remove_node(&self, request: Request<RemoveNodeRequest>) -> Result<Response<RemoveNodeReply>, Status> {
        self.script(|script| {
            let removed = request.into_inner().go;
            script.went |= removed;
            RemoveNodeReply {
                gates: script.gates.clone(),
                removed,
            }
        })
    }
    async fn forget_pool(&self, request: Request<ForgetPoolRequest>) -> Result<Response<ForgetPoolReply>, Status> {
        self.script(|script| {
            let forgotten = request.into_inner().go;
            script.went |= forgotten;
            ForgetPoolReply {
                gates: script.gates.clone(),
                forgotten,
            }
        })
    }
    async fn seen_alarms(&self, _: Request<SeenAlarmsRequest>) -> Result<Response<SeenAlarmsReply>, Status> {
        self.script(|_| SeenAlarmsReply { alarms: 2 })
    }
    async fn resume_node(&self, _: Request<ResumeNodeRequest>) -> Result<Response<ResumeNodeReply>, Status> {
        self.script(|_| ResumeNodeReply { was_paused: true })
    }
    async fn list_disks(&self, _: Request<ListDisksRequest>) -> Result<Response<ListDisksReply>, Status> {
        self.script(|script| ListDisksReply {
            disks: script.disks.clone(),
            more: Vec::new(),
        })
    }
    async fn plan_erase(&self, _: Request<PlanEraseRequest>) -> Result<Response<PlanReply>, Status> {
        self.script(|script| script.plan.clone())
    }
    async fn erase(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyReply>, Status> {
        self.apply(request).await
    }
    async fn list_tasks(&self, _: Request<ListTasksRequest>) -> Result<Response<ListTasksReply>, Status> {
        self.script(|script| ListTasksReply {
            tasks: script.tasks.clone(),
            more: false,
        })
    }
    async fn show_task(&self, request: Request<ShowTaskRequest>) -> Result<Response<TaskInfo>, Status> {
        let id = request.into_inner().task_id;
        let tasks = self.0.lock().unwrap().tasks.clone();
        let task = tasks.into_iter().find(|task| task.task_id == id);
        task.map(Response::new).ok_or_else(|| Status::not_found("no such task"))
    }
    async fn events(&self, request: Request<EventsRequest>) -> Result<Response<Events>, Status> {
        let mut script = self.0.lock().unwrap();
        let request = request.into_inner();
        let follow = request.follow;
        script.followed.push(request);
        let events = script.streams.pop_front().unwrap_or_default();
        let (last, mut events) = (script.streams.is_empty(), events.into_iter());
        let (send, receive) = tokio::sync::mpsc::channel(64);
        tokio::spawn(async move {
            for event in events.by_ref() {
                send.send(Ok(event)).await.ok();
            }
            match (follow, last) {
                (true, true) => send.closed().await,
                (true, false) => drop(send.send(Err(Status::unavailable("gone"))).await),
                (false, _) => {}
            }
        });
        Ok(Response::new(Box::pin(tokio_stream::wrappers::ReceiverStream::new(
            receive,
        ))))
    }
    async fn list_audit(&self, request: Request<ListAuditRequest>) -> Result<Response<ListAuditReply>, Status> {
        let request = request.into_inner();
        self.script(|script| {
            let entries = script.audit.entries.iter().filter(|entry| entry.seq > request.after);
            ListAuditReply {
                entries: entries.take(request.limit as usize).cloned().collect(),
                last: script.audit.last,
            }
        })
    }
    async fn list_copies(&self, _: Request<ListCopiesRequest>) -> Result<Response<ListCopiesReply>, Status> {
        self.script(|script| ListCopiesReply {
            copies: script.copies.clone(),
        })
    }
    async fn make_copies(&self, _: Request<MakeCopiesRequest>) -> Result<Response<MakeCopiesReply>, Status> {
        self.script(|script| MakeCopiesReply {
            copies: script.copies.clone(),
            problems: script.copy_problems.clone(),
        })
    }
    async fn verify_audit(&self, request: Request<VerifyAuditRequest>) -> Result<Response<VerifyAuditReply>, Status> {
        self.script(|script| {
            script.verified.push(request.into_inner());
            script.audit_check.clone()
        })
    }
    async fn accepted_revision(&self, _: Request<AcceptedRevisionRequest>) -> Result<Response<Revision>, Status> {
        self.script(|script| script.revision.clone())
    }
    async fn handbook(&self, _: Request<HandbookRequest>) -> Result<Response<HandbookReply>, Status> {
        self.script(|script| script.handbook.clone())
    }
    async fn set_secret(&self, request: Request<SetSecretRequest>) -> Result<Response<SetSecretReply>, Status> {
        self.script(|script| {
            script.secrets_set.push(request.into_inner());
            SetSecretReply {
                replaced: script.secrets_set.len() > 1,
            }
        })
    }
    async fn list_secrets(&self, _: Request<ListSecretsRequest>) -> Result<Response<ListSecretsReply>, Status> {
        self.script(|script| ListSecretsReply {
            secrets: script.secrets.clone(),
        })
    }
    async fn remove_secret(
        &self,
        request: Request<RemoveSecretRequest>,
    ) -> Result<Response<RemoveSecretReply>, Status> {
        let name = request.into_inner().name;
        self.script(|script| {
            script.secrets.retain(|secret| secret.name != name);
            RemoveSecretReply {}
        })
    }
    async fn list_operators(&self, _: Request<ListOperatorsRequest>) -> Result<Response<ListOperatorsReply>, Status> {
        self.script(|script| ListOperatorsReply {
            operators: script.operators.clone(),
            statements: script.statements.clone(),
            ..ListOperatorsReply::default()
        })
    }
    async fn add_operator(&self, request: Request<AddOperatorRequest>) -> Result<Response<OperatorGrant>, Status> {
        self.script(|script| {
            script.signed.push(request.into_inner().statement);
            script.grant.clone()
        })
    }
    async fn revoke_operator(
        &self,
        request: Request<RevokeOperatorRequest>,
    ) -> Result<Response<RevokeOperatorReply>, Status> {
        self.script(|script| {
            script.signed.push(request.into_inner().statement);
            RevokeOperatorReply::default()
        })
    }
    async fn renew_operator(&self, _: Request<RenewOperatorRequest>) -> Result<Response<OperatorGrant>, Status> {
        self.script(|script| script.grant.clone())
    }
    async fn show_authorities(
        &self,
        _: Request<ShowAuthoritiesRequest>,
    ) -> Result<Response<ShowAuthoritiesReply>, Status> {
        self.script(|script| script.authorities.clone())
    }
    async fn rotate_authority(
        &self,
        request: Request<RotateAuthorityRequest>,
    ) -> Result<Response<ShowAuthoritiesReply>, Status> {
        self.script(|script| {
            let request = request.into_inner();
            script.rotated.push(request.clone());
            script.signed.extend(request.statement.map(Some));
            script.authorities.clone()
        })
    }
}
