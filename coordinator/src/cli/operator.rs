use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use heeler_proto::json::{
    OperatorAccept, OperatorAdd, OperatorList, OperatorRequest, OperatorRevoke, OperatorRow, operator_revoke,
    operator_row,
};
use heeler_proto::v1::{AddOperatorRequest, ListOperatorsRequest, OperatorInfo, RevokeOperatorRequest};
use heeler_proto::{OperatorName, TrustChange};
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;

use super::consent::Key;
use super::error::{failed, file};
use super::grant::Grant;
use super::remote::{Credentials, note};
use super::{CliError, Client, Console, Context, Exit, Names, Result};
use crate::known::{short, unknown};
use crate::pki::{NodeRequest, new_operator, pem};
use crate::screen::{self, Line};
use crate::state::StateFolder;
use crate::trust::{Keyring, UnsignedClaim};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
To add a second operator (no private key leaves its machine), start the
coordinator with heeler serve --operators. Then:
  on theirs:  heeler operator request > request.pem
  on yours:   heeler operator add request.pem > grant.pem
  on theirs:  heeler operator accept grant.pem; then heeler status")]
pub(super) enum Operator {
    /// List operators: who may consent, and who was revoked
    List,
    /// Create a key on this machine, and print a request for an operator to add you
    Request {
        /// Your name in consents and in the audit log [default: the login name]
        #[arg(long)]
        name: Option<String>,
    },
    /// Add an operator with the same rights as you; prints what they need to call the coordinator
    Add(Add),
    /// Accept the grant from the operator who added you, and trust their cluster
    Accept {
        /// The grant [default: stdin]
        file: Option<PathBuf>,
    },
    /// Revoke an operator's key: its connections end, and the nodes refuse the key
    Revoke {
        /// Name of the operator
        #[arg(add = Names::Operators.offer())]
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The request that the new operator made
    file: PathBuf,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: Operator, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    match args {
        Operator::List => list(context, console).await,
        Operator::Request { name } => request(name, context, console),
        Operator::Add(add) => self::add(&add, context, console).await,
        Operator::Accept { file } => accept(file.as_deref(), context, console),
        Operator::Revoke { name, yes } => revoke(name, yes, context, console).await,
    }
}

async fn list(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let reply = client.list_operators(ListOperatorsRequest {}).await?.into_inner();
    let document = {
        let operators = reply.operators.iter().map(|operator| OperatorRow {
            fingerprint: screen::fingerprint(&operator.public_key),
            inline: Some(operator_row::Inline::Operator(operator.clone())),
        });
        OperatorList {
            operators: operators.collect(),
            behind: reply.behind.clone(),
        }
    };
    let now_ms = context.clock.now_ms();
    console.answer(document, |_| screen::operators(&reply, now_ms))
}

fn request(name: Option<String>, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let name = OperatorName::new(&name.unwrap_or_else(|| context.around.login())).map_err(|invalid| {
        CliError::Usage(format!("{invalid}")).next("Give your name: heeler operator request --name NAME")
    })?;
    let state = StateFolder::new(context.state());
    new_operator(&state.operator(name.as_str())).map_err(failed)?;
    let credentials = Credentials::of(state.path(), name.as_str());
    let der = credentials.request()?;
    let known = NodeRequest::parse(&der).map_err(|error| CliError::Other(error.to_string()))?;
    let text = pem("CERTIFICATE REQUEST", &der);
    let fingerprint = screen::fingerprint(&known.point());
    console.answer(
        OperatorRequest {
            name: name.to_string(),
            fingerprint: fingerprint.clone(),
            request: text.clone(),
        },
        |_| text.lines().map(Line::of).collect(),
    )?;
    console.aside(&[
        Line::of(format!(
            "Read this to the operator who adds you: your key ({name}): {fingerprint}"
        )),
        Line::of("The key stays here. They type: heeler operator add FILE"),
    ]);
    Ok(Exit::Fine)
}

async fn add(args: &Add, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let text = std::fs::read(&args.file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CliError::Other(format!("there is no file {}", args.file.display()))
            .next("The new operator makes it: heeler operator request > request.pem"),
        _ => file("read", &args.file)(error),
    })?;
    let bad = || {
        CliError::Other(format!("{} is not a request from an operator", args.file.display()))
            .next("They make one with: heeler operator request")
    };
    let der = CertificateSigningRequestDer::from_pem_slice(&text).map_err(|_| bad())?;
    let csr = NodeRequest::parse(&der).map_err(|_| bad())?;
    let name = OperatorName::new(&csr.common_name).map_err(|_| bad())?;
    let mut client = context.client().await?;
    let (key, trust) = Key::with_trust(context, &mut client).await?;
    free(&name, &csr.point(), &operators(&mut client).await?)?;
    // Signed statements decide whether somebody is an operator already, not the coordinator's word.
    let statement = if trust.knows(name.as_str(), &csr.point()) {
        None
    } else {
        let fingerprint = screen::fingerprint(&csr.point());
        console.aside(&[Line::of(format!(
            "Ask {name} to read you the fingerprint of their key. It must be the same: {fingerprint}"
        ))]);
        let again = format!("heeler operator add {} --yes", args.file.display());
        let question = format!("{name} gets the same rights as you, erasing disks included. Add {name}? [y/N]");
        super::plan::agree(&question, args.yes, &again, console)?;
        let change = TrustChange::AddOperator {
            name: name.clone(),
            public_key: csr.point(),
        };
        Some(key.state(&trust, change, context.clock.now_ms())?)
    };
    let request = AddOperatorRequest {
        statement,
        csr: der.to_vec(),
    };
    let grant = client.add_operator(request).await?.into_inner();
    let text = Grant::of(&grant, &trust, &csr, &name)?.text();
    match console.json {
        true => console.document(OperatorAdd {
            name: grant.name,
            grant: text,
            addresses: grant.addresses.clone(),
        })?,
        // Not wrapped to the screen's width: another machine reads it.
        false => console.text(&text)?,
    }
    let how = match grant.addresses.is_empty() {
        true => {
            "The coordinator accepts no commands from other machines yet. Start it with heeler serve --operators, then type the \
             same heeler operator add again: the grant then contains its address."
        }
        false => "They type: heeler operator accept FILE. The file holds no secret.",
    };
    console.aside(&[Line::of(format!("{name} is added. {how}"))]);
    let authorities = trust.authorities().iter().map(|known| screen::fingerprint(known));
    let authorities: Vec<_> = authorities.collect();
    let (own, fingerprint) = (&trust.own().name, screen::fingerprint(&trust.own().public_key));
    console.aside(&[Line::of(format!(
        "Read this to {name}: your key ({own}): {fingerprint}; authority: {}",
        authorities.join(", ")
    ))]);
    Ok(Exit::Fine)
}

