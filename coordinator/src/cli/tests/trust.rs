//! A hostile coordinator: the key on this machine signs and pins only what was verified here.

use heeler_proto::v1::*;
use heeler_proto::{OperatorName, TrustChange};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::fake::{NOW, Script, Stage};
use crate::cli::Exit;
use crate::pki::{Ca, NodeRequest, issue_operator, public_pem};
use crate::screen::fingerprint;

const CLUSTER: &str = "k8sctl";
/// Cargo.toml is not an ssh configuration, so ssh ends at once.
const ADD: &str = "node add pi5l --ssh-config Cargo.toml --ssh nobody@pi5l --yes";

struct Somebody {
    name: OperatorName,
    key: rcgen::KeyPair,
}

impl Somebody {
    fn called(name: &str) -> Self {
        Self {
            name: OperatorName::new(name).unwrap(),
            key: rcgen::KeyPair::generate().unwrap(),
        }
    }

    fn pair(&self) -> EcdsaKeyPair {
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        EcdsaKeyPair::from_pkcs8(algorithm, &self.key.serialize_der(), &random).unwrap()
    }

    fn point(&self) -> Vec<u8> {
        self.pair().public_key().as_ref().to_vec()
    }

    fn says(&self, change: TrustChange) -> Statement {
        let random = SystemRandom::new();
        let signed = heeler_proto::Statement::sign(&self.pair(), &self.name, CLUSTER, change, NOW, &random);
        signed.unwrap().into()
    }

    fn adds(&self, other: &Self) -> Statement {
        self.says(TrustChange::AddOperator {
            name: other.name.clone(),
            public_key: other.point(),
        })
    }

    fn info(&self) -> OperatorInfo {
        info(self.name.as_str(), self.point())
    }

    fn pinned(&self) -> OperatorKey {
        OperatorKey {
            name: self.name.to_string(),
            public_key_pem: public_pem(&self.point()),
        }
    }

    fn csr(&self) -> Vec<u8> {
        crate::pki::operator_request(&self.key.serialize_pem(), self.name.as_str()).unwrap()
    }
}

fn info(name: &str, public_key: Vec<u8>) -> OperatorInfo {
    OperatorInfo {
        name: name.into(),
        public_key,
        ..OperatorInfo::default()
    }
}

/// A stage on the coordinator's own machine, with my key and the authority of its state folder.
fn stage(me: &Somebody, script: Script) -> (Stage, Ca) {
    let stage = Stage::with("", script);
    stage.key(&me.key.serialize_pem());
    let ca = Ca::create(&stage.state().join("ca"), CLUSTER, NOW).unwrap();
    (stage, ca)
}

fn other_authority() -> Ca {
    Ca::create(tempfile::tempdir().unwrap().path(), CLUSTER, NOW).unwrap()
}

fn tells(stage: &Stage, ca: &Ca, operators: &[&Somebody]) {
    stage.fake.0.lock().unwrap().contact = BeginContactReply {
        ca_certificate: ca.certificate_pem().to_owned(),
        operators: operators.iter().map(|one| one.pinned()).collect(),
        ..BeginContactReply::default()
    };
}

fn script(operators: &[&Somebody], statements: Vec<Statement>) -> Script {
    Script {
        operators: operators.iter().map(|one| one.info()).collect(),
        statements,
        ..Script::default()
    }
}

fn signed(stage: &Stage) -> Vec<Option<Statement>> {
    stage.fake.0.lock().unwrap().signed.clone()
}

#[tokio::test]
async fn node_add_pins_no_unsigned_operator() {
    let (me, thief) = (Somebody::called("me"), Somebody::called("thief"));
    let (stage, ca) = stage(&me, script(&[&me], vec![thief.adds(&thief), thief.adds(&me)]));
    for (operators, part) in [
        (vec![&thief], "your own key"),
        (vec![&me, &thief], "no signed statement"),
        (vec![&me, &thief], &fingerprint(&thief.point())),
    ] {
        tells(&stage, &ca, &operators);
        let outcome = stage.types(ADD).await;
        assert_eq!(outcome.exit, Exit::Error, "{}", outcome.err);
        let said = outcome.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(part) && said.contains("Nothing was done"), "{said}");
    }
}

#[tokio::test]
async fn node_add_pins_no_unsigned_authority() {
    let me = Somebody::called("me");
    let (stage, _) = stage(&me, script(&[&me], Vec::new()));
    let other = other_authority();
    tells(&stage, &other, &[&me]);
    let outcome = stage.types(ADD).await;
    assert_eq!(outcome.exit, Exit::Error, "{}", outcome.err);
    assert!(
        outcome.err.contains(&fingerprint(other.certificate())),
        "{}",
        outcome.err
    );
    assert!(outcome.err.contains("Nothing was done"), "{}", outcome.err);
}

