//! The D-Bus system bus, connected at first use and again after a lost connection.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use zbus::{Connection, Message, fdo};
use zbus::{DynamicType, OwnedVariant, Type};

use crate::UnitError;

/// The agent's connection to the system bus.
#[derive(Debug, Default)]
pub(super) struct Bus {
    connection: Mutex<Option<Connection>>,
}

/// An interface of a D-Bus object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) service: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
}

#[derive(Debug)]
pub(super) enum CallError {
    /// The service answered with an error.
    Refused {
        /// Such as `org.freedesktop.systemd1.NoSuchUnit`; empty for an error of D-Bus itself.
        name: String,
        /// The error's message.
        problem: String,
    },
    /// The service does not answer, or answers something unexpected.
    Bus(String),
}

impl CallError {
    pub(super) fn unit(self, action: &str, unit: &str) -> UnitError {
        match self {
            Self::Refused { problem, .. } => UnitError::Refused {
                action: action.to_owned(),
                unit: unit.to_owned(),
                problem,
            },
            Self::Bus(problem) => UnitError::Bus(problem),
        }
    }

    /// Whether systemd reports that the unit is not loaded.
    pub(super) fn is_no_such_unit(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if name == "org.freedesktop.systemd1.NoSuchUnit")
    }
}

impl From<zbus::Error> for CallError {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, problem, _) => Self::Refused {
                problem: problem.unwrap_or_else(|| name.to_string()),
                name: name.to_string(),
            },
            zbus::Error::FDO(error) => match *error {
                fdo::Error::InvalidArgs(problem)
                | fdo::Error::AccessDenied(problem)
                | fdo::Error::Failed(problem)
                | fdo::Error::FileExists(problem)
                | fdo::Error::InteractiveAuthorizationRequired(problem) => Self::Refused {
                    name: String::new(),
                    problem,
                },
                other => Self::Bus(other.to_string()),
            },
            other => Self::Bus(other.to_string()),
        }
    }
}

impl Bus {
    #[cfg(test)]
    pub(super) fn over(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(Some(connection)),
        }
    }

    /// The connection, renewed when it was closed.
    pub(super) async fn connection(&self) -> Result<Connection, CallError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connection = Connection::system().await?;
        *held = Some(connection.clone());
        Ok(connection)
    }

    pub(super) async fn call(
        &self,
        object: Object<'_>,
        method: &str,
        body: &(impl Serialize + DynamicType + Sync),
    ) -> Result<Message, CallError> {
        let connection = self.connection().await?;
        let Object {
            service,
            path,
            interface,
        } = object;
        Ok(connection
            .call_method(Some(service), path, Some(interface), method, body)
            .await?)
    }

    /// Calls a method that returns a `T`.
    pub(super) async fn ask<T: DeserializeOwned + Type>(
        &self,
        object: Object<'_>,
        method: &str,
        body: &(impl Serialize + DynamicType + Sync),
    ) -> Result<T, CallError> {
        let answer = self.call(object, method, body).await?;
        Ok(answer.body().deserialize()?)
    }

    /// A property of the interface that `object` names.
    pub(super) async fn property<T: TryFrom<OwnedVariant>>(
        &self,
        object: Object<'_>,
        name: &str,
    ) -> Result<T, CallError> {
        let properties = Object {
            interface: "org.freedesktop.DBus.Properties",
            ..object
        };
        let value: OwnedVariant = self.ask(properties, "Get", &(object.interface, name)).await?;
        T::try_from(value).map_err(|_| CallError::Bus(format!("{name} is not of the expected type")))
    }
}
