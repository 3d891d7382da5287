use clap::Subcommand;
use heeler_proto::json::secret_set::Inline;
use heeler_proto::json::{SecretRemove, SecretSet};
use heeler_proto::v1::{ListSecretsRequest, RemoveSecretRequest, SetSecretRequest};

use super::{CliError, Console, Context, Exit, Names, Result, given};
use crate::app::is_secret_name;
use crate::known::short;
use crate::screen;
use crate::vault::LARGEST_BYTES;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
No command shows a value again. It is encrypted in the coordinator's state
and its backups, and never appears in a log, a list or an argument.
  heeler secret set NAME < FILE        from a file, or from a program
  heeler secret set NAME               heeler asks; the screen does not show it")]
pub(super) enum Secret {
    /// Store a value from stdin, or ask for it; replaces an existing one
    Set {
        /// Lower-case letters, digits, and - _ . between them
        #[arg(add = Names::Secrets.offer())]
        name: String,
    },
    /// List names, dates and authors
    List,
    Remove {
        /// Name of the secret
        #[arg(add = Names::Secrets.offer())]
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(args: Secret, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    match args {
        Secret::Set { name } => set(name, context, console).await,
        Secret::List => list(context, console).await,
        Secret::Remove { name, yes } => remove(name, yes, context, console).await,
    }
}

async fn set(name: String, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    // Checked before the person types the value.
    if !is_secret_name(&name) {
        return Err(CliError::Usage(format!(
            "{:?} is not a valid secret name: use lower-case letters, digits, and - _ . between them; at most 64",
            short(&name)
        )));
    }
    let mut client = context.client().await?;
    let value = value(&name, console)?;
    let request = SetSecretRequest {
        name: name.clone(),
        value,
    };
    let reply = client.set_secret(request).await?.into_inner();
    let word = if reply.replaced { "replaced" } else { "set" };
    let said = format!("{name} is {word}.");
    let inline = Some(Inline::Reply(reply));
    console.told(SecretSet { name, inline }, said)
}

/// Reads the value; removes the line break that an editor or echo adds.
fn value(name: &str, console: &mut Console<'_>) -> Result<Vec<u8>> {
    let read = super::error::file("read", "stdin");
    let mut value = if console.person.is_there() {
        let question = format!("Value of {name}, not shown:");
        let asked = console.person.ask_secret(&question).map_err(read)?;
        asked.unwrap_or_default().into_bytes()
    } else {
        console.person.hand_over(LARGEST_BYTES).map_err(read)?
    };
    if value.ends_with(b"\n") {
        value.pop();
        value.pop_if(|last| *last == b'\r');
    }
    match value.len() {
        0 => Err(CliError::Usage(format!("no value was given for {name}"))
            .next(format!("Give it on stdin: heeler secret set {name} < FILE"))),
        1..=LARGEST_BYTES => Ok(value),
        _ => Err(CliError::Usage(format!(
            "the value of {name} is too large: at most {} KiB",
            LARGEST_BYTES >> 10
        ))),
    }
}

async fn list(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let reply = client.list_secrets(ListSecretsRequest {}).await?.into_inner();
    let now_ms = context.clock.now_ms();
    console.answer(&reply, |_| screen::secrets(&reply.secrets, now_ms))?;
    Ok(match reply.secrets.iter().all(|secret| secret.opens) {
        true => Exit::Fine,
        false => Exit::Person,
    })
}

async fn remove(name: String, yes: bool, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let known = client.list_secrets(ListSecretsRequest {}).await?.into_inner().secrets;
    let names = known.iter().map(|secret| secret.name.as_str());
    let what = format!("no secret is called {}", short(&name));
    given::one_of(&what, &name, names, "heeler secret list")?;
    let question = format!("Remove the secret {name}? This cannot be undone. [y/N]");
    super::plan::agree(&question, yes, &format!("heeler secret remove {name} --yes"), console)?;
    client.remove_secret(RemoveSecretRequest { name: name.clone() }).await?;
    let said = format!("{name} is removed.\nOlder backups still hold it: also change it wherever it is used.");
    console.told(SecretRemove { name, removed: true }, said)
}
