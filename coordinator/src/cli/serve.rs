use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use heeler_os::Notify;
use tokio::signal::unix::{SignalKind, signal};

use super::error::{failed, file};
use super::place::read_config;
use super::{CliError, Console, Context, Exit, Result};
use crate::app::HISTORY_BYTES;
use crate::clock::SystemClock;
use crate::config::{self, parse_bytes};
use crate::serve::{Coordinator, ServeOptions, raise_file_limit};
use crate::state::StateFolder;

#[derive(Debug, Args)]
#[command(after_help = "\
Agents connect to the port of [coordinator].addresses in heeler.toml; new nodes
enrol at the next port. Ctrl-C stops it. The nodes keep running, finish their
tasks, and connect again when it is back.")]
pub(super) struct Serve {
    /// Address to listen on [default: all of this machine's]
    #[arg(long, value_name = "IP")]
    listen: Option<IpAddr>,
    /// Address at which agents reach it, instead of the one in heeler.toml; may be given more than once
    #[arg(long, value_name = "IP[:PORT]")]
    address: Vec<String>,
    /// Also accept commands from operators' other machines, each with its own certificate [port: 7445]
    #[arg(long, value_name = "IP[:PORT]", num_args = 0..=1, default_missing_value = "")]
    operators: Option<String>,
    /// Size of the database above which the oldest events are deleted [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = config::bytes)]
    history: Option<u64>,
}

pub(super) async fn run(args: &Serve, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    raise_file_limit();
    let options = options(args, context)?;
    // Fails when a log is set up already, as in a test that calls this twice.
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .compact()
        .try_init();
    let mut terminated = signal(SignalKind::terminate()).map_err(file("wait for", "SIGTERM"))?;
    let shutdown = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
    };
    let addresses = options.addresses.join(", ");
    let socket = options.state.socket();
    let coordinator = Coordinator::bind(options, Arc::new(SystemClock))
        .await
        .map_err(failed)?;
    let enrolment = coordinator.enrolment_address().port();
    console.say(format!("agents     {addresses}; new nodes enrol at port {enrolment}"))?;
    console.say(format!("operators  {}", socket.display()))?;
    if let Some(remote) = coordinator.remote_address() {
        console.say(format!("           {remote}, with a certificate: heeler operator add"))?;
    }
    let notify = Notify::from_environment().map_err(file("use", "$NOTIFY_SOCKET"))?;
    coordinator.notifying(notify).run(shutdown).await.map_err(failed)?;
    Ok(Exit::Fine)
}

/// Default port for operators on other machines.
const OPERATORS_PORT: u16 = 7445;

fn operators(args: &Serve, any: IpAddr) -> Result<Option<SocketAddr>> {
    let Some(text) = &args.operators else { return Ok(None) };
    let at = match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
        (Ok(at), _) => at,
        (_, Ok(ip)) => SocketAddr::new(ip, OPERATORS_PORT),
        _ if text.is_empty() => SocketAddr::new(args.listen.unwrap_or(any), OPERATORS_PORT),
        _ => return Err(CliError::Usage(format!("--operators {text} is not an IP address"))),
    };
    Ok(Some(at))
}

fn options(args: &Serve, context: &Context<'_>) -> Result<ServeOptions> {
    let addresses = match args.address.as_slice() {
        [] => {
            let bytes = read_config(&context.config())?;
            let config = parse_bytes(&bytes).map_err(CliError::Config)?;
            config.coordinator.iter().map(|at| at.value).collect()
        }
        named => {
            let read = |text: &String| {
                config::address(text).ok_or_else(|| CliError::Usage(format!("--address {text} is not an IP address")))
            };
            named.iter().map(read).collect::<Result<Vec<_>, _>>()?
        }
    };
    let port = addresses.first().map_or(config::DEFAULT_PORT, SocketAddr::port);
    let any = match addresses.iter().any(SocketAddr::is_ipv6) {
        true => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        false => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let at = |port| SocketAddr::new(args.listen.unwrap_or(any), port);
    Ok(ServeOptions {
        state: StateFolder::new(context.state()),
        agents: at(port),
        enrolment: at(port + 1),
        operators: operators(args, any)?,
        addresses: addresses.iter().map(ToString::to_string).collect(),
        history_bytes: args.history.unwrap_or(HISTORY_BYTES),
    })
}
