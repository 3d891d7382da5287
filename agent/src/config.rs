use std::io;
use std::path::Path;
use std::sync::Arc;

use heeler_host::System;
pub use heeler_proto::TrustedOperator as Operator;
use heeler_proto::{NodeName, unhex};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Path of the configuration; first contact writes it.
pub const PATH: &str = "/etc/heeler/agent.json";

/// The bytes before the point in a P-256 public key's SubjectPublicKeyInfo (RFC 5480, section 2).
pub const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The node's configuration, as first contact wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The node's name.
    pub node: NodeName,
    /// `host:port` of the coordinator's listener for agents, in the order in which they are tried.
    pub coordinators: Vec<String>,
    /// `host:port` of its listener for enrolment, in the order in which they are tried.
    pub enrolment: Vec<String>,
    /// The certificate of the cluster's authority, the only one that is trusted at first.
    pub ca: CertificateDer<'static>,
    /// The operators whose consents are accepted at first; at least one.
    pub operators: Arc<[Operator]>,
    /// The effect of the statements before first contact.
    pub past: Past,
}

/// The effect of the statements before first contact. The rest of the configuration includes it, so these statements
/// are not applied again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// The id of each statement, in order of arrival.
    pub statements: Vec<[u8; 32]>,
    pub revoked: Vec<Operator>,
    /// SHA-256 of the certificates of dropped authorities.
    pub dropped: Vec<[u8; 32]>,
    /// Authorities that are trusted but do not sign yet.
    pub announced: Vec<CertificateDer<'static>>,
}

/// Why the configuration cannot be used.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read {PATH}: heeler node add writes it")]
    Read(#[source] io::Error),
    /// Other users may read or write the file.
    #[error("{PATH} has mode {0:04o}, must be 0600: chmod 0600 {PATH}")]
    Mode(u32),
    #[error("{PATH}: {0}")]
    Json(serde_json::Error),
    #[error("{PATH}: {field}: {problem}")]
    Field {
        /// Path of the field, such as `operators[0].name`.
        field: String,
        problem: String,
    },
}

impl Config {
    /// Reads the configuration from [`PATH`]. Fails when the file does not exist, other users may access it, or a field
    /// is not valid.
    pub async fn read(host: &dyn System) -> Result<Self, ConfigError> {
        let path = Path::new(PATH);
        let mode = host.mode(path).await.map_err(ConfigError::Read)? & 0o7777;
        if mode & 0o077 != 0 {
            return Err(ConfigError::Mode(mode));
        }
        Self::parse(&host.read(path).await.map_err(ConfigError::Read)?)
    }

    /// Parses the file's content. Its error: the first field that is not valid.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut fields = Fields {
            at: String::new(),
            left: serde_json::from_slice(json).map_err(ConfigError::Json)?,
        };
        let node: String = fields.take("node")?;
        let coordinators = addresses("coordinators", fields.take("coordinators")?)?;
        let enrolment = addresses("enrolment", fields.take("enrolment")?)?;
        let ca: String = fields.take("ca_certificate")?;
        let operators = operators(fields.take("operators")?)?;
        let past = match fields.left.contains_key("past") {
            true => past(fields.take("past")?)?,
            false => Past::default(),
        };
        fields.none_left()?;
        if operators.is_empty() {
            return Err(field("operators", "at least one operator is needed to consent"));
        }
        Ok(Self {
            node: NodeName::new(&node).map_err(|invalid| field("node", &invalid.problem))?,
            coordinators,
            enrolment,
            ca: certificate("ca_certificate", &ca)?,
            operators: operators.into(),
            past,
        })
    }
}

fn field(field: impl Into<String>, problem: &str) -> ConfigError {
    ConfigError::Field {
        field: field.into(),
        problem: problem.to_owned(),
    }
}

fn addresses(name: &str, addresses: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let fits = |address: &str| {
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port != 0))
    };
    if addresses.is_empty() {
        return Err(field(name, "at least one host:port is needed"));
    }
    match addresses.iter().position(|address| !fits(address)) {
        Some(index) => Err(field(
            format!("{name}[{index}]"),
            &format!("{:?} is not host:port", addresses[index]),
        )),
        None => Ok(addresses),
    }
}

fn certificate(name: &str, pem: &str) -> Result<CertificateDer<'static>, ConfigError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| field(name, &error.to_string()))
}

