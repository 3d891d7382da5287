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

fn who<T>(request: &Request<T>) -> Result<Who, Status> {
    super::who::who(request.extensions())
}

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

/// Each call asks the app; `who` is there for the calls that change something.
macro_rules! calls {
    ($(
        fn $name:ident($app:ident, $request:tt: $asked:ident$(, $who:ident)?) -> $reply:ident { $($answer:tt)* }
    )*; $($other:tt)*) => {
        #[tonic::async_trait]
        impl v1::operator_server::Operator for Service {
            $(async fn $name(&self, request: Request<v1::$asked>) -> Reply<v1::$reply> {
                $(let $who = who(&request)?;)?
                let ($app, $request) = (&self.0, request.into_inner());
                self.reply($($answer)*)
            })*
            $($other)*
        }
    };
}

calls! {
    fn status(app, _: StatusRequest) -> StatusReply { app.status().await }
    fn plan(app, request: PlanRequest) -> PlanReply { app.plan(request).await }
    fn apply(app, request: ApplyRequest, who) -> ApplyReply { app.apply(request, &who).await }
    fn list_nodes(app, _: ListNodesRequest) -> ListNodesReply {
        app.nodes().await.map(|nodes| v1::ListNodesReply { nodes })
    }
    fn show_node(app, request: ShowNodeRequest) -> ShowNodeReply { app.node(&request.node).await }
    fn begin_contact(app, request: BeginContactRequest) -> BeginContactReply { app.begin_contact(&request.node).await }
    fn create_token(app, request: CreateTokenRequest, who) -> CreateTokenReply { app.create_token(request, &who).await }
    fn discover(app, request: DiscoverRequest) -> DiscoverReply {
        app.discover(&request.node).await.map(|facts| v1::DiscoverReply { facts: Some(facts) })
    }
    fn revoke(app, request: RevokeRequest, who) -> RevokeReply {
        app.revoke(&request.node, &who).await.map(|session_closed| v1::RevokeReply { session_closed })
    }
    fn list_disks(app, request: ListDisksRequest) -> ListDisksReply { app.disks(&request.node).await }
    fn plan_erase(app, request: PlanEraseRequest) -> PlanReply { app.plan_erase(&request.serial).await }
    fn erase(app, request: ApplyRequest, who) -> ApplyReply { app.apply(request, &who).await }
    fn list_tasks(app, request: ListTasksRequest) -> ListTasksReply { app.tasks(request.limit).await }
    fn show_task(app, request: ShowTaskRequest) -> TaskInfo { app.task(&request.task_id).await }
    fn accepted_revision(app, _: AcceptedRevisionRequest) -> Revision { app.accepted().await }
    fn snapshots(app, request: SnapshotsRequest, who) -> SnapshotAnswer { app.snapshots(request, &who).await }
    fn list_audit(app, request: ListAuditRequest) -> ListAuditReply { app.audit_entries(&request).await }
    fn list_copies(app, _: ListCopiesRequest) -> ListCopiesReply {
        app.copies().await.map(|copies| v1::ListCopiesReply { copies })
    }
    fn make_copies(app, _: MakeCopiesRequest) -> MakeCopiesReply {
        app.hand_out_copies(0).await.map_err(AppError::from).map(|round| v1::MakeCopiesReply {
            copies: round.kept,
            problems: round.problems,
        })
    }
    fn verify_audit(app, request: VerifyAuditRequest) -> VerifyAuditReply { app.verify_audit(request).await }
    fn list_operators(app, _: ListOperatorsRequest) -> ListOperatorsReply { app.operators().await }
    fn add_operator(app, request: AddOperatorRequest, who) -> OperatorGrant { app.add_operator(request, &who).await }
    fn renew_operator(app, request: RenewOperatorRequest, who) -> OperatorGrant {
        app.renew_operator(&request.csr, &who).await
    }
    fn show_authorities(app, _: ShowAuthoritiesRequest) -> ShowAuthoritiesReply { app.show_authorities().await }
    fn rotate_authority(app, request: RotateAuthorityRequest, who) -> ShowAuthoritiesReply {
        app.rotate(request, &who).await
    }
    fn pause_node(app, request: PauseNodeRequest, who) -> PauseNodeReply { app.pause(request, &who).await }
    fn resume_node(app, request: ResumeNodeRequest, who) -> ResumeNodeReply {
        app.resume(request, &who).await.map(|was_paused| v1::ResumeNodeReply { was_paused })
    }
    fn release_node(app, request: ReleaseNodeRequest, who) -> ReleaseNodeReply { app.release(request, &who).await }
    fn remove_node(app, request: RemoveNodeRequest, who) -> RemoveNodeReply { app.remove(request, &who).await }
    fn forget_pool(app, request: ForgetPoolRequest, who) -> ForgetPoolReply {
        app.forget_gone_pool(request, &who).await
    }
    fn handbook(app, _: HandbookRequest) -> HandbookReply { app.handbook().await }
    fn set_secret(app, request: SetSecretRequest, who) -> SetSecretReply {
        app.set_secret(request, &who).await.map(|replaced| v1::SetSecretReply { replaced })
    }
    fn list_secrets(app, _: ListSecretsRequest) -> ListSecretsReply {
        app.secrets().await.map(|secrets| v1::ListSecretsReply { secrets })
    }
    fn remove_secret(app, request: RemoveSecretRequest, who) -> RemoveSecretReply {
        app.remove_secret(&request.name, &who).await.map(|()| v1::RemoveSecretReply {})
    }
    fn seen_alarms(app, request: SeenAlarmsRequest, who) -> SeenAlarmsReply {
        app.seen_alarms(&request.node, &who).await.map(|alarms| v1::SeenAlarmsReply { alarms })
    };

    type EventsStream = Pin<Box<dyn Stream<Item = Result<v1::FleetEvent, Status>> + Send>>;

    async fn events(&self, request: Request<v1::EventsRequest>) -> Reply<Self::EventsStream> {
        let (out, events) = mpsc::channel(WINDOW);
        let follower = self.0.follow(request.into_inner());
        tokio::spawn(relay(self.0.clone(), follower, out));
        Ok(Response::new(Box::pin(ReceiverStream::new(events))))
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
