use std::path::{Path, PathBuf};

use heeler_proto::v1::{self, ListOperatorsRequest, NodePlan, OperatorInfo, StepOutcome};
use heeler_proto::{Consent, Irreversible, NodeName, OperatorName, ReleaseHold, Statement, TaskId, TrustChange};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::{CliError, Client, Console, Context, Result, given};
use crate::screen::asks;
use crate::trust::Keyring;

/// An operation that was shown and cannot be undone, with the word to type for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) node: NodeName,
    pub(super) task: TaskId,
    pub(super) act: Irreversible,
    pub(super) word: String,
    /// Whether an earlier task of the node reads disks first, which may take longer than this consent is valid.
    pub(super) after_reading: bool,
}

/// The operations in these plans that cannot be undone. Fails when this version cannot show one completely: nobody
/// can consent to it.
pub(super) fn shown(plans: &[&NodePlan]) -> Result<Vec<Shown>> {
    let mut all = Vec::new();
    for plan in plans {
        for (task, act) in acts(plan) {
            let unknown = |what: &dyn std::fmt::Display| {
                let node = &plan.node;
                CliError::Other(format!(
                    "{node} needs a consent for something that this version of heeler cannot show ({what})"
                ))
                .next("Update heeler first.")
            };
            all.push(Shown {
                node: NodeName::new(&plan.node).map_err(|error| unknown(&error))?,
                task: TaskId::new(task).map_err(|error| unknown(&error))?,
                word: asks(&plan.node, act).ok_or_else(|| unknown(&"its kind is unknown"))?,
                act: Irreversible::try_from(act.clone()).map_err(|error| unknown(&error))?,
                after_reading: false,
            });
        }
    }
    let reading: Vec<_> = all.iter().filter(|one| reads(&one.act)).cloned().collect();
    for one in &mut all {
        // Tasks are shown in the order in which they run, and a pool comes first.
        let other = |before: &Shown| before.node == one.node && before.task != one.task;
        one.after_reading = reading.iter().any(other);
    }
    let by_serial = |act: &Shown| act.word != act.node.as_str();
    let ambiguous = all.iter().find(|one| {
        let names_a_node = by_serial(one) && plans.iter().any(|plan| plan.node == one.word);
        names_a_node || all.iter().any(|other| other.word == one.word && other.node != one.node)
    });
    match ambiguous {
        Some(act) => Err(CliError::Other(format!(
            "{} would consent to more than one change in this plan, so it is not accepted",
            act.word
        ))
        .next("See: heeler disk list")),
        None => Ok(all),
    }
}

/// Whether the node reads whole disks before it does this.
fn reads(act: &Irreversible) -> bool {
    matches!(act, Irreversible::CreatePool(create) if create.unread.len() < create.disks.len())
}

/// Operations that cannot be undone, each with the id of its task.
fn acts(plan: &NodePlan) -> impl Iterator<Item = (&str, &v1::Irreversible)> {
    let changing = plan.steps.iter().filter(|step| step.outcome() == StepOutcome::Change);
    changing.flat_map(|step| {
        let task = plan
            .tasks
            .get(step.task as usize)
            .map_or("", |task| task.task_id.as_str());
        let acts = step.ops.iter().filter_map(|op| op.irreversible.as_ref());
        acts.map(move |act| (task, act))
    })
}

/// The words that must still be typed, each with its question. Each word in `confirmed` answers one question. Fails
/// before anything is asked when nobody can be asked or a word is not asked for. `again` is the command to show then.
pub(super) fn to_type(
    acts: &[Shown],
    confirmed: &[String],
    again: &str,
    console: &Console<'_>,
) -> Result<Vec<(String, String)>> {
    let asked: Vec<(String, String)> = acts.iter().flat_map(asked).collect();
    let open = given::words(asked.iter().map(|(word, _)| word.as_str()), confirmed)?;
    let open: Vec<_> = asked.into_iter().zip(open).filter(|(_, open)| *open).collect();
    if !open.is_empty() && !console.person.is_there() {
        let words: Vec<String> = open.iter().map(|((word, _), _)| format!("--confirm {word}")).collect();
        return Err(
            CliError::NobodyToAsk("this needs your consent, and there is no terminal to ask on".to_owned())
                .next(format!("To consent: {again} {}", words.join(" "))),
        );
    }
    Ok(open.into_iter().map(|(asked, _)| asked).collect())
}

