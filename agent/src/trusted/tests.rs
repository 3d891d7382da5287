use std::sync::Arc;

use heeler_host::System;
use heeler_host::sim::{Fault, Machine};
use heeler_proto::{Circle, Consent, OperatorName, Refused, Statement, TrustChange, hex, v1};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::*;

const CLUSTER: &str = "fleet";

struct Person {
    name: OperatorName,
    key: EcdsaKeyPair,
    pem: String,
}

impl Person {
    fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let der = Consent::new_key(&random).unwrap();
        Self {
            name: OperatorName::new(name).unwrap(),
            pem: KeyPair::try_from(der.as_slice()).unwrap().public_key_pem(),
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap(),
        }
    }

    fn point(&self) -> Vec<u8> {
        self.key.public_key().as_ref().to_vec()
    }

    fn says(&self, change: TrustChange) -> Statement {
        self.says_of(CLUSTER, change)
    }

    fn says_of(&self, cluster: &str, change: TrustChange) -> Statement {
        Statement::sign(&self.key, &self.name, cluster, change, 1, &SystemRandom::new()).unwrap()
    }

    fn adds(&self, who: &Self) -> Statement {
        self.says(TrustChange::AddOperator {
            name: who.name.clone(),
            public_key: who.point(),
        })
    }

    fn revokes(&self, who: &Self) -> Statement {
        self.says(TrustChange::RevokeOperator {
            name: who.name.clone(),
            public_key: who.point(),
        })
    }
}

fn authority(cluster: &str) -> rcgen::Certificate {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Heeler CA {cluster}"));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap()
}

fn config(pinned: &[&Person], ca: &rcgen::Certificate) -> Config {
    Config::parse(json(pinned, ca).to_string().as_bytes()).unwrap()
}

fn keys(people: &[&Person]) -> Vec<serde_json::Value> {
    let key = |person: &&Person| serde_json::json!({"name": person.name, "public_key": person.pem});
    people.iter().map(key).collect()
}

fn json(pinned: &[&Person], ca: &rcgen::Certificate) -> serde_json::Value {
    serde_json::json!({
        "node": "a", "coordinators": ["h:1"], "enrolment": ["h:2"], "ca_certificate": ca.pem(), "operators": keys(pinned),
    })
}

fn names(circle: &Circle) -> Vec<String> {
    let mut names: Vec<String> = circle.operators.iter().map(|known| known.name.clone()).collect();
    names.sort();
    names
}

#[test]
fn only_a_trusted_operator_adds_operators() {
    let (ann, bo, cy, thief) = (
        Person::new("ann"),
        Person::new("bo"),
        Person::new("cy"),
        Person::new("ann"),
    );
    let mut circle = pinned(&config(&[&ann], &authority(CLUSTER)));
    assert_eq!(circle.accept(&bo.adds(&cy)), Err(Refused::UnknownSigner));
    assert_eq!(circle.accept(&thief.adds(&bo)), Err(Refused::Signature));
    circle.accept(&ann.adds(&bo)).unwrap();
    circle.accept(&bo.adds(&cy)).unwrap();
    circle.accept(&bo.adds(&cy)).unwrap();
    assert_eq!(names(&circle), ["ann", "bo", "cy"]);
    assert_eq!(circle.accept(&bo.adds(&thief)), Err(Refused::NameTaken));
}

#[test]
fn a_revoked_key_never_comes_back() {
    let (ann, bo, cy) = (Person::new("ann"), Person::new("bo"), Person::new("cy"));
    let mut circle = pinned(&config(&[&ann], &authority(CLUSTER)));
    let added = ann.adds(&bo);
    circle.accept(&added).unwrap();
    circle.accept(&ann.revokes(&bo)).unwrap();
    assert_eq!(names(&circle), ["ann"]);
    assert_eq!(circle.accept(&bo.adds(&cy)), Err(Refused::UnknownSigner));
    assert_eq!(
        circle.accept(&added),
        Err(Refused::Dropped),
        "an old statement is replayed"
    );
    // The same key under another name.
    let renamed = Person {
        name: OperatorName::new("di").unwrap(),
        ..bo
    };
    assert_eq!(circle.accept(&ann.adds(&renamed)), Err(Refused::Dropped));
}

