use std::pin::Pin;
use std::sync::Arc;

use heeler_proto::v1::{self, statement::Change};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::status::{protocol, status};
use crate::app::{App, AppError, Follower, REPLY, Who};
use crate::tls::Caller;

/// Events buffered for one reader.
const WINDOW: usize = 64;

pub(super) struct Service(pub(super) Arc<App>);

type Reply<T> = Result<Response<T>, Status>;

impl Service {
    /// A reply that is too large for clients becomes an error that says what to ask instead.
    fn reply<T: Message>(&self, result: Result<T, AppError>) -> Reply<T> {
        let reply = result.map_err(|error| status(&self.0, &error))?;
        match reply.encoded_len() {
            0..=REPLY => Ok(Response::new(reply)),
            found => Err(Status::resource_exhausted(format!(
                "the reply has {found} bytes, at most {REPLY} are sent\nAsk about one node: heeler node show NODE"
            ))),
        }
    }
}

/// The caller of a request.
fn who<T>(request: &Request<T>) -> Result<Who, Status> {
    super::who::who(request.extensions())
}

/// Name of the operator to revoke.
fn revoked(request: &v1::RevokeOperatorRequest) -> &str {
    match request
        .statement
        .as_ref()
        .and_then(|statement| statement.change.as_ref())
    {
        Some(Change::RevokeOperator(revoke)) => &revoke.name,
        _ => "",
    }
}

#[tonic::async_trait]
impl v1::operator_server::Operator for Service {
    async fn status(&self, _: Request<v1::StatusRequest>) -> Reply<v1::StatusReply> {
        self.reply(self.0.status().await)
    }

    async fn plan(&self, request: Request<v1::PlanRequest>) -> Reply<v1::PlanReply> {
        self.reply(self.0.plan(request.into_inner()).await)
    }

    async fn apply(&self, request: Request<v1::ApplyRequest>) -> Reply<v1::ApplyReply> {
        let who = who(&request)?;
        self.reply(self.0.apply(request.into_inner(), &who).await)
    }

    async fn list_nodes(&self, _: Request<v1::ListNodesRequest>) -> Reply<v1::ListNodesReply> {
        self.reply(self.0.nodes().await.map(|nodes| v1::ListNodesReply { nodes }))
    }

    async fn show_node(&self, request: Request<v1::ShowNodeRequest>) -> Reply<v1::ShowNodeReply> {
        self.reply(self.0.node(&request.into_inner().node).await)
    }

    async fn begin_contact(&self, request: Request<v1::BeginContactRequest>) -> Reply<v1::BeginContactReply> {
        self.reply(self.0.begin_contact(&request.into_inner().node).await)
    }

    async fn create_token(&self, request: Request<v1::CreateTokenRequest>) -> Reply<v1::CreateTokenReply> {
        let who = who(&request)?;
        self.reply(self.0.create_token(request.into_inner(), &who).await)
    }

    async fn discover(&self, request: Request<v1::DiscoverRequest>) -> Reply<v1::DiscoverReply> {
        let facts = self.0.discover(&request.into_inner().node).await;
        self.reply(facts.map(|facts| v1::DiscoverReply { facts: Some(facts) }))
    }

    async fn revoke(&self, request: Request<v1::RevokeRequest>) -> Reply<v1::RevokeReply> {
        let who = who(&request)?;
        let closed = self.0.revoke(&request.into_inner().node, &who).await;
        self.reply(closed.map(|session_closed| v1::RevokeReply { session_closed }))
    }

    async fn list_disks(&self, request: Request<v1::ListDisksRequest>) -> Reply<v1::ListDisksReply> {
        let disks = self.0.disks(&request.into_inner().node).await;
        self.reply(disks)
    }

    async fn plan_erase(&self, request: Request<v1::PlanEraseRequest>) -> Reply<v1::PlanReply> {
        self.reply(self.0.plan_erase(&request.into_inner().serial).await)
    }