fn past(left: Map<String, Value>) -> Result<Past, ConfigError> {
    let at = "past.".to_owned();
    let mut fields = Fields { at, left };
    let announced: Vec<String> = fields.take("announced")?;
    let announced = announced.iter().map(|pem| certificate("past.announced", pem));
    let past = Past {
        statements: digests("past.statements", &fields.take::<Vec<_>>("statements")?)?,
        revoked: operators(fields.take("revoked")?)?,
        dropped: digests("past.dropped", &fields.take::<Vec<_>>("dropped")?)?,
        announced: announced.collect::<Result<_, _>>()?,
    };
    fields.none_left()?;
    Ok(past)
}

fn digests(name: &str, all: &[String]) -> Result<Vec<[u8; 32]>, ConfigError> {
    let read = |text: &String| unhex(text)?.try_into().ok();
    let unfit = || field(name, "it must be a SHA-256 in hex");
    all.iter().map(|text| read(text).ok_or_else(unfit)).collect()
}

fn operators(all: Vec<Map<String, Value>>) -> Result<Vec<Operator>, ConfigError> {
    all.into_iter().enumerate().map(operator).collect()
}

fn operator((index, left): (usize, Map<String, Value>)) -> Result<Operator, ConfigError> {
    let mut fields = Fields {
        at: format!("operators[{index}]."),
        left,
    };
    let name: String = fields.take("name")?;
    let pem: String = fields.take("public_key")?;
    if name.is_empty() {
        return Err(fields.wrong("name", "it is empty"));
    }
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| fields.wrong("public_key", &error.to_string()))?;
    let point = der
        .strip_prefix(&P256_SPKI_PREFIX)
        .filter(|point| point.len() == 65 && point[0] == 4)
        .ok_or_else(|| fields.wrong("public_key", "it is not an ECDSA P-256 public key"))?;
    fields.none_left()?;
    Ok(Operator {
        name,
        public_key: point.to_vec(),
    })
}

/// A JSON object whose fields are taken out one by one, so that each error names its field.
struct Fields {
    at: String,
    left: Map<String, Value>,
}

impl Fields {
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ConfigError> {
        let value = self
            .left
            .remove(name)
            .ok_or_else(|| self.wrong(name, "it is missing"))?;
        serde_json::from_value(value).map_err(|error| self.wrong(name, &error.to_string()))
    }

    fn none_left(&self) -> Result<(), ConfigError> {
        match self.left.keys().next() {
            Some(name) => Err(self.wrong(name, "unknown field")),
            None => Ok(()),
        }
    }

    fn wrong(&self, name: &str, problem: &str) -> ConfigError {
        field(format!("{}{name}", self.at), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let mut value = serde_json::json!({
            "node": "k8sctl-pi5l",
            "coordinators": ["10.10.80.50:7443", "[fd00::1]:7443"],
            "enrolment": ["10.10.80.50:7444"],
            "ca_certificate": certificate.pem(),
            "operators": [{"name": "me", "public_key": key.public_key_pem()}],
        });
        change(&mut value);
        value.to_string().into_bytes()
    }

    #[test]
    fn the_file_that_first_contact_writes_is_read() {
        let config = Config::parse(&json(|_| ())).unwrap();
        assert_eq!(config.coordinators.len(), 2);
        assert_eq!(config.operators[0].public_key.len(), 65);
    }

    #[test]
    fn each_error_names_the_file_and_the_field() {
        type Change = fn(&mut serde_json::Value);
        let cases: [(&str, Change); 12] = [
            ("node: invalid type", |v| v["node"] = 3.into()),
            ("operators[0].extra: unknown field", |v| {
                v["operators"][0]["extra"] = 1.into();
            }),
            ("operators[0].name: it is missing", |v| {
                v["operators"][0].as_object_mut().unwrap().remove("name");
            }),
            ("extra: unknown field", |v| v["extra"] = 1.into()),
            ("node: it is missing", |v| {
                v.as_object_mut().unwrap().remove("node");
            }),
            ("node:", |v| v["node"] = "A_b".into()),
            ("coordinators:", |v| v["coordinators"] = serde_json::json!([])),
            ("enrolment[0]:", |v| v["enrolment"] = serde_json::json!(["host"])),
            ("ca_certificate:", |v| v["ca_certificate"] = "x".into()),
            ("operators:", |v| v["operators"] = serde_json::json!([])),
            ("operators[0].name:", |v| v["operators"][0]["name"] = "".into()),
            ("operators[0].public_key:", |v| {
                let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
                v["operators"][0]["public_key"] = key.public_key_pem().into();
            }),
        ];
        for (wanted, change) in cases {
            let error = Config::parse(&json(change)).unwrap_err().to_string();
            assert!(error.starts_with(PATH) && error.contains(wanted), "{wanted}: {error}");
        }
    }
}
