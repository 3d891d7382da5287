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
use crate::tls::Caller;

/// The caller: from the certificate, else from the kernel's credentials of the Unix socket.
///
/// # Errors
/// When neither is known.
pub(super) fn who(extensions: &Extensions) -> Result<Who, Status> {
    if let Some(operator) = extensions.get::<Caller>().and_then(|caller| caller.operator.clone()) {
        return Ok(Who {
            name: operator.name.into(),
            key_sha256: Some(operator.key_sha256),
        });
    }
    let credentials = extensions.get::<UdsConnectInfo>().and_then(|info| info.peer_cred);
    let credentials = credentials.ok_or_else(|| protocol("the caller is unknown"))?;
    Ok(Who::local(credentials.uid()))
}

/// Refuses every call of an unknown caller, also one that only reads.
#[derive(Debug, Clone)]
pub(super) struct Known<S>(pub(super) S);

impl<S, B> Service<Request<B>> for Known<S>
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
            Ok(_) => Box::pin(self.0.call(request)),
            Err(refused) => Box::pin(async { Ok(refused.into_http()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::service_fn;

    use super::*;

    #[tokio::test]
    async fn an_unknown_caller_reads_nothing() {
        let served = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let refused = Known(served).call(Request::new(())).await.unwrap();
        assert_eq!(
            Status::from_header_map(refused.headers()).unwrap().message(),
            "the caller is unknown"
        );
    }
}