    async fn erase(&self, request: Request<v1::ApplyRequest>) -> Reply<v1::ApplyReply> {
        let who = who(&request)?;
        self.reply(self.0.apply(request.into_inner(), &who).await)
    }

    async fn list_tasks(&self, request: Request<v1::ListTasksRequest>) -> Reply<v1::ListTasksReply> {
        self.reply(self.0.tasks(request.into_inner().limit).await)
    }

    async fn show_task(&self, request: Request<v1::ShowTaskRequest>) -> Reply<v1::TaskInfo> {
        self.reply(self.0.task(&request.into_inner().task_id).await)
    }

    type EventsStream = Pin<Box<dyn Stream<Item = Result<v1::FleetEvent, Status>> + Send>>;

    async fn events(&self, request: Request<v1::EventsRequest>) -> Reply<Self::EventsStream> {
        let (out, events) = mpsc::channel(WINDOW);
        let follower = self.0.follow(request.into_inner());
        tokio::spawn(relay(self.0.clone(), follower, out));
        Ok(Response::new(Box::pin(ReceiverStream::new(events))))
    }

    async fn accepted_revision(&self, _: Request<v1::AcceptedRevisionRequest>) -> Reply<v1::Revision> {
        self.reply(self.0.accepted().await)
    }

    async fn snapshots(&self, request: Request<v1::SnapshotsRequest>) -> Reply<v1::SnapshotAnswer> {
        let who = who(&request)?;
        self.reply(self.0.snapshots(request.into_inner(), &who).await)
    }

    async fn list_audit(&self, request: Request<v1::ListAuditRequest>) -> Reply<v1::ListAuditReply> {
        self.reply(self.0.audit_entries(&request.into_inner()).await)
    }

    async fn list_copies(&self, _: Request<v1::ListCopiesRequest>) -> Reply<v1::ListCopiesReply> {
        self.reply(self.0.copies().await.map(|copies| v1::ListCopiesReply { copies }))
    }

    async fn make_copies(&self, _: Request<v1::MakeCopiesRequest>) -> Reply<v1::MakeCopiesReply> {
        let round = self.0.hand_out_copies(0).await.map_err(AppError::from);
        self.reply(round.map(|round| v1::MakeCopiesReply {
            copies: round.kept,
            problems: round.problems,
        }))
    }

    async fn verify_audit(&self, request: Request<v1::VerifyAuditRequest>) -> Reply<v1::VerifyAuditReply> {
        self.reply(self.0.verify_audit(request.into_inner()).await)
    }

    async fn list_operators(&self, _: Request<v1::ListOperatorsRequest>) -> Reply<v1::ListOperatorsReply> {
        self.reply(self.0.operators().await)
    }

    async fn add_operator(&self, request: Request<v1::AddOperatorRequest>) -> Reply<v1::OperatorGrant> {
        let who = who(&request)?;
        self.reply(self.0.add_operator(request.into_inner(), &who).await)
    }

    async fn revoke_operator(&self, request: Request<v1::RevokeOperatorRequest>) -> Reply<v1::RevokeOperatorReply> {
        let who = who(&request)?;
        let own = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        let name = revoked(&request);
        let own = own.filter(|own| own.operator.as_ref().is_some_and(|own| own.name.as_str() == name));
        if let Some(own) = &own {
            own.ends_with_an_answer(true);
        }
        // A revocation that has begun runs to its end, also when the client disconnects.
        let app = self.0.clone();
        let revoking = tokio::spawn(async move { app.revoke_operator(request, &who).await });
        let result = revoking.await.map_err(|_| protocol("the revocation was broken off"))?;
        if let (Some(own), Err(_)) = (&own, &result) {
            own.ends_with_an_answer(false);
        }
        self.reply(result)
    }

