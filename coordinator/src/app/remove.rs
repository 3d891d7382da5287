use heeler_proto::v1::{self, EventKind};
use heeler_store::{Node, Pool, Tx};

use super::{App, AppError, Result, Who, ledger, node_name, nodes, revision};
use crate::known::{short, unknown};

impl App {
    /// Returns what must be confirmed or done before a node is removed. With `go`, removes it if nothing blocks and
    /// `confirmed` has every word. Its history stays. Fails when no node has that name, something blocks, or a word is
    /// missing.
    pub async fn remove(&self, request: v1::RemoveNodeRequest, who: &Who) -> Result<v1::RemoveNodeReply> {
        let mut tx = self.store.write().await?;
        let node = nodes::known(&mut tx, &request.node).await?;
        let gates = self.gates(&mut tx, &node).await?;
        if !request.go {
            return Ok(v1::RemoveNodeReply { gates, removed: false });
        }
        pass(&gates, &request.confirmed)?;
        for pool in tx.pools_of(&node.name).await? {
            match pool.ours {
                true => tx.forget_own_pool(&pool.guid).await?,
                false => tx.forget_pool(&pool.guid).await?,
            }
        }
        tx.remove_node(&node.name, &who.name, self.now_ms()).await?;
        let (name, words) = (&node.name, request.confirmed.join(", "));
        self.audit(&mut tx, &who.name, "node removed", name, &words).await?;
        let text = format!("removed by {}", who.name);
        self.save_and_tell(tx, EventKind::Removed, name, text).await?;
        if let Some(peer) = nodes::peer(&node)? {
            self.node_keys.shut_out(&peer);
        }
        Ok(v1::RemoveNodeReply { gates, removed: true })
    }

    /// Everything to check before a node is removed. A new kind of thing that only a node holds needs a gate here.
    async fn gates(&self, tx: &mut Tx, node: &Node) -> Result<Vec<v1::Gate>> {
        let name = &node.name;
        let mut gates = Vec::new();
        if self.sessions.of(&node_name(name)?).is_some() && !node.state.is_shut_out() {
            gates.push(v1::Gate {
                found: "its agent is connected, and would keep running there without a coordinator".to_owned(),
                blocks: true,
                next: format!("heeler node release {name}"),
                word: String::new(),
            });
        }
        if let Some(task) = tx.open_tasks().await?.into_iter().find(|task| task.node == *name) {
            gates.push(v1::Gate {
                found: format!("the task {} ({}) is not finished", task.id, task.kind),
                blocks: true,
                next: format!("heeler task follow {}", task.id),
                word: String::new(),
            });
        }
        for pool in tx.pools_of(name).await?.iter().filter(|pool| pool.ours) {
            gates.push(last_copy(tx, pool).await?);
        }
        let accepted = tx.accepted().await?;
        if revision::wanted(accepted.as_ref())
            .iter()
            .any(|wanted| wanted.name.as_str() == name)
        {
            gates.push(v1::Gate {
                found: "the accepted heeler.toml names it".to_owned(),
                next: format!("delete the lines of {name} from heeler.toml, then: heeler apply"),
                ..v1::Gate::default()
            });
        }
        Ok(gates)
    }

    /// Returns what must be confirmed before a lost pool is removed from the record. With `go`, removes it. Fails when
    /// no pool of that name is on record for the node, it is still imported, or the word is missing.
    pub async fn forget_gone_pool(&self, request: v1::ForgetPoolRequest, who: &Who) -> Result<v1::ForgetPoolReply> {
        let mut tx = self.store.write().await?;
        let node = nodes::known(&mut tx, &request.node).await?;
        let pools = tx.pools_of(&node.name).await?;
        let ours = || pools.iter().filter(|pool| pool.ours);
        let Some(pool) = ours().find(|pool| pool.name == request.pool) else {
            let what = format!("no pool {} of {} is on record", short(&request.pool), node.name);
            let list = format!("heeler node show {}", node.name);
            let names = ours().map(|pool| pool.name.as_str());
            return Err(unknown(what, &request.pool, names, &list).into());
        };
        let mut gates = Vec::new();
        let facts = ledger::facts_of(&node)?.unwrap_or_default();
        if facts.pools.iter().any(|seen| seen.guid == pool.guid) {
            gates.push(v1::Gate {
                found: format!("{} is imported on {}: it is not gone", pool.name, node.name),
                blocks: true,
                ..v1::Gate::default()
            });
        }
        gates.push(last_copy(&mut tx, pool).await?);
        if !request.go {
            return Ok(v1::ForgetPoolReply {
                gates,
                forgotten: false,
            });
        }
        pass(&gates, &[request.confirmed])?;
        tx.forget_own_pool(&pool.guid).await?;
        let text = format!("pool {} ({}) is removed from the record", pool.name, pool.guid);
        self.audit(&mut tx, &who.name, "pool forgotten", &node.name, &text)
            .await?;
        self.save_and_tell(tx, EventKind::Pool, &node.name, text).await?;
        Ok(v1::ForgetPoolReply { gates, forgotten: true })
    }
}

/// The gate for a pool on record: it may hold the last copy of its data. Removal erases nothing, but its disks may
/// then be used for a new pool.
async fn last_copy(tx: &mut Tx, pool: &Pool) -> Result<v1::Gate> {
    let legs = tx.legs().await?;
    let serials: Vec<_> = legs
        .into_iter()
        .filter(|leg| leg.guid == pool.guid)
        .map(|leg| leg.serial)
        .collect();
    Ok(v1::Gate {
        found: format!(
            "pool {} is on record, on {}: it may hold the last copy of its data. Nothing is erased; its disks are no longer protected",
            pool.name,
            serials.join(" and ")
        ),
        blocks: false,
        next: String::new(),
        word: format!("{}/{}", pool.node, pool.name),
    })
}

fn pass(gates: &[v1::Gate], confirmed: &[String]) -> Result<()> {
    if let Some(closed) = gates.iter().find(|gate| gate.blocks) {
        let next = match closed.next.as_str() {
            "" => String::new(),
            next => format!(". First: {next}"),
        };
        return Err(AppError::Refused(format!("{}{next}", closed.found)));
    }
    let mut wanted = gates.iter().filter(|gate| !gate.word.is_empty());
    match wanted.find(|gate| !confirmed.contains(&gate.word)) {
        Some(gate) => Err(AppError::Refused(format!(
            "{}. To confirm: --confirm {}",
            gate.found, gate.word
        ))),
        None => Ok(()),
    }
}
