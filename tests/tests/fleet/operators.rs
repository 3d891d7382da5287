//! Several operators, each with an own key: who may add and revoke whom.

use heeler_coordinator::cli::Exit;
use heeler_coordinator::clock::Clock as _;
use heeler_coordinator::pki::operator_request;
use heeler_proto::{OperatorName, Statement, TrustChange, v1};
use heeler_tests::{BareAgent, CLUSTER, Fleet, Laptop, Node, Operator, config, tls};
use ring::rand::SystemRandom;
use ring::signature::KeyPair as _;
use tokio::time::timeout;
use tonic::Code;

use crate::scene::{DISKS, WAITS, creations, machine, until};

/// Adds a second operator as the guide says.
pub(crate) async fn added(fleet: &Fleet, me: &Laptop, name: &str) -> Laptop {
    let bo = Laptop::of(name);
    let request = bo.does(&fleet.clock, "operator request").await;
    let request = me.file("request.pem", Some(&request));
    let grant = me
        .does(&fleet.clock, &format!("operator add {} --yes", request.display()))
        .await;
    assert!(!grant.contains("PRIVATE"), "{grant}");
    let grant = bo.file("grant.pem", Some(&grant));
    bo.does(&fleet.clock, &format!("operator accept {}", grant.display()))
        .await;
    bo
}

async fn nobody_is_behind(operator: &mut Operator) -> bool {
    let listed = operator.list_operators(v1::ListOperatorsRequest {}).await;
    listed.unwrap().into_inner().behind.is_empty()
}