#[tokio::test]
async fn node_add_accepts_signed_operators() {
    let (me, bo, cy) = (Somebody::called("me"), Somebody::called("bo"), Somebody::called("cy"));
    let (stage, ca) = stage(&me, script(&[&me, &bo, &cy], vec![me.adds(&bo), bo.adds(&cy)]));
    tells(&stage, &ca, &[&me, &bo, &cy]);
    let outcome = stage.types(ADD).await;
    assert!(!outcome.err.contains("statement confirms"), "{}", outcome.err);
    assert!(!outcome.err.contains("Nothing was done there"), "{}", outcome.err);
}

#[tokio::test]
async fn node_add_pins_an_unsigned_key_after_its_fingerprint() {
    let (me, bo) = (Somebody::called("me"), Somebody::called("bo"));
    let (stage, ca) = stage(&me, script(&[&me, &bo], Vec::new()));
    tells(&stage, &ca, &[&me, &bo]);
    let refused = stage.types_and_says(ADD, &["y"]).await;
    assert!(refused.err.contains("Nothing was done there"), "{}", refused.err);
    let word = fingerprint(&bo.point())[..9].to_owned();
    let confirmed = stage.types_and_says(ADD, &[&word]).await;
    assert!(!confirmed.err.contains("Nothing was done there"), "{}", confirmed.err);
    // The question is asked once only.
    let again = stage.types(ADD).await;
    assert!(!again.err.contains("statement confirms"), "{}", again.err);
}

#[tokio::test]
async fn revoke_signs_for_no_key_but_the_verified_one() {
    let (me, bo, cy) = (Somebody::called("me"), Somebody::called("bo"), Somebody::called("cy"));
    let vouched = vec![me.adds(&bo), me.adds(&cy)];
    let (stage, _) = stage(&me, script(&[], vouched));
    let named = |key: &Somebody| vec![me.info(), info("bo", key.point()), cy.info()];
    for hostile in [&me, &cy, &Somebody::called("new")] {
        stage.fake.0.lock().unwrap().operators = named(hostile);
        let outcome = stage.types("operator revoke bo --yes").await;
        assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
        assert_eq!(signed(&stage), []);
    }
    stage.fake.0.lock().unwrap().operators = named(&bo);
    let outcome = stage.types("operator revoke bo --yes").await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    assert!(outcome.err.contains(&fingerprint(&bo.point())), "{}", outcome.err);
    assert_eq!(signed(&stage).len(), 1);
    let own = stage.types("operator revoke me --yes").await;
    assert_eq!(own.exit, Exit::Refused, "{}", own.err);
    assert_eq!(signed(&stage).len(), 1);
}

#[tokio::test]
async fn an_unsigned_key_is_revoked_by_fingerprint() {
    let (me, bo) = (Somebody::called("me"), Somebody::called("bo"));
    let (stage, _) = stage(&me, script(&[&me, &bo], Vec::new()));
    let line = "operator revoke bo --yes";
    assert_eq!(stage.types(line).await.exit, Exit::Refused);
    assert_eq!(stage.types_and_says(line, &["y"]).await.exit, Exit::Refused);
    assert_eq!(signed(&stage), []);
    let word = fingerprint(&bo.point())[..9].to_owned();
    assert_eq!(stage.types_and_says(line, &[&word]).await.exit, Exit::Fine);
    assert_eq!(signed(&stage).len(), 1);
}

fn authority_info(ca: &Ca, stage: AuthorityStage) -> AuthorityInfo {
    AuthorityInfo {
        stage: stage.into(),
        certificate: ca.certificate().to_vec(),
        ..AuthorityInfo::default()
    }
}

#[tokio::test]
async fn rotate_announces_no_authority_that_a_person_has_not_confirmed() {
    let me = Somebody::called("me");
    let (stage, ca) = stage(&me, script(&[&me], Vec::new()));
    let made = other_authority();
    stage.fake.0.lock().unwrap().authorities = ShowAuthoritiesReply {
        authorities: vec![
            authority_info(&ca, AuthorityStage::Current),
            authority_info(&made, AuthorityStage::Made),
        ],
        cluster: "another".into(),
        ..ShowAuthoritiesReply::default()
    };
    let outcome = stage.types("ca rotate --yes").await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
    assert!(
        outcome.err.contains(&fingerprint(made.certificate())),
        "{}",
        outcome.err
    );
    assert_eq!(signed(&stage), []);
    let word = fingerprint(made.certificate())[..9].to_owned();
    let outcome = stage.types_and_says("ca rotate --yes", &[&word]).await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    let signed = signed(&stage).remove(0).unwrap();
    assert_eq!(
        signed.cluster, CLUSTER,
        "the pinned authority's, not the coordinator's word"
    );
}