/// Asks for each word, in the order in which the operations were shown.
pub(super) fn obtain(to_type: &[(String, String)], console: &mut Console<'_>) -> Result<()> {
    for (word, question) in to_type {
        type_word(word, question, console)?;
    }
    Ok(())
}

/// Asks for a word. Fails when another one is typed.
pub(super) fn type_word(word: &str, question: &str, console: &mut Console<'_>) -> Result<()> {
    let answer = console.person.ask(question).ok().flatten().unwrap_or_default();
    let other = || CliError::NotConfirmed(format!("{answer:?} is not {word}: nothing was confirmed"));
    (answer == word).then_some(()).ok_or_else(other)
}

/// The words for one operation, each with its question: the serial of every disk that is not read first, then the
/// operation's own word.
fn asked(shown: &Shown) -> Vec<(String, String)> {
    let unread = match &shown.act {
        Irreversible::CreatePool(create) => create.unread.as_slice(),
        _ => &[],
    };
    let unread = unread.iter().map(|serial| {
        let question = format!("Type {serial} to create a pool on it without reading it first:");
        (serial.to_string(), question)
    });
    let mut question = question(shown);
    if shown.after_reading {
        question = format!(
            "The disks of the new pool are read first. If that takes more than an hour,\nthis consent expires, and the \
             change is not made; then type: heeler apply\n{question}"
        );
    }
    unread.chain([(shown.word.clone(), question)]).collect()
}

fn question(shown: &Shown) -> String {
    let Shown { node, word, .. } = shown;
    match &shown.act {
        Irreversible::CreatePool(create) => {
            format!("Type {word} to create pool {} there (cannot be undone):", create.pool)
        }
        Irreversible::EraseContents(_) => format!("Type {word} to erase that disk of {node} (cannot be undone):"),
        Irreversible::ImportPool(_) => format!("Type {word} to import the pool on {node} without its missing disks:"),
        Irreversible::LowerKeep(lower) => match lower.victims.len() {
            0 if lower.changes.iter().all(|change| change.after.is_empty()) => {
                format!("Type {word} to stop these snapshots there:")
            }
            0 => format!("Type {word} to keep or take fewer snapshots there:"),
            1 => format!("Type {word} to let this snapshot be pruned there (cannot be undone):"),
            count => format!("Type {word} to let these {count} snapshots be pruned there (cannot be undone):"),
        },
    }
}

pub(super) struct Key {
    operator: String,
    pair: EcdsaKeyPair,
}

impl Key {
    /// The login's key, or the only key here; one that the coordinator knows comes before others.
    pub(super) async fn read(context: &Context<'_>, client: &mut Client) -> Result<Self> {
        let known = client.list_operators(ListOperatorsRequest {}).await?.into_inner();
        Self::among(&known.operators, context)
    }

    /// The same, with the keyring that the coordinator's signed statements lead to.
    pub(super) async fn with_trust(context: &Context<'_>, client: &mut Client) -> Result<(Self, Keyring)> {
        let known = client.list_operators(ListOperatorsRequest {}).await?.into_inner();
        let key = Self::among(&known.operators, context)?;
        let point = key.pair.public_key().as_ref().to_vec();
        let mut trust = Keyring::open(&context.state(), &key.operator, point)?;
        trust.hear(known.statements)?;
        Ok((key, trust))
    }

