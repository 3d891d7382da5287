//! systemd's units, over D-Bus (org.freedesktop.systemd1(5)).

use std::pin::Pin;
use std::time::Duration;

use zbus::export::futures_core::Stream;
use zbus::message::Type;

use zbus::{MatchRule, MessageStream, OwnedObjectPath};

use super::bus::{Bus, CallError, Object};
use crate::{UnitAction, UnitError, UnitState};

pub(super) const SERVICE: &str = "org.freedesktop.systemd1";

pub(super) const MANAGER: Object<'static> = Object {
    service: SERVICE,
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
};

/// The limit when systemd has lost a job; the units have shorter limits themselves.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) const fn unit_at(path: &str) -> Object<'_> {
    Object {
        service: SERVICE,
        path,
        interface: "org.freedesktop.systemd1.Unit",
    }
}

/// The state of a unit; `not-found` when it has no unit file.
pub(super) async fn state(bus: &Bus, unit: &str) -> Result<UnitState, UnitError> {
    let look = async || {
        let path: OwnedObjectPath = bus.ask(MANAGER, "LoadUnit", &(unit,)).await?;
        let object = unit_at(path.as_str());
        Ok(UnitState {
            load: bus.property(object, "LoadState").await?,
            active: bus.property(object, "ActiveState").await?,
            enabled: bus.property(object, "UnitFileState").await?,
        })
    };
    look().await.map_err(|error: CallError| error.unit("look at", unit))
}

pub(super) async fn act(bus: &Bus, unit: &str, action: UnitAction) -> Result<(), UnitError> {
    let (verb, method) = match action {
        UnitAction::Enable => return enable(bus, unit).await,
        UnitAction::Disable => return disable(bus, unit).await,
        UnitAction::Reload => return reload(bus, unit).await,
        UnitAction::Start => ("start", "StartUnit"),
        UnitAction::Stop => ("stop", "StopUnit"),
        UnitAction::Restart => ("restart", "RestartUnit"),
    };
    let result = queue(bus, method, &(unit, "replace"))
        .await
        .map_err(|error| error.unit(verb, unit))?;
    match result.as_str() {
        "done" => Ok(()),
        _ => Err(UnitError::Job {
            action: verb.to_owned(),
            unit: unit.to_owned(),
            result,
        }),
    }
}

/// Queues a job with `method`, waits until systemd removes it, and returns its result.
pub(super) async fn queue(
    bus: &Bus,
    method: &str,
    body: &(impl serde::Serialize + zbus::DynamicType + Sync),
) -> Result<String, CallError> {
    // Subscribe before the call: a short job may end before its path is known.
    let connection = bus.connection().await?;
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .path(MANAGER.path)
        .interface(MANAGER.interface)
        .member("JobRemoved")
        .build()?;
    let mut removed = MessageStream::for_match_rule(rule, &connection, None).await?;
    let job: OwnedObjectPath = bus.ask(MANAGER, method, body).await?;
    let ended = async {
        while let Some(signal) = std::future::poll_fn(|cx| Pin::new(&mut removed).poll_next(cx)).await {
            let (_, path, _, result): (u32, OwnedObjectPath, String, String) = signal?.body().deserialize()?;
            if path == job {
                return Ok(result);
            }
        }
        Err(CallError::Bus("the bus closed the connection".to_owned()))
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .unwrap_or_else(|_| Err(CallError::Bus("its job was not over after 10 minutes".to_owned())))
}

async fn enable(bus: &Bus, unit: &str) -> Result<(), UnitError> {
    type Changes = Vec<(String, String, String)>;
    let enabled: Result<(bool, Changes), _> = bus.ask(MANAGER, "EnableUnitFiles", &(vec![unit], false, false)).await;
    let (installable, changes) = enabled.map_err(|error| error.unit("enable", unit))?;
    if !installable && changes.is_empty() {
        return Err(UnitError::Refused {
            action: "enable".to_owned(),
            unit: unit.to_owned(),
            problem: "its file does not say when it is to be started (no [Install] section)".to_owned(),
        });
    }
    reload(bus, unit).await
}

async fn disable(bus: &Bus, unit: &str) -> Result<(), UnitError> {
    let disabled = bus.call(MANAGER, "DisableUnitFiles", &(vec![unit], false)).await;
    disabled.map_err(|error| error.unit("disable", unit))?;
    reload(bus, unit).await
}

async fn reload(bus: &Bus, unit: &str) -> Result<(), UnitError> {
    let reloaded = bus.call(MANAGER, "Reload", &()).await;
    reloaded.map(drop).map_err(|error| error.unit("read the file of", unit))
}
