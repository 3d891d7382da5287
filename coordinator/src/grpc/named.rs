use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Extensions, Request, Response};
use tonic::transport::server::UdsConnectInfo;
use tower::Service;

use super::status::protocol;
use crate::app::Who;
use crate::caller::asked_by;
use crate::tls::Caller;

/// The caller: from the certificate, else from the kernel's credentials of the Unix socket.
pub(super) fn who(extensions: &Extensions) -> Option<Who> {
    if let Some(operator) = extensions.get::<Caller>().and_then(|caller| caller.operator.clone()) {
        return Some(Who {
            name: operator.name.into(),
            key_sha256: Some(operator.key_sha256),
        });
    }
    let credentials = extensions.get::<UdsConnectInfo>().and_then(|info| info.peer_cred)?;
    Some(Who::local(credentials.uid()))
}

/// The error for a call without a known caller.
pub(super) fn nobody() -> Status {
    protocol("the caller is unknown")
}

/// Runs each call in the name of its caller.
#[derive(Debug, Clone)]
pub(super) struct Named<S>(pub(super) S);

impl<S, B> Service<Request<B>> for Named<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match who(request.extensions()) {
            Some(who) => Box::pin(asked_by(who.name, self.0.call(request))),
            None => Box::pin(async { Ok(nobody().into_http()) }),
        }
    }
}
