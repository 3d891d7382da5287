use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use heeler_proto::v1::{AddOperatorRequest, ListOperatorsRequest, RevokeOperatorRequest, ShowAuthoritiesRequest};
use heeler_proto::{OperatorName, TrustChange};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use serde_json::json as object;

use super::consent::Key;
use super::error::file;
use super::remote::{Papers, note};
use super::{CliError, Console, Context, Exit, json};
use crate::pki::{NodeRequest, identify_operator, new_operator, pem};
use crate::screen::{self, Line};
use crate::state::StateFolder;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A second person, without a private key ever leaving its machine:
  on theirs:  heeler operator request > request.pem
  on yours:   heeler operator add request.pem > grant.pem
  on theirs:  heeler operator accept grant.pem; then heeler status")]
pub(super) enum Operator {
    /// Who may consent, and who no longer
    List,
    /// Make a key on this machine, and print the request that an operator of the cluster adds
    Request {
        /// What consents and the audit log call you [default: the login name]
        #[arg(long)]
        name: Option<String>,
    },
    /// Let one more person do all that you may do; prints what they need to call the coordinator
    Add(Add),
    /// Take what an operator of the cluster has printed for you
    Accept {
        /// The grant [default: stdin]
        file: Option<PathBuf>,
    },
    /// That operator's key is worth nothing from now on: connections end, nodes are told
    Revoke {
        /// Whose
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The request that they made
    file: PathBuf,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(wish: Operator, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    match wish {
        Operator::List => list(context, console).await,
        Operator::Request { name } => request(name, context, console),
        Operator::Add(add) => self::add(&add, context, console).await,
        Operator::Accept { file } => accept(file.as_deref(), context, console),
        Operator::Revoke { name, yes } => revoke(name, yes, context, console).await,
    }
}

async fn list(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let mut client = context.client().await?;
    let reply = client.list_operators(ListOperatorsRequest {}).await?.into_inner();
    let document = || {
        let operators = reply.operators.iter().map(|operator| {
            object!({
                "name": operator.name, "fingerprint": screen::fingerprint(&operator.public_key),
                "added_at_ms": operator.added_at_ms, "added_by": operator.added_by,
                "revoked_at_ms": operator.revoked_at_ms, "revoked_by": operator.revoked_by,
                "certificate_expires_ms": operator.certificate_expires_ms,
            })
        });
        json::document(object!({ "operators": operators.collect::<Vec<_>>(), "behind": reply.behind }))
    };
    let now_ms = context.clock.now_ms();
    console.answer(document, |_| screen::operators(&reply, now_ms))?;
    Ok(Exit::Fine)
}

fn request(name: Option<String>, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let name = OperatorName::new(&name.unwrap_or_else(|| context.around.login()))
        .map_err(|invalid| CliError::Usage(format!("{invalid}\nName yourself: heeler operator request --name NAME")))?;
    let state = StateFolder::new(context.state());
    let failed = |error: crate::pki::PkiError| CliError::Other(super::init::in_full(&error));
    new_operator(&state.operator(name.as_str())).map_err(failed)?;
    let papers = Papers::of(state.path(), name.as_str());
    let der = papers.request()?;
    let known = NodeRequest::parse(&der).map_err(|error| CliError::Other(error.to_string()))?;
    let text = pem("CERTIFICATE REQUEST", &der);
    let fingerprint = screen::fingerprint(&known.point());
    console.answer(
        || json::document(object!({ "name": name.as_str(), "fingerprint": fingerprint, "request": text })),
        |_| text.lines().map(Line::of).collect(),
    )?;
    console.aside(&[
        Line::of(format!("{name}, key {fingerprint}: read it to whoever adds you.")),
        Line::of("The key stays here. They type: heeler operator add FILE"),
    ]);
    Ok(Exit::Fine)
}

async fn add(wish: &Add, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let text = std::fs::read(&wish.file).map_err(file("read", &wish.file))?;
    let bad = || {
        CliError::Other(format!(
            "{} is no operator's request\nThey make one with: heeler operator request",
            wish.file.display()
        ))
    };
    let der = CertificateSigningRequestDer::from_pem_slice(&text).map_err(|_| bad())?;
    let csr = NodeRequest::parse(&der).map_err(|_| bad())?;
    let name = OperatorName::new(&csr.common_name).map_err(|_| bad())?;
    let mut client = context.client().await?;
    let known = client
        .list_operators(ListOperatorsRequest {})
        .await?
        .into_inner()
        .operators;
    let is_known = |known: &heeler_proto::v1::OperatorInfo| {
        known.name == name.as_str() && known.public_key == csr.point() && known.revoked_at_ms == 0
    };
    let statement = if known.iter().any(is_known) {
        None
    } else {
        let fingerprint = screen::fingerprint(&csr.point());
        console.aside(&[Line::of(format!(
            "{name}, key {fingerprint}: does that person read the same?"
        ))]);
        let again = format!("heeler operator add {} --yes", wish.file.display());
        let question = format!("{name} may then do all that you may, erasing disks too. Add? [y/N]");
        super::plan::agree(&question, wish.yes, &again, console)?;
        let cluster = client
            .show_authorities(ShowAuthoritiesRequest {})
            .await?
            .into_inner()
            .cluster;
        let change = TrustChange::AddOperator {
            name: name.clone(),
            public_key: csr.point(),
        };
        let key = Key::read(context, &mut client).await?;
        Some(key.state(&cluster, change, context.clock.now_ms())?)
    };
    let request = AddOperatorRequest {
        statement,
        csr: der.to_vec(),
    };
    let grant = client.add_operator(request).await?.into_inner();
    let mut text: Vec<String> = grant.addresses.iter().map(|at| format!("coordinator {at}")).collect();
    text.extend([grant.certificate_chain.clone(), grant.authorities.clone()]);
    let text = text.join("\n");
    console.answer(
        || json::document(object!({ "name": grant.name, "grant": text, "addresses": grant.addresses })),
        |_| text.lines().map(Line::of).collect(),
    )?;
    let how = match grant.addresses.is_empty() {
        true => "The coordinator takes no remote calls yet: heeler serve --operators",
        false => "They type: heeler operator accept FILE. There is no secret in it.",
    };
    console.aside(&[Line::of(format!("{name} is added. {how}"))]);
    Ok(Exit::Fine)
}

fn accept(named: Option<&Path>, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let mut text = String::new();
    match named {
        Some(path) => text = std::fs::read_to_string(path).map_err(file("read", path))?,
        None => {
            let read = std::io::stdin().take(1 << 20).read_to_string(&mut text);
            read.map_err(file("read", "stdin"))?;
        }
    }
    let bad = |why: &str| CliError::Other(format!("this is no grant of a cluster's operator: {why}"));
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let certificates = certificates.map_err(|_| bad("it is not readable"))?;
    let [own, authorities @ ..] = certificates.as_slice() else {
        return Err(bad("there is no certificate in it"));
    };
    let peer = identify_operator(own).map_err(|_| bad("its certificate names no operator"))?;
    let state = context.state();
    let papers = Papers::of(&state, peer.name.as_str());
    let own_key = NodeRequest::parse(&papers.request()?).map_err(|error| bad(&error.to_string()))?;
    if own_key.key_sha256 != peer.key_sha256 || authorities.is_empty() {
        return Err(bad("its certificate is for another key than the one on this machine"));
    }
    let authorities: String = authorities.iter().map(|der| pem("CERTIFICATE", der)).collect();
    papers.keep(&pem("CERTIFICATE", own), &authorities)?;
    let address = text.lines().find_map(|line| line.strip_prefix("coordinator "));
    if let Some(address) = address {
        note(&state, address.trim())?;
    }
    let next = match address {
        Some(_) => "Next: heeler status".to_owned(),
        None => "Next: heeler --coordinator HOST:7445 status".to_owned(),
    };
    console.answer(
        || json::document(object!({ "name": peer.name.as_str(), "coordinator": address })),
        |_| vec![Line::of(format!("You are {} there.", peer.name)), Line::of(next)],
    )?;
    Ok(Exit::Fine)
}

async fn revoke(name: String, yes: bool, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let mut client = context.client().await?;
    let known = client
        .list_operators(ListOperatorsRequest {})
        .await?
        .into_inner()
        .operators;
    let whose = known
        .iter()
        .find(|known| known.name == name && known.revoked_at_ms == 0);
    let unknown = || {
        CliError::Other(format!(
            "no operator {name} may consent now\nSee them: heeler operator list"
        ))
    };
    let whose = whose.ok_or_else(unknown)?;
    let question = format!("Shut {name} out for good? Their key never comes back. [y/N]");
    super::plan::agree(&question, yes, &format!("heeler operator revoke {name} --yes"), console)?;
    let cluster = client
        .show_authorities(ShowAuthoritiesRequest {})
        .await?
        .into_inner()
        .cluster;
    let change = TrustChange::RevokeOperator {
        name: OperatorName::new(&name).map_err(|_| unknown())?,
        public_key: whose.public_key.clone(),
    };
    let key = Key::read(context, &mut client).await?;
    let statement = Some(key.state(&cluster, change, context.clock.now_ms())?);
    let reply = client
        .revoke_operator(RevokeOperatorRequest { statement })
        .await?
        .into_inner();
    let vouched: Vec<&str> = known
        .iter()
        .filter(|other| other.added_by == name && other.revoked_at_ms == 0)
        .map(|other| other.name.as_str())
        .collect();
    console.answer(
        || json::document(object!({ "revoked": name, "behind": reply.behind, "vouched_for": vouched })),
        |_| screen::revoked(&name, &reply.behind, &vouched),
    )?;
    Ok(Exit::Fine)
}
