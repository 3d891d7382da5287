use std::collections::HashMap;

use heeler_proto::{Consent, Irreversible, NodeName, TaskId, v1};
use heeler_store::Operator;

use super::{AppError, Result};
use crate::pki::public_point;

/// The consents of one apply, to check against the plan that the person saw.
pub(super) struct Consents {
    given: Vec<Consent>,
    keys: HashMap<String, Vec<u8>>,
    now_ms: u64,
}

impl Consents {
    pub(super) fn new(wire: Vec<v1::Consent>, operators: &[Operator], now_ms: u64) -> Result<Self> {
        let given = wire.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let point = |operator: &Operator| Some((operator.name.clone(), public_point(&operator.public_key_pem)?));
        Ok(Self {
            given,
            keys: operators.iter().filter_map(point).collect(),
            now_ms,
        })
    }

    /// Takes out and returns the consents for every irreversible operation in `shown`. Fails when one is missing or
    /// does not fit.
    pub(super) fn take(&mut self, (node, task): (&NodeName, &TaskId), shown: &v1::NodePlan) -> Result<Vec<Consent>> {
        let wrong = |reason: &str| AppError::Consent {
            node: node.to_string(),
            reason: reason.to_owned(),
        };
        let mut taken = Vec::new();
        let ops = shown.steps.iter().flat_map(|step| &step.ops);
        for act in ops.filter_map(|op| op.irreversible.clone()) {
            let act = Irreversible::try_from(act)?;
            let digest = act.digest();
            let fits = |consent: &Consent| consent.task == *task && consent.act == digest;
            let Some(index) = self.given.iter().position(fits) else {
                let other = self
                    .given
                    .iter()
                    .any(|consent| consent.task == *task || consent.act == digest);
                return Err(wrong(match other {
                    true => "the consent is for a different change from the one that was shown",
                    false => "this cannot be undone: it needs an operator's consent, and none was given",
                }));
            };
            let consent = self.given.remove(index);
            let key = self.keys.get(&consent.operator);
            let key = key.ok_or_else(|| wrong("the consent is signed by an unknown operator"))?;
            consent
                .permits((task, node), &act.digest(), self.now_ms, key)
                .map_err(|error| AppError::consent(node.as_str(), error))?;
            taken.push(consent);
        }
        Ok(taken)
    }

    /// Fails when a consent is left over.
    pub(super) fn finish(self) -> Result<()> {
        self.given.first().map_or(Ok(()), |stray| {
            let reason = "a consent was given for a change that is not in this plan".to_owned();
            Err(AppError::Consent {
                node: stray.node.to_string(),
                reason,
            })
        })
    }
}