#[test]
fn a_revocation_that_overtakes_its_addition_holds() {
    let (ann, bo) = (Person::new("ann"), Person::new("bo"));
    let mut circle = pinned(&config(&[&ann], &authority(CLUSTER)));
    circle.accept(&ann.revokes(&bo)).unwrap();
    assert_eq!(circle.accept(&ann.adds(&bo)), Err(Refused::Dropped));
}

#[test]
fn the_last_operator_and_the_last_authority_stay() {
    let (ann, ca) = (Person::new("ann"), authority(CLUSTER));
    let mut circle = pinned(&config(&[&ann], &ca));
    assert_eq!(circle.accept(&ann.revokes(&ann)), Err(Refused::Last));
    let drop = |sha256: &[u8]| TrustChange::DropAuthority {
        sha256: sha256.try_into().unwrap(),
    };
    let own = circle.fingerprints().remove(0);
    assert_eq!(circle.accept(&ann.says(drop(&own))), Err(Refused::Last));
    assert_eq!(names(&circle), ["ann"]);
}

#[test]
fn a_statement_of_another_cluster_is_refused() {
    let (ann, bo) = (Person::new("ann"), Person::new("bo"));
    let mut circle = pinned(&config(&[&ann], &authority(CLUSTER)));
    let elsewhere = ann.says_of(
        "flock",
        TrustChange::AddOperator {
            name: bo.name.clone(),
            public_key: bo.point(),
        },
    );
    assert_eq!(circle.accept(&elsewhere), Err(Refused::Cluster));
}

#[test]
fn only_operators_add_authorities_and_dropped_ones_stay_out() {
    let (ann, thief, first, next) = (
        Person::new("ann"),
        Person::new("thief"),
        authority(CLUSTER),
        authority(CLUSTER),
    );
    let mut circle = pinned(&config(&[&ann], &first));
    let add = |certificate: &rcgen::Certificate| TrustChange::AddAuthority {
        certificate: certificate.der().to_vec(),
    };
    assert_eq!(circle.accept(&thief.says(add(&next))), Err(Refused::UnknownSigner));
    assert_eq!(
        circle.accept(&ann.says(add(&authority("flock")))),
        Err(Refused::Certificate)
    );
    circle.accept(&ann.says(add(&next))).unwrap();
    let prints = circle.fingerprints();
    assert_eq!(prints.len(), 2);
    let sha256 = prints[0].clone().try_into().unwrap();
    circle.accept(&ann.says(TrustChange::DropAuthority { sha256 })).unwrap();
    assert_eq!(circle.fingerprints(), prints[1..]);
    assert_eq!(circle.accept(&ann.says(add(&first))), Err(Refused::Dropped));
}

fn told(statements: &[Statement]) -> Vec<v1::Statement> {
    statements.iter().cloned().map(Into::into).collect()
}

fn operators(trusted: &Trusted) -> Vec<String> {
    trusted.operators().iter().map(|known| known.name.clone()).collect()
}

#[tokio::test]
async fn trust_is_checked_again_after_a_restart() {
    let (ann, bo) = (Person::new("ann"), Person::new("bo"));
    let ca = authority(CLUSTER);
    let host: Arc<dyn System> = Arc::new(Machine::builder("a").build());
    let trusted = Trusted::open(&config(&[&ann], &ca), host.clone()).await.unwrap();
    let empty = trusted.summary();
    let reply = trusted
        .learn(told(&[ann.adds(&bo), bo.adds(&Person::new("cy"))]))
        .await
        .unwrap();
    assert!(reply.refused.is_empty());
    assert_ne!(reply.statements_sha256, empty.statements_sha256);

    let again = Trusted::open(&config(&[&ann], &ca), host.clone()).await.unwrap();
    assert_eq!(operators(&again), ["ann", "bo", "cy"]);
    assert_eq!(again.summary(), reply);
    // First contact was repeated without ann: what depends only on ann's signature is no longer trusted.
    let anew = Trusted::open(&config(&[&Person::new("ann"), &bo], &ca), host)
        .await
        .unwrap();
    assert_eq!(operators(&anew), ["ann", "bo", "cy"]);
    assert_ne!(anew.summary(), reply);
}

