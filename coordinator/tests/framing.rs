//! Malformed gRPC frames and messages: each call ends with its own error.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use heeler_coordinator::Caller;
use heeler_coordinator::clock::Clock;
use heeler_coordinator::grpc;
use heeler_coordinator::init::{InitOptions, init};
use heeler_coordinator::pki::{OperatorPeer, Peer};
use heeler_coordinator::state::StateFolder;
use heeler_coordinator::{App, Reach};
use heeler_proto::{NodeName, OperatorName, v1};
use heeler_store::Store;
use http_body_util::{BodyExt as _, Full};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use prost::Message as _;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tower::Service;

const SESSION: &str = "/heeler.v1.Agent/Session";
const ENROL: &str = "/heeler.v1.Enrolment/Enrol";
const APPLY: &str = "/heeler.v1.Operator/Apply";
const CASES: u32 = 100_000;
/// Largest size that a frame may announce.
const MESSAGE: u32 = 4 << 20;
/// Most memory for all calls together.
const ROOM: usize = 64 << 20;

struct Noon;
impl Clock for Noon {
    fn now_ms(&self) -> u64 {
        1_800_000_000_000
    }
}

async fn app() -> (Arc<App>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let state = StateFolder::new(folder.path().join("state"));
    let options = InitOptions {
        state: state.clone(),
        config: folder.path().join("config"),
        cluster: "k8sctl".into(),
        operator: OperatorName::new("me").unwrap(),
    };
    init(&options, &Noon).await.unwrap();
    let store = Store::open(&state.database()).await.unwrap();
    let reach = Reach {
        addresses: vec![],
        enrolment_port: 1,
        operators: vec![],
    };
    let app = App::new(store, Arc::new(Noon), state, reach).await.unwrap();
    (Arc::new(app), folder)
}

/// Random bytes from a seed (splitmix64). One proptest strategy for each byte would take most of the time.
fn bytes(mut seed: u64, length: usize) -> Vec<u8> {
    let numbers = std::iter::repeat_with(|| {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    });
    let mut bytes: Vec<u8> = numbers.take(length.div_ceil(8)).flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

fn frame(flag: u8, promised: usize, payload: &[u8]) -> Vec<u8> {
    let promised = u32::try_from(promised).unwrap_or(u32::MAX);
    [&[flag][..], &promised.to_be_bytes(), payload].concat()
}

/// A valid message for each of these calls.
fn calls() -> [(&'static str, Vec<u8>); 3] {
    let hello = v1::Hello {
        node: "a".into(),
        agent_version: "0".into(),
        pending_network: Some(v1::PendingNetwork::default()),
        trust: Some(v1::TrustReply::default()),
        ..Default::default()
    };
    let hello = v1::FromAgent {
        body: Some(v1::from_agent::Body::Hello(hello)),
    };
    let enrol = v1::EnrolRequest {
        token: "t".into(),
        node: "a".into(),
        csr: vec![0x30; 300],
        ..Default::default()
    };
    let apply = v1::ApplyRequest {
        plan_id: "p".into(),
        nodes: vec!["a".into()],
        consents: vec![v1::Consent::default()],
        ..Default::default()
    };
    [
        (SESSION, hello.encode_to_vec()),
        (ENROL, enrol.encode_to_vec()),
        (APPLY, apply.encode_to_vec()),
    ]
}

/// The bytes to send instead of `good`.
fn said(good: &[u8], (shape, seed, at, other): (u8, u64, Index, Index)) -> Vec<u8> {
    let random = || bytes(seed, other.index(200));
    let flag = u8::try_from(1 + at.index(255)).unwrap_or(1);
    let damaged = || {
        let (a, b) = (at.index(good.len() + 1), other.index(good.len() + 1));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 8));
        [&good[..from], &bytes(seed, other.index(8)), &good[to..]].concat()
    };
    match shape {
        0 => random(),
        1 => frame(0, other.index(200), &random()),
        2 => {
            let whole = frame(0, good.len(), good);
            whole[..at.index(whole.len())].to_vec()
        }
        3 => frame(0, at.index(usize::try_from(MESSAGE).unwrap_or_default() + 2), &random()),
        4 => frame(0, (at.index(1 << 31) << 1) | 1, &random()),
        5 => frame(if at.index(2) == 0 { 1 } else { flag }, good.len(), good),
        6 => frame(0, damaged().len(), &damaged()),
        _ => [frame(0, good.len(), good), frame(0, damaged().len(), &damaged())].concat(),
    }
}

/// The services without their transport.
struct Served {
    runtime: Runtime,
    app: Arc<App>,
    caller: Caller,
}

impl Served {
    fn ends(&self, path: &str, said: Vec<u8>, packed: bool) -> Option<Code> {
        let app = self.app.clone();
        match path {
            ENROL => self.of(grpc::enrolment(app), path, said, packed),
            SESSION => self.of(grpc::agents(app, self.runtime.handle().clone()), path, said, packed),
            _ => self.of(grpc::operators(app), path, said, packed),
        }
    }

    fn of<S>(&self, mut service: S, path: &str, said: Vec<u8>, packed: bool) -> Option<Code>
    where
        S: Service<Request<Full<Bytes>>, Response = Response<Body>, Error = Infallible>,
    {
        let mut request = Request::post(path).header("content-type", "application/grpc");
        if packed {
            request = request.header("grpc-encoding", "gzip");
        }
        let mut request = request.body(Full::new(Bytes::from(said))).unwrap();
        request.extensions_mut().insert(self.caller.clone());
        let code = |headers: &HeaderMap| Some(Code::from_bytes(headers.get("grpc-status")?.as_bytes()));
        self.runtime.block_on(async {
            let Ok(response) = service.call(request).await;
            let head = code(response.headers());
            let body = response.into_body().collect().await.unwrap();
            head.or_else(|| code(body.trailers()?))
        })
    }
}

/// Resident memory in bytes; 0 when the kernel does not report it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}

#[test]
fn malformed_frames_fail_only_their_own_call() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (app, _folder) = runtime.block_on(app());
    let caller = Caller {
        peer: Some(Peer {
            node: NodeName::new("a").unwrap(),
            key_sha256: [0; 32],
        }),
        operator: Some(OperatorPeer {
            name: OperatorName::new("me").unwrap(),
            key_sha256: [0; 32],
        }),
        ..Caller::default()
    };
    let served = Served { runtime, app, caller };
    let calls = calls();
    let (before, most, seen) = (resident(), AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let shape = (0..8_u8, any::<u64>(), any::<Index>(), any::<Index>());
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = TestRunner::new(config).run(&(0..calls.len(), shape, any::<bool>()), |(which, shape, packed)| {
        let (path, good) = &calls[which];
        let code = served.ends(path, said(good, shape), packed);
        prop_assert!(!matches!(code, None | Some(Code::Ok)), "{path}: {code:?}");
        if shape.1 % 1_000 == 0 {
            most.fetch_max(resident(), Ordering::Relaxed);
        }
        seen.lock().unwrap().extend(code.map(i32::from));
        Ok(())
    });
    run.unwrap();
    let seen = seen.into_inner().unwrap();
    // Too long, compressed, not a message, and a valid one that reaches the app.
    for code in [Code::OutOfRange, Code::Unimplemented, Code::Internal, Code::NotFound] {
        assert!(seen.contains(&i32::from(code)), "{code:?} in {seen:?}");
    }
    let grown = most.into_inner().saturating_sub(before);
    assert!(grown < ROOM, "{} MiB more", grown >> 20);
}
