use std::path::Path;

use heeler_host::System;
use heeler_proto::v1::{RenewReply, from_agent, to_agent};
use tonic::Status;

use super::coordinator::Coordinator;
use super::node::{Node, TOKEN};
use crate::connect::dial;
use crate::identity::Trust;

const CERTIFICATE: &str = "/var/lib/heeler-agent/identity/certificate.pem";
const KEY: &str = "/var/lib/heeler-agent/identity/key.pem";

#[tokio::test]
async fn a_node_enrols_once_with_its_token_and_removes_it() {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    assert_eq!(coordinator.welcomed(0).await.hello.node, "a");
    assert_eq!(node.text(TOKEN).await, None);
    assert_eq!(node.machine.mode(Path::new(KEY)).await.unwrap() & 0o777, 0o600);
    node.kill().await;
    node.start();
    coordinator.session().await;
    let enrolled = coordinator.enrolled.lock().unwrap().clone();
    assert_eq!(enrolled.len(), 1);
    assert_eq!((enrolled[0].token.as_str(), enrolled[0].node.as_str()), ("token", "a"));
}

#[tokio::test]
async fn a_refused_token_stays_only_without_a_certificate() {
    let mut coordinator = Coordinator::start().await;
    *coordinator.judge.lock().unwrap() = Box::new(|request| match request.token.as_str() {
        "token" => Ok(()),
        _ => Err(Status::permission_denied("the token was used before")),
    });
    let mut node = Node::added_by(&coordinator).await;
    node.put(TOKEN, "wrong").await;
    node.start();
    while coordinator.enrolled.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    node.kill().await;
    assert_eq!(node.text(TOKEN).await.as_deref(), Some("wrong"));
    assert_eq!(node.text(CERTIFICATE).await, None);

    node.put(TOKEN, "token").await;
    node.start();
    coordinator.session().await;
    node.kill().await;
    node.put(TOKEN, "wrong").await;
    node.start();
    coordinator.session().await;
    assert_eq!(node.text(TOKEN).await, None);
}

#[tokio::test]
async fn an_expired_certificate_renews_only_with_the_same_key() {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    coordinator.session().await;
    node.kill().await;
    // In 2049 the coordinator's certificate is still valid; the node's ended in 2030.
    let csr = coordinator.enrolled.lock().unwrap()[0].csr.clone();
    node.put(CERTIFICATE, &coordinator.authority.sign(&csr, 2030)).await;
    node.machine.set_clock(2_493_072_000_000);
    node.start();
    coordinator.session().await;
    let enrolled = coordinator.enrolled.lock().unwrap().clone();
    assert_eq!(enrolled[1].token, "");
}

#[tokio::test]
async fn a_coordinator_of_another_authority_is_not_accepted() {
    let (mut right, wrong) = (Coordinator::start().await, Coordinator::start().await);
    let mut node = Node::added_by(&right).await;
    node.start();
    right.session().await;
    let clock = crate::clock::Clock::open(std::sync::Arc::new(node.machine.clone()))
        .await
        .unwrap();
    let host: std::sync::Arc<dyn System> = std::sync::Arc::new(node.machine.clone());
    let config = crate::Config::read(host.as_ref()).await.unwrap();
    let trusted = crate::trusted::Trusted::open(&config, host).await.unwrap();
    let trust = Trust::new(std::sync::Arc::new(trusted), clock);
    let (good, bad) = (right.enrolment.to_string(), wrong.enrolment.to_string());
    assert!(
        dial(&[bad.clone(), good], trust.without_certificate().unwrap())
            .await
            .is_ok(),
        "the next address is tried"
    );
    let error = dial(&[bad], trust.without_certificate().unwrap())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
async fn renewal_at_70_percent_keeps_the_session() {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    // 70 % of the time from 2020 to 2050 are over in 2041.
    node.machine.set_clock(2_303_683_200_000);
    node.start();
    let mut session = coordinator.welcomed(0).await;
    let Some(from_agent::Body::Renew(request)) = session.next().await else {
        panic!("no renewal")
    };
    let renewed = coordinator.authority.sign(&request.csr, 2100);
    let refused = RenewReply {
        certificate_chain: coordinator.authority.sign(&foreign_request(), 2100),
        error: String::new(),
    };
    session.send(to_agent::Body::Renew(refused)).await;
    session
        .send(to_agent::Body::Renew(RenewReply {
            certificate_chain: renewed.clone(),
            error: String::new(),
        }))
        .await;
    session
        .send(to_agent::Body::Ping(heeler_proto::v1::Ping { nonce: 7 }))
        .await;
    assert!(matches!(session.next().await, Some(from_agent::Body::Pong(pong)) if pong.nonce == 7));
    assert_eq!(node.text(CERTIFICATE).await, Some(renewed));
}

fn foreign_request() -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
    request.der().to_vec()
}

#[tokio::test]
async fn a_clock_set_back_does_not_undo_coordinator_time() {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    let session = coordinator.session().await;
    let now_ms = node.machine.now_ms() + 1_000_000;
    session.welcome(now_ms, 0).await;
    while node.text("/var/lib/heeler-agent/clock").await.is_none() {
        tokio::task::yield_now().await;
    }
    node.kill().await;
    node.machine.set_clock(0);
    let clock = crate::clock::Clock::open(std::sync::Arc::new(node.machine.clone()))
        .await
        .unwrap();
    assert_eq!(clock.now_ms(), now_ms);
}

#[tokio::test]
async fn a_slow_clock_still_sees_certificate_expiry() {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    coordinator.session().await;
    node.kill().await;
    // The node's clock says 2020 and its certificate is valid until 2021, which is long over for the coordinator.
    let csr = coordinator.enrolled.lock().unwrap()[0].csr.clone();
    node.put(CERTIFICATE, &coordinator.authority.sign(&csr, 2021)).await;
    node.machine.set_clock(1_590_969_600_000);
    node.start();
    coordinator.session().await;
    let enrolled = coordinator.enrolled.lock().unwrap().clone();
    assert_eq!(enrolled[1].token, "");
}
