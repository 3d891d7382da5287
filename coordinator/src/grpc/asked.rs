//! Checks who an operator is, and every request against the table of bounds before it is decoded.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use heeler_proto::bounds::{self, OPERATOR};
use http_body_util::{BodyExt as _, Full, Limited};
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::Service;

use super::MESSAGE;
use super::who::who;

/// Bytes before a gRPC message: compressed flag and length.
const HEADER: usize = 5;

/// Passes on only requests of a known caller, also those that only read, and only those within their bounds.
#[derive(Debug, Clone)]
pub(super) struct Asked<S>(pub(super) S);

impl<S> Service<Request<Body>> for Asked<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Err(refused) = who(request.extensions()) {
            return Box::pin(async { Ok(refused.into_http()) });
        }
        // Only `self` was polled ready (tower's contract), so it serves this call and the clone serves the next.
        let next = self.0.clone();
        let mut service = std::mem::replace(&mut self.0, next);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let Ok(body) = Limited::new(body, MESSAGE + HEADER).collect().await else {
                let why = format!("request refused: it broke off, or has more than {MESSAGE} bytes");
                return Ok(Status::invalid_argument(why).into_http());
            };
            let body = body.to_bytes();
            match within(head.uri.path(), &body) {
                Ok(()) => service.call(Request::from_parts(head, whole(body))).await,
                Err(why) => Ok(Status::invalid_argument(why).into_http()),
            }
        })
    }
}

fn whole(body: Bytes) -> Body {
    Body::new(Full::new(body))
}

/// Unknown calls and malformed messages pass: the decoder refuses them.
fn within(path: &str, body: &[u8]) -> Result<(), String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let known = OPERATOR.iter().find(|(call, _)| *call == name);
    let (Some((call, fields)), Some(message)) = (known, body.get(HEADER..)) else {
        return Ok(());
    };
    bounds::check(message, fields).map_err(|excess| format!("{call} refused: {excess}"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use heeler_proto::v1;
    use prost::Message;
    use tower::service_fn;

    use super::*;

    fn refusal(call: &str, request: &impl Message) -> String {
        let body = [&[0; HEADER], request.encode_to_vec().as_slice()].concat();
        within(&format!("/heeler.v1.Operator/{call}"), &body)
            .err()
            .unwrap_or_default()
    }

    #[tokio::test]
    async fn an_unknown_caller_reads_nothing() {
        let served = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let refused = Asked(served).call(Request::new(Body::empty())).await.unwrap();
        assert_eq!(
            Status::from_header_map(refused.headers()).unwrap().message(),
            "the caller is unknown"
        );
    }

    #[test]
    fn an_exceeded_bound_of_a_request_is_named() {
        let events = |kinds, node: &str| v1::EventsRequest {
            kinds: vec![v1::EventKind::Alarm.into(); kinds],
            node: node.into(),
            ..v1::EventsRequest::default()
        };
        assert_eq!(refusal("Events", &events(64, "a")), "");
        let why = "Events refused: kinds of 100000 bytes, at most 64";
        assert_eq!(refusal("Events", &events(100_000, "a")), why);
        let why = "Events refused: node of 5000 bytes, at most 256";
        assert_eq!(refusal("Events", &events(1, &"x".repeat(5000))), why);
        let apply = v1::ApplyRequest {
            consents: vec![v1::Consent {
                signature: vec![0; 300],
                ..v1::Consent::default()
            }],
            ..v1::ApplyRequest::default()
        };
        for call in ["Apply", "Erase"] {
            let why = format!("{call} refused: signature of 300 bytes, at most 256");
            assert_eq!(refusal(call, &apply), why);
        }
        let pause = v1::PauseNodeRequest {
            reason: "x".repeat(1 << 20),
            ..v1::PauseNodeRequest::default()
        };
        let why = "PauseNode refused: reason of 1048576 bytes, at most 4096";
        assert_eq!(refusal("PauseNode", &pause), why);
    }
}