#[tokio::test]
async fn rotate_never_drops_the_last_known_authority() {
    let me = Somebody::called("me");
    let (stage, ca) = stage(&me, script(&[&me], Vec::new()));
    let other = other_authority();
    for old in [&ca, &other] {
        stage.fake.0.lock().unwrap().authorities = ShowAuthoritiesReply {
            authorities: vec![
                authority_info(old, AuthorityStage::Old),
                authority_info(&other, AuthorityStage::Current),
            ],
            cluster: CLUSTER.into(),
            ..ShowAuthoritiesReply::default()
        };
        let outcome = stage.types("ca rotate --yes").await;
        assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
        assert_eq!(signed(&stage), []);
    }
}

fn granted(ca: &Ca, whom: &Somebody, authorities: &[&Ca]) -> OperatorGrant {
    let csr = NodeRequest::parse(&whom.csr()).unwrap();
    OperatorGrant {
        name: whom.name.to_string(),
        certificate_chain: issue_operator(ca, &csr, &whom.name, NOW).unwrap().chain,
        authorities: authorities.iter().map(|ca| ca.certificate_pem()).collect(),
        ..OperatorGrant::default()
    }
}

#[tokio::test]
async fn operator_add_hands_on_no_authority_that_is_not_verified() {
    let (me, bo) = (Somebody::called("me"), Somebody::called("bo"));
    let (stage, ca) = stage(&me, script(&[&me, &bo], Vec::new()));
    let request = stage.folder.path().join("request.pem");
    std::fs::write(&request, crate::pki::pem("CERTIFICATE REQUEST", &bo.csr())).unwrap();
    let line = format!("operator add {} --yes", request.display());
    let other = other_authority();
    stage.fake.0.lock().unwrap().grant = granted(&ca, &bo, &[&ca, &other]);
    let outcome = stage.types(&line).await;
    assert_eq!(
        (outcome.exit, outcome.out.as_str()),
        (Exit::Refused, ""),
        "{}",
        outcome.err
    );
    // The coordinator's claim that bo is an operator is not enough: my signature was asked for.
    assert!(signed(&stage).iter().all(Option::is_some));
    stage.fake.0.lock().unwrap().grant = granted(&ca, &bo, &[&ca]);
    let outcome = stage.types(&line).await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    assert!(outcome.out.contains("operator me "), "{}", outcome.out);
}

#[tokio::test]
async fn a_renewal_replaces_no_pinned_authority() {
    let me = Somebody::called("me");
    let (stage, ca) = stage(&me, Script::default());
    let credentials = crate::cli::remote::Credentials::of(&stage.state(), "me");
    credentials.keep("old", ca.certificate_pem()).unwrap();
    let read = |name: &str| std::fs::read_to_string(stage.state().join("operators/me").join(name)).unwrap();
    let (thief, other) = (Somebody::called("thief"), other_authority());
    let add = TrustChange::AddAuthority {
        certificate: other.certificate().to_vec(),
    };
    for (grant, statements) in [
        (granted(&ca, &me, &[&other]), Vec::new()),
        (
            granted(&ca, &me, &[&ca, &other]),
            vec![thief.adds(&me), thief.says(add.clone())],
        ),
        (granted(&ca, &thief, &[&ca]), Vec::new()),
    ] {
        credentials.renew(&grant, statements).unwrap_err();
        assert_eq!(read("authorities.pem"), ca.certificate_pem());
        assert_eq!(read("certificate.pem"), "old");
    }
    credentials
        .renew(&granted(&ca, &me, &[&ca, &other]), vec![me.says(add)])
        .unwrap();
    assert!(read("authorities.pem").contains(ca.certificate_pem()));
    assert!(read("authorities.pem").contains(other.certificate_pem()));
    assert!(read("certificate.pem").starts_with("-----BEGIN"));
}

#[tokio::test]
async fn a_revocation_holds_although_the_coordinator_omits_it() {
    let (me, bo) = (Somebody::called("me"), Somebody::called("bo"));
    let revoked = me.says(TrustChange::RevokeOperator {
        name: bo.name.clone(),
        public_key: bo.point(),
    });
    let (stage, ca) = stage(&me, script(&[&me], vec![me.adds(&bo), revoked]));
    tells(&stage, &ca, &[&me]);
    stage.types(ADD).await;
    stage.fake.0.lock().unwrap().statements.pop();
    tells(&stage, &ca, &[&me, &bo]);
    let outcome = stage.types(ADD).await;
    let said = outcome.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("was revoked or dropped") && said.contains("Nothing was done"),
        "{said}"
    );
}
