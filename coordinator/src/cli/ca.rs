use clap::{Args, Subcommand};
use heeler_proto::TrustChange;
use heeler_proto::json::authority_row::Inline;
use heeler_proto::json::{AuthorityRow, CaShow};
use heeler_proto::v1::rotate_authority_request::Step;
use heeler_proto::v1::{AuthorityStage, RotateAuthorityRequest, ShowAuthoritiesReply, ShowAuthoritiesRequest};

use super::consent::Key;
use super::{CliError, Client, Console, Context, Exit, Names, Result, given, trust};
use crate::pki::{certificates, sha256};
use crate::screen::{self, Line};
use crate::state::StateFolder;
use crate::trust::{Keyring, UnsignedClaim};

#[derive(Debug, Subcommand)]
pub(super) enum Ca {
    /// Show the cluster's certificate authorities, and what a rotation waits for
    Show,
    /// Make the next step of a rotation
    Rotate(Rotate),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A rotation has three steps. Run this command once for each; you may wait as
long as you like between them:
  1  create and announce a new authority; nodes trust both
  2  the new one signs; nodes renew their certificates and still trust both
  3  drop the old one and delete its key
Steps 2 and 3 wait for each node that is offline, unless you name it in
--without. Such a node needs heeler node add afterwards.")]
pub(super) struct Rotate {
    /// Do not wait for this node; may be given more than once
    #[arg(long, value_name = "NODE", add = Names::Nodes.offer())]
    without: Vec<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: Ca, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let shown = client.show_authorities(ShowAuthoritiesRequest {}).await?.into_inner();
    let shown = match args {
        Ca::Show => shown,
        Ca::Rotate(args) => rotate(&args, shown, &mut client, context, console).await?,
    };
    let now_ms = context.clock.now_ms();
    console.answer(document(&shown), |_| screen::authorities(&shown, now_ms))
}

async fn rotate(
    args: &Rotate,
    shown: ShowAuthoritiesReply,
    client: &mut Client,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<ShowAuthoritiesReply> {
    given::nodes(client, "--without", &args.without).await?;
    let at = |shown: &ShowAuthoritiesReply, stage| {
        let found = shown.authorities.iter().find(|authority| authority.stage() == stage);
        found.map(|authority| authority.certificate.clone())
    };
    let (step, question) = match (at(&shown, AuthorityStage::Next), at(&shown, AuthorityStage::Old)) {
        (Some(next), _) => (
            Step::Switch,
            format!(
                "Sign with the new authority {} from now on? [y/N]",
                screen::fingerprint(&next)
            ),
        ),
        (_, Some(old)) => (
            Step::Drop,
            format!(
                "Drop the old authority {} and delete its key? This cannot be undone. [y/N]",
                screen::fingerprint(&old)
            ),
        ),
        _ => (
            Step::Begin,
            "Create a new authority on the coordinator, and let every node trust it too? [y/N]".to_owned(),
        ),
    };
    // Only the switch needs no signature.
    let signer = match step {
        Step::Switch => None,
        _ => Some(Key::with_trust(context, client).await?),
    };
    match (step, &signer) {
        (Step::Begin, _) => somebody_confirms(context, console)?,
        (Step::Drop, Some((_, trust))) => {
            left_behind(&shown, &args.without)?;
            trusted(trust, at(&shown, AuthorityStage::Old))?;
        }
        _ => left_behind(&shown, &args.without)?,
    }
    super::plan::agree(&question, args.yes, "heeler ca rotate --yes", console)?;
    let mut request = RotateAuthorityRequest {
        without: args.without.clone(),
        ..Default::default()
    };
    let change = match step {
        Step::Begin => {
            request.set_step(Step::Make);
            let made = client.rotate_authority(request.clone()).await?.into_inner();
            at(&made, AuthorityStage::Made).map(|certificate| TrustChange::AddAuthority { certificate })
        }
        Step::Drop => at(&shown, AuthorityStage::Old).map(|old| TrustChange::DropAuthority { sha256: sha256(&old) }),
        _ => None,
    };
    if let (Some(change), Some((key, trust))) = (change, signer) {
        let now_ms = context.clock.now_ms();
        let statement = key.state(&trust, change.clone(), now_ms)?;
        match change {
            TrustChange::AddAuthority { certificate } => {
                let here = StateFolder::new(context.state()).ca().join("next/certificate.pem");
                let here = std::fs::read_to_string(here).ok().and_then(|pem| certificates(&pem));
                let fingerprint = screen::fingerprint(&certificate);
                console.aside(&[Line::of(format!(
                    "New authority {fingerprint}, made on the coordinator; its key stays there."
                ))]);
                // On the coordinator's machine its own file shows the new certificate; elsewhere there is only the
                // coordinator's word.
                if here != Some(vec![certificate.clone()]) {
                    trust::confirm(&UnsignedClaim::Authority(certificate), console)?;
                }
            }
            TrustChange::DropAuthority { sha256: which } => {
                for known in trust.authorities().iter().filter(|known| sha256(known) == which) {
                    console.aside(&[Line::of(format!("Dropped: {}", screen::fingerprint(known)))]);
                }
            }
            TrustChange::AddOperator { .. } | TrustChange::RevokeOperator { .. } => {}
        }
        request.statement = Some(statement);
    }
    request.set_step(step);
    Ok(client.rotate_authority(request).await?.into_inner())
}

/// Fails when nobody can be asked to confirm an authority that was made on another machine.
fn somebody_confirms(context: &Context<'_>, console: &Console<'_>) -> Result<()> {
    let here = StateFolder::new(context.state()).ca().is_dir();
    match here || console.person.is_there() {
        true => Ok(()),
        false => Err(CliError::NobodyToAsk(
            "only a person can confirm the new authority's fingerprint, and there is no terminal to ask on".to_owned(),
        )
        .next("On the coordinator's own machine: heeler ca rotate --yes")),
    }
}

/// Fails when a node would be left behind that --without does not name.
fn left_behind(shown: &ShowAuthoritiesReply, without: &[String]) -> Result<()> {
    let waiting = shown.waiting.iter();
    let waiting: Vec<_> = waiting.filter(|waiting| !without.contains(&waiting.node)).collect();
    let Some(first) = waiting.first() else { return Ok(()) };
    let names: Vec<&str> = waiting.iter().map(|waiting| waiting.node.as_str()).collect();
    let flags = without.iter().map(String::as_str).chain(names.iter().copied());
    let flags: Vec<String> = flags.map(|name| format!("--without {name}")).collect();
    Err(
        CliError::NotConfirmed(format!("the rotation waits for {}: {}", names.join(", "), first.reason)).next(format!(
            "Wait for it. To continue without it, and later type heeler node add NAME for it: heeler ca rotate {}",
            flags.join(" ")
        )),
    )
}

/// Fails unless this machine trusts the authority that is to be dropped.
fn trusted(trust: &Keyring, old: Option<Vec<u8>>) -> Result<()> {
    match old.is_some_and(|old| trust.authorities().contains(&old)) {
        true => Ok(()),
        false => Err(CliError::NotConfirmed(
            "this machine does not know the authority to drop. See: heeler ca show".to_owned(),
        )),
    }
}

fn document(shown: &ShowAuthoritiesReply) -> CaShow {
    let authorities = shown.authorities.iter().map(|authority| AuthorityRow {
        fingerprint: screen::fingerprint(&authority.certificate),
        inline: Some(Inline::Authority(authority.clone())),
    });
    CaShow {
        cluster: shown.cluster.clone(),
        authorities: authorities.collect(),
        waiting: shown.waiting.clone(),
    }
}