#[tokio::test]
async fn a_remote_operators_consent_is_accepted() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let me = Laptop::beside(&fleet);
    let bo = added(&fleet, &me, "bo").await;
    let folder = bo.file("heeler.toml", Some(&config(&[("a", DISKS)])));
    let folder = folder.parent().unwrap().display();
    let line = format!("apply --config {folder} --confirm a --yes");
    let done = bo.does(&fleet.clock, &line).await;
    assert_eq!(creations(&node), 1, "{done}");
    let revision = fleet
        .operator()
        .await
        .accepted_revision(v1::AcceptedRevisionRequest {})
        .await
        .unwrap();
    assert_eq!(revision.into_inner().operator, "bo", "the connection says who it was");
    let audit = fleet
        .operator()
        .await
        .list_audit(v1::ListAuditRequest {
            limit: 100,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert!(audit.entries.iter().any(|entry| entry.operator == "bo"), "{audit:?}");
}

#[tokio::test]
async fn a_pending_key_does_not_replace_a_signing_one() {
    let fleet = Fleet::new().await;
    let me = Laptop::beside(&fleet);
    let bo = Laptop::beside(&fleet).as_login("bo");
    let waiting = bo.does(&fleet.clock, "operator request").await;
    let cy = Laptop::of("cy");
    let request = cy.does(&fleet.clock, "operator request --name cy-laptop").await;
    let request = bo.file("cy.pem", Some(&request));
    let line = format!("operator add {} --yes", request.display());
    let grant = bo.does(&fleet.clock, &line).await;
    let grant = cy.file("grant.pem", Some(&grant));
    cy.does(&fleet.clock, &format!("operator accept {}", grant.display()))
        .await;
    let other = cy.does(&fleet.clock, "operator request").await;
    assert_ne!(other, waiting);
    let list = cy.does(&fleet.clock, "operator list").await;
    assert!(list.contains("cy-laptop"), "{list}");
    // With both added, the login name selects the key.
    let waiting = me.file("bo.pem", Some(&waiting));
    me.does(&fleet.clock, &format!("operator add {} --yes", waiting.display()))
        .await;
    let other = bo.file("other.pem", Some(&other));
    bo.does(&fleet.clock, &format!("operator add {} --yes", other.display()))
        .await;
    let list = me.does(&fleet.clock, "operator list --json").await;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let all = list["operators"].as_array().unwrap().iter();
    let all: Vec<(&str, &str)> = all
        .map(|one| (one["name"].as_str().unwrap(), one["added_by"].as_str().unwrap()))
        .collect();
    assert_eq!(all, [("bo", "me"), ("cy", "bo"), ("cy-laptop", "me"), ("me", "")]);
}

#[tokio::test]
async fn nobody_revokes_their_own_key() {
    let fleet = Fleet::new().await;
    let bo = added(&fleet, &Laptop::beside(&fleet), "bo").await;
    let outcome = bo.types(&fleet.clock, "operator revoke bo --yes").await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
    assert!(outcome.err.contains("your own key"), "{}", outcome.err);
    bo.does(&fleet.clock, "status").await;
}

#[tokio::test]
async fn a_revoked_operator_is_out_at_once() {
    let fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let me = Laptop::beside(&fleet);
    let bo = added(&fleet, &me, "bo").await;
    let mut following = fleet.remote_operator(bo.state(), "bo").await;
    let mut events = following.follow(0).await;
    assert!(events.message().await.unwrap().is_some());
    node.kill();
    fleet.operator().await.wait_for(v1::EventKind::Lost, "a").await;

    let said = me.does(&fleet.clock, "operator revoke bo --yes").await;
    assert!(
        said.contains("Not yet at these nodes") && said.contains("\n    a"),
        "{said}"
    );
    let ended = async { while let Ok(Some(_)) = events.message().await {} };
    assert!(
        timeout(WAITS, ended).await.is_ok(),
        "the open stream of one who was revoked goes on"
    );
    let outcome = bo.types(&fleet.clock, "status").await;
    assert_eq!(outcome.exit, Exit::Unreachable, "{}", outcome.err);
    let last = fleet.operator().await.wait_for(v1::EventKind::Lost, "a").await.id;
    node.start();
    fleet
        .operator()
        .await
        .wait_after(last, v1::EventKind::Connected, "a")
        .await;
    let mut operator = fleet.operator().await;
    until(async || nobody_is_behind(&mut operator).await).await;
    let list = me.does(&fleet.clock, "operator list").await;
    assert!(list.contains("revoked"), "{list}");
    let again = bo.does(&fleet.clock, "operator request").await;
    let again = me.file("again.pem", Some(&again));
    let outcome = me
        .types(&fleet.clock, &format!("operator add {} --yes", again.display()))
        .await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
}

#[tokio::test]
async fn a_revoked_operator_stays_out_on_new_nodes() {
    let fleet = Fleet::new().await;
    let me = Laptop::beside(&fleet);
    let bo = added(&fleet, &me, "bo").await;
    added(&fleet, &bo, "di").await;
    me.does(&fleet.clock, "operator revoke di --yes").await;
    bo.does(&fleet.clock, "operator revoke me --yes").await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    // A refused statement would raise an alarm, and the node would stay behind.
    added(&fleet, &bo, "cy").await;
    let mut operator = fleet.operator().await;
    until(async || nobody_is_behind(&mut operator).await).await;
    let mut events = operator
        .events(v1::EventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    while let Some(event) = events.message().await.unwrap() {
        assert_ne!(event.kind(), v1::EventKind::Alarm, "{event:?}");
    }
}

#[tokio::test]
async fn the_socket_alone_changes_no_operators() {
    let fleet = Fleet::new().await;
    let thief = fleet.second_operator_key();
    let mut operator = fleet.operator().await;
    let (name, own) = (
        OperatorName::new(heeler_tests::ME).unwrap(),
        OperatorName::new("thief").unwrap(),
    );
    let sign = |change| {
        let random = SystemRandom::new();
        Some(
            Statement::sign(&thief, &name, CLUSTER, change, fleet.clock.now_ms(), &random)
                .unwrap()
                .into(),
        )
    };
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let csr = operator_request(&pem, own.as_str()).unwrap();
    let point = rcgen::PublicKeyData::der_bytes(&rcgen::KeyPair::from_pem(&pem).unwrap()).to_vec();
    let statement = sign(TrustChange::AddOperator {
        name: own,
        public_key: point,
    });
    let refused = operator
        .add_operator(v1::AddOperatorRequest { statement, csr })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    let statement = sign(TrustChange::RevokeOperator {
        name: name.clone(),
        public_key: operator.key.public_key().as_ref().to_vec(),
    });
    let refused = operator
        .revoke_operator(v1::RevokeOperatorRequest { statement })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}

#[tokio::test]
async fn the_last_operator_cannot_be_revoked() {
    let fleet = Fleet::new().await;
    let outcome = Laptop::beside(&fleet)
        .types(&fleet.clock, "operator revoke me --yes")
        .await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(outcome.err.contains("cannot revoke yourself"), "{}", outcome.err);
}

#[tokio::test]
async fn node_and_operator_certificates_are_not_interchangeable() {
    let fleet = Fleet::new().await;
    let node = BareAgent::enrolled(&fleet, "a").await;
    let own = (node.chain.as_str(), node.key.serialize_pem());
    let config = tls::client(&fleet.ca(), Some((own.0, own.1.as_str())), &fleet.clock);
    let channel = tls::dial(fleet.remote, config).await;
    if let Ok(channel) = channel {
        let mut client = v1::operator_client::OperatorClient::new(channel);
        client.status(v1::StatusRequest {}).await.unwrap_err();
    }
    let me = Laptop::beside(&fleet);
    let bo = added(&fleet, &me, "bo").await;
    let read = |file: &str| std::fs::read_to_string(bo.state().join("operators/bo").join(file)).unwrap();
    let mut imposter = BareAgent::new(&fleet);
    imposter.key = rcgen::KeyPair::from_pem(&read("key.pem")).unwrap();
    imposter.chain = read("certificate.pem");
    imposter.join(BareAgent::hello("a")).await.err().unwrap();
}
