use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::codegen::http::Request;
use tonic::transport::server::UdsConnectInfo;
use tower::Service;

use crate::app::Who;
use crate::caller::asked_by;

/// Carries out each call in the name of whoever is at the other end of its Unix socket.
#[derive(Debug, Clone)]
pub(super) struct Named<S>(pub(super) S);

impl<S, B> Service<Request<B>> for Named<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let peer = request
            .extensions()
            .get::<UdsConnectInfo>()
            .and_then(|info| info.peer_cred);
        let who = peer.map_or_else(|| "somebody".to_owned(), |peer| Who::local(peer.uid()).name);
        Box::pin(asked_by(who, self.0.call(request)))
    }
}
