//! Each invalid enrolment is refused, with its own reason.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

use heeler_proto::v1;
use heeler_tests::{BareAgent, Fleet};
use tonic::Code;

use crate::scene::node_a;

async fn refused(agent: &BareAgent, node: &str, token: &str, why: &str) {
    let status = agent.enrol(node, token).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    assert!(status.message().contains(why), "{}", status.message());
    assert!(status.message().contains("heeler node add"), "{}", status.message());
}

#[tokio::test]
async fn a_token_lets_its_node_in_once() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    let token = fleet.operator().await.token("a", agent.key_sha256()).await;
    agent.enrol("a", &token).await.unwrap();
    refused(&agent, "a", &token, "used before").await;
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    fleet.operator().await.token("a", agent.key_sha256()).await;
    refused(&agent, "a", "0123456789abcdef", "not known").await;
}

#[tokio::test]
async fn a_token_is_good_for_ten_minutes_and_no_longer() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    let token = fleet.operator().await.token("a", agent.key_sha256()).await;
    fleet.clock.advance(10 * 60 * 1000);
    refused(&agent, "a", &token, "expired").await;
}

#[tokio::test]
async fn a_token_of_another_node_is_refused() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    let token = fleet.operator().await.token("a", agent.key_sha256()).await;
    refused(&agent, "b", &token, "for another node").await;
}

#[tokio::test]
async fn a_stolen_token_is_of_no_use_with_another_key() {
    let fleet = Fleet::new().await;
    let (owner, thief) = (BareAgent::new(&fleet), BareAgent::new(&fleet));
    let token = fleet.operator().await.token("a", owner.key_sha256()).await;
    refused(&thief, "a", &token, "for another key").await;
    owner.enrol("a", &token).await.unwrap();
}

#[tokio::test]
async fn a_pending_token_admits_no_revoked_node() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    let mut operator = fleet.operator().await;
    let token = operator.token("a", agent.key_sha256()).await;
    operator.revoke(v1::RevokeRequest { node: "a".into() }).await.unwrap();
    refused(&agent, "a", &token, "not known here").await;
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    let mut codes = Vec::new();
    for guess in 0..11 {
        codes.push(agent.enrol("a", &guess.to_string()).await.unwrap_err().code());
    }
    assert_eq!(codes.pop(), Some(Code::Unavailable));
    assert!(codes.iter().all(|code| *code == Code::PermissionDenied), "{codes:?}");
    fleet.clock.advance(6_000);
    assert_eq!(agent.enrol("a", "x").await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn without_a_certificate_nobody_reaches_the_agents_service() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::new(&fleet);
    agent.join(BareAgent::hello("a")).await.err().unwrap();
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_tls() {
    let (fleet, other) = (Fleet::new().await, Fleet::new().await);
    let mut agent = BareAgent::enrolled(&fleet, "a").await;
    let foreign = BareAgent::enrolled(&other, "a").await;
    agent.join(BareAgent::hello("a")).await.unwrap();
    (agent.key, agent.chain) = (foreign.key, foreign.chain);
    let why = agent.join(BareAgent::hello("a")).await.err().unwrap();
    assert!(why.contains("tonic::transport::Error"), "{why}");
}

#[tokio::test]
async fn an_expired_certificate_is_replaced_for_its_key() {
    let fleet = Fleet::new().await;
    let mut agent = BareAgent::enrolled(&fleet, "a").await;
    fleet.clock.advance(8 * 24 * 60 * 60 * 1000);
    agent.join(BareAgent::hello("a")).await.err().unwrap();
    agent.chain = agent.enrol("a", "").await.unwrap();
    agent.join(BareAgent::hello("a")).await.unwrap();
    refused(&BareAgent::new(&fleet), "a", "", "another key on record").await;
    refused(&agent, "b", "", "not known").await;
}

#[tokio::test]
async fn nobody_comes_back_after_four_hundred_days() {
    let mut fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    fleet.stop().await;
    fleet.clock.advance((7 + 401) * 24 * 60 * 60 * 1000);
    fleet.start().await.unwrap();
    refused(&agent, "a", "", "400 days").await;
}

#[tokio::test]
async fn another_key_for_a_known_name_needs_a_person() {
    let fleet = Fleet::new().await;
    let first = BareAgent::enrolled(&fleet, "a").await;
    let second = BareAgent::new(&fleet);
    let mut operator = fleet.operator().await;
    let mut request = v1::CreateTokenRequest {
        node: "a".into(),
        key_sha256: second.key_sha256().to_vec(),
        host_key: "ssh-ed25519 SHA256:x".into(),
        reflashed: false,
    };
    let status = operator.create_token(request.clone()).await.unwrap_err();
    assert!(status.message().contains("--reflashed"), "{}", status.message());
    let before = node_a(&mut operator).await;

    request.reflashed = true;
    let token = operator.create_token(request).await.unwrap().into_inner().token;
    second.enrol("a", &token).await.unwrap();
    let after = node_a(&mut operator).await;
    assert_eq!(before.hostid, after.hostid, "a re-flashed node gets its hostid back");
    assert!(
        first.join(BareAgent::hello("a")).await.is_err(),
        "TLS refuses the old key"
    );
    assert_ne!(before.key_sha256, after.key_sha256);
}

#[tokio::test]
async fn a_copied_card_that_enrols_from_another_board_is_alarmed() {
    let fleet = Fleet::new().await;
    let mut agent = BareAgent::enrolled(&fleet, "a").await;
    drop(agent.join(BareAgent::hello("a")).await.unwrap());
    agent.board = "another".into();
    agent.enrol("a", "").await.unwrap();
    let alarm = fleet.operator().await.wait_for(v1::EventKind::Alarm, "a").await;
    assert!(alarm.text.contains("another board"), "{}", alarm.text);
    let board = async || {
        let request = v1::ShowNodeRequest { node: "a".into() };
        let shown = fleet.operator().await.show_node(request).await.unwrap().into_inner();
        shown.node.unwrap().hardware_serial
    };
    assert_eq!(board().await, "board", "the first one stays on record");
    // The person confirms that the card was moved.
    let request = v1::CreateTokenRequest {
        node: "a".into(),
        key_sha256: agent.key_sha256().to_vec(),
        host_key: "ssh-ed25519 SHA256:x".into(),
        reflashed: true,
    };
    let token = fleet
        .operator()
        .await
        .create_token(request)
        .await
        .unwrap()
        .into_inner()
        .token;
    agent.enrol("a", &token).await.unwrap();
    assert_eq!(board().await, "another");
}