#[tokio::test]
async fn an_unsaved_statement_has_no_effect() {
    let (ann, bo) = (Person::new("ann"), Person::new("bo"));
    let machine = Machine::builder("a").build();
    let host: Arc<dyn System> = Arc::new(machine.clone());
    let trusted = Trusted::open(&config(&[&ann], &authority(CLUSTER)), host)
        .await
        .unwrap();
    machine.fail_next(PATH, Fault::CannotWrite(io::ErrorKind::StorageFull));
    assert!(trusted.learn(told(&[ann.adds(&bo)])).await.is_err());
    assert_eq!(operators(&trusted), ["ann"]);
}

#[tokio::test]
async fn statements_by_untrusted_keys_leave_no_trace() {
    let (ann, thief) = (Person::new("ann"), Person::new("thief"));
    let machine = Machine::builder("a").build();
    let host: Arc<dyn System> = Arc::new(machine.clone());
    let trusted = Trusted::open(&config(&[&ann], &authority(CLUSTER)), host.clone())
        .await
        .unwrap();
    let before = trusted.summary();
    let reply = trusted.learn(told(&[thief.adds(&thief)])).await.unwrap();
    assert_eq!(reply.refused.len(), 1);
    assert_eq!(trusted.summary(), before);
    assert!(host.read(Path::new(PATH)).await.is_err());
}

#[tokio::test]
async fn old_statements_bring_no_key_back() {
    let (ann, bo, di) = (Person::new("ann"), Person::new("bo"), Person::new("di"));
    let (old, ca, next) = (authority(CLUSTER), authority(CLUSTER), authority(CLUSTER));
    let add = |certificate: &rcgen::Certificate| TrustChange::AddAuthority {
        certificate: certificate.der().to_vec(),
    };
    let dropped = digest(&SHA256, old.der()).as_ref().to_vec();
    let drop = TrustChange::DropAuthority {
        sha256: dropped.clone().try_into().unwrap(),
    };
    let mut said = vec![
        bo.says(add(&old)),
        bo.adds(&di),
        ann.revokes(&di),
        ann.says(drop),
        bo.revokes(&ann),
        bo.says(add(&next)),
    ];
    let mut config = json(&[&bo], &ca);
    config["past"] = serde_json::json!({
        "statements": said.iter().map(|said| hex(&said.id())).collect::<Vec<_>>(),
        "revoked": keys(&[&ann, &di]), "dropped": [hex(&dropped)], "announced": [next.pem()],
    });
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    let host: Arc<dyn System> = Arc::new(Machine::builder("a").build());
    let trusted = Trusted::open(&config, host.clone()).await.unwrap();
    let before = trusted.summary();
    let ids: Vec<[u8; 32]> = said.iter().map(Statement::id).collect();
    assert_eq!(before.statements_sha256, statements_sha256(&ids));
    assert_eq!(before.authorities.len(), 2, "the one that was announced, too");
    assert_eq!(trusted.learn(told(&said)).await.unwrap(), before);
    assert_eq!(operators(&trusted), ["bo"]);

    let cy = Person::new("cy");
    said.push(bo.adds(&cy));
    let reply = trusted.learn(told(&said)).await.unwrap();
    assert_eq!(reply.refused, Vec::<String>::new());
    let again = Trusted::open(&config, host).await.unwrap();
    assert_eq!(again.summary(), reply);
    assert_eq!(operators(&again), ["bo", "cy"]);
    let reply = again.learn(told(&[bo.adds(&ann), bo.says(add(&old))])).await.unwrap();
    assert_eq!(
        reply.refused,
        vec![Refused::Dropped.to_string(); 1],
        "bo's first word about the old one is past"
    );
    assert_eq!(operators(&again), ["bo", "cy"]);
}