    fn among(known: &[OperatorInfo], context: &Context<'_>) -> Result<Self> {
        let folder = context.state().join("operators");
        let is_taken = |name: &str, path: &Path| {
            pair(path).is_ok_and(|pair| {
                let taken = |known: &&OperatorInfo| known.name == name && known.revoked_at_ms == 0;
                let theirs = known.iter().find(taken);
                theirs.is_some_and(|known| known.public_key == pair.public_key().as_ref())
            })
        };
        let login = context.around.login();
        let own = known.iter().find(|known| known.name == login);
        if own.is_some_and(|own| own.revoked_at_ms > 0) {
            return Err(CliError::Other(format!(
                "the operator {login} is revoked: nothing is signed for {login} any more"
            ))
            .next("To act as another operator with a key on this machine: USER=NAME heeler …"));
        }
        let (operator, path) = find(&folder, &login, is_taken)?.ok_or_else(|| {
            CliError::Other(format!(
                "there is no operator's key in {}, and a consent needs one",
                folder.display()
            ))
            .next("Ask an operator to add you: heeler operator request; or name another state folder: --state")
        })?;
        if own.is_some() && operator != login {
            return Err(CliError::Other(format!(
                "the key of the operator {login} is not in {}",
                folder.display()
            ))
            .next(format!("To act as {operator}: USER={operator} heeler …")));
        }
        let pair = pair(&path)?;
        Ok(Self { operator, pair })
    }

    /// Signs a statement about trust, for the cluster of the pinned authority. Fails unless the statement is valid by
    /// what this machine has verified.
    pub(super) fn state(&self, trust: &Keyring, change: TrustChange, now_ms: u64) -> Result<v1::Statement> {
        let name = OperatorName::new(&self.operator).map_err(|invalid| CliError::Other(invalid.to_string()))?;
        let random = SystemRandom::new();
        let statement = Statement::sign(&self.pair, &name, trust.cluster()?, change, now_ms, &random)
            .map_err(|_| CliError::Other("the system gives no randomness to sign with".into()))?;
        trust.would_take(&statement)?;
        Ok(statement.into())
    }

    /// A consent to release a hold. It covers exactly what the person has typed.
    pub(super) fn release(&self, node: &NodeName, act: &ReleaseHold, now_ms: u64) -> Result<v1::Consent> {
        self.consent((&TaskId::from_random(rand::random()), node), act.digest(), now_ms)
    }

    pub(super) fn sign(&self, acts: &[Shown], now_ms: u64) -> Result<Vec<v1::Consent>> {
        let sign = |act: &Shown| self.consent((&act.task, &act.node), act.act.digest(), now_ms);
        acts.iter().map(sign).collect()
    }

    fn consent(&self, bound: (&TaskId, &NodeName), act: [u8; 32], now_ms: u64) -> Result<v1::Consent> {
        let signed = Consent::sign(&self.pair, &self.operator, bound, act, now_ms, &SystemRandom::new());
        signed
            .map(v1::Consent::from)
            .map_err(|_| CliError::Other("the system gives no randomness to sign with".into()))
    }
}

fn pair(path: &Path) -> Result<EcdsaKeyPair> {
    let bad = |what: String| CliError::Other(format!("{} is not an operator's key: {what}", path.display()));
    let pem = std::fs::read(path).map_err(super::error::file("read", path))?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|error| bad(error.to_string()))?;
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der(), &SystemRandom::new())
        .map_err(|error| bad(error.to_string()))
}

/// Name and path of the key to use. Accepted keys (`is_taken`) come before others; among several, the login's. Fails
/// when there are several and none is the login's.
pub(super) fn find(
    folder: &Path,
    login: &str,
    is_taken: impl Fn(&str, &Path) -> bool,
) -> Result<Option<(String, PathBuf)>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let keys = names.map(|name| (folder.join(&name).join("key.pem"), name));
    let keys = keys.filter(|(path, _)| path.is_file());
    let (taken, others): (Vec<_>, Vec<_>) = keys.partition(|(path, name)| is_taken(name, path));
    let mut among = if taken.is_empty() { others } else { taken };
    among.sort();
    let index = match among.as_slice() {
        [] => return Ok(None),
        [_] => Some(0),
        several => several.iter().position(|(_, name)| name == login),
    };
    if let Some(index) = index {
        let (path, name) = among.swap_remove(index);
        return Ok(Some((name, path)));
    }
    let names: Vec<String> = among.into_iter().map(|(_, name)| name).collect();
    Err(CliError::Other(format!(
        "{} holds the keys of {}, and you are logged in as {login}",
        folder.display(),
        names.join(", ")
    ))
    .next("Choose the operator: USER=NAME heeler …"))
}