fn accept(named: Option<&Path>, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut text = String::new();
    match named {
        Some(path) => text = std::fs::read_to_string(path).map_err(file("read", path))?,
        None => {
            let read = std::io::stdin().take(1 << 20).read_to_string(&mut text);
            read.map_err(file("read", "stdin"))?;
        }
    }
    let state = context.state();
    let grant = Grant::parse(&text)?;
    let credentials = Credentials::of(&state, grant.name.as_str());
    let own_key = NodeRequest::parse(&credentials.request()?).map_err(|error| CliError::Other(error.to_string()))?;
    grant.is_for(&own_key)?;
    let mut trust = Keyring::open(&state, grant.name.as_str(), own_key.point())?;
    trust.pin(grant.operators.iter().cloned().map(UnsignedClaim::Operator).collect())?;
    credentials.keep(&grant.certificate, &grant.authorities)?;
    let address = grant.addresses.first().map(String::as_str);
    if let Some(address) = address {
        note(&state, address.trim())?;
    }
    console.aside(&grant.pinned());
    let next = match address {
        Some(_) => "Next: heeler status".to_owned(),
        None => "Next: heeler --coordinator HOST:7445 status".to_owned(),
    };
    console.answer(
        OperatorAccept {
            name: grant.name.to_string(),
            coordinator: address.map(str::to_owned),
        },
        |_| vec![Line::of(format!("You are {} there.", grant.name)), Line::of(next)],
    )
}

async fn operators(client: &mut Client) -> Result<Vec<OperatorInfo>> {
    let known = client.list_operators(ListOperatorsRequest {}).await?.into_inner();
    Ok(known.operators)
}

/// Fails when another operator has the name, or it was revoked.
fn free(name: &OperatorName, point: &[u8], known: &[OperatorInfo]) -> Result<()> {
    let theirs = known.iter().find(|known| known.name == name.as_str());
    let how = match theirs {
        Some(known) if known.revoked_at_ms > 0 => "revoked",
        Some(known) if known.public_key != point => "another key",
        _ => return Ok(()),
    };
    Err(
        CliError::NotConfirmed(format!("the name {name} is taken ({how}): they choose another one"))
            .next("They type: heeler operator request --name NAME. Names that are taken: heeler operator list"),
    )
}

async fn revoke(name: String, yes: bool, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let (key, trust) = Key::with_trust(context, &mut client).await?;
    let known = operators(&mut client).await?;
    let mut active = known.iter().filter(|known| known.revoked_at_ms == 0);
    let names = active.clone().map(|known| known.name.as_str());
    let unknown = || {
        let what = format!("no operator {} may consent now", short(&name));
        CliError::from(unknown(what, &name, names.clone(), "heeler operator list"))
    };
    let whose = active.find(|known| known.name == name).ok_or_else(unknown)?;
    let own = trust.own();
    if name == own.name || whose.public_key == own.public_key {
        return Err(CliError::NotConfirmed(format!(
            "this is your own key ({}, {}), which you cannot revoke yourself",
            own.name,
            screen::fingerprint(&own.public_key)
        ))
        .next(format!("Another operator can: heeler operator revoke {}", own.name)));
    }
    let revoked = OperatorName::new(&name).map_err(|_| unknown())?;
    let claim = trust.operator(&name, whose.public_key.clone())?;
    let fingerprint = screen::fingerprint(&whose.public_key);
    if let Some(claim) = claim {
        super::trust::confirm(&claim, console)?;
    }
    console.aside(&[Line::of(format!("{name}, key {fingerprint}"))]);
    let question = format!("Revoke {name}? This cannot be undone: the key and the name can never be used again. [y/N]");
    super::plan::agree(&question, yes, &format!("heeler operator revoke {name} --yes"), console)?;
    let change = TrustChange::RevokeOperator {
        name: revoked,
        public_key: whose.public_key.clone(),
    };
    let statement = Some(key.state(&trust, change, context.clock.now_ms())?);
    let request = RevokeOperatorRequest { statement };
    let reply = client.revoke_operator(request).await?.into_inner();
    let vouched: Vec<&str> = known
        .iter()
        .filter(|other| other.added_by == name && other.revoked_at_ms == 0)
        .map(|other| other.name.as_str())
        .collect();
    console.answer(
        OperatorRevoke {
            revoked: name.clone(),
            fingerprint,
            vouched_for: vouched.iter().map(|&other| other.to_owned()).collect(),
            inline: Some(operator_revoke::Inline::Reply(reply.clone())),
        },
        |_| screen::revoked(&name, &reply.behind, &vouched),
    )
}