    async fn renew_operator(&self, request: Request<v1::RenewOperatorRequest>) -> Reply<v1::OperatorGrant> {
        let who = who(&request)?;
        self.reply(self.0.renew_operator(&request.into_inner().csr, &who).await)
    }

    async fn show_authorities(&self, _: Request<v1::ShowAuthoritiesRequest>) -> Reply<v1::ShowAuthoritiesReply> {
        self.reply(self.0.show_authorities().await)
    }

    async fn rotate_authority(&self, request: Request<v1::RotateAuthorityRequest>) -> Reply<v1::ShowAuthoritiesReply> {
        let who = who(&request)?;
        self.reply(self.0.rotate(request.into_inner(), &who).await)
    }

    async fn pause_node(&self, request: Request<v1::PauseNodeRequest>) -> Reply<v1::PauseNodeReply> {
        let who = who(&request)?;
        self.reply(self.0.pause(request.into_inner(), &who).await)
    }

    async fn resume_node(&self, request: Request<v1::ResumeNodeRequest>) -> Reply<v1::ResumeNodeReply> {
        let who = who(&request)?;
        let held = self.0.resume(request.into_inner(), &who).await;
        self.reply(held.map(|was_paused| v1::ResumeNodeReply { was_paused }))
    }

    async fn release_node(&self, request: Request<v1::ReleaseNodeRequest>) -> Reply<v1::ReleaseNodeReply> {
        let who = who(&request)?;
        self.reply(self.0.release(request.into_inner(), &who).await)
    }

    async fn remove_node(&self, request: Request<v1::RemoveNodeRequest>) -> Reply<v1::RemoveNodeReply> {
        let who = who(&request)?;
        self.reply(self.0.remove(request.into_inner(), &who).await)
    }

    async fn forget_pool(&self, request: Request<v1::ForgetPoolRequest>) -> Reply<v1::ForgetPoolReply> {
        let who = who(&request)?;
        self.reply(self.0.forget_gone_pool(request.into_inner(), &who).await)
    }

    async fn handbook(&self, _: Request<v1::HandbookRequest>) -> Reply<v1::HandbookReply> {
        self.reply(self.0.handbook().await)
    }

    async fn set_secret(&self, request: Request<v1::SetSecretRequest>) -> Reply<v1::SetSecretReply> {
        let who = who(&request)?;
        let set = self.0.set_secret(request.into_inner(), &who).await;
        self.reply(set.map(|replaced| v1::SetSecretReply { replaced }))
    }

    async fn list_secrets(&self, _: Request<v1::ListSecretsRequest>) -> Reply<v1::ListSecretsReply> {
        let secrets = self.0.secrets().await;
        self.reply(secrets.map(|secrets| v1::ListSecretsReply { secrets }))
    }

    async fn remove_secret(&self, request: Request<v1::RemoveSecretRequest>) -> Reply<v1::RemoveSecretReply> {
        let who = who(&request)?;
        let removed = self.0.remove_secret(&request.into_inner().name, &who).await;
        self.reply(removed.map(|()| v1::RemoveSecretReply {}))
    }

    async fn seen_alarms(&self, request: Request<v1::SeenAlarmsRequest>) -> Reply<v1::SeenAlarmsReply> {
        let who = who(&request)?;
        let seen = self.0.seen_alarms(&request.into_inner().node, &who).await;
        self.reply(seen.map(|alarms| v1::SeenAlarmsReply { alarms }))
    }
}

/// Sends events at the reader's pace, until the reader disconnects.
async fn relay(app: Arc<App>, mut follower: Follower, out: mpsc::Sender<Result<v1::FleetEvent, Status>>) {
    loop {
        let next = tokio::select! {
            next = follower.next() => next,
            () = out.closed() => return,
        };
        let (event, more) = match next {
            Ok(Some(event)) => (Ok(event), true),
            Ok(None) => return,
            Err(error) => (Err(status(&app, &error)), false),
        };
        if out.send(event).await.is_err() || !more {
            return;
        }
    }
}
