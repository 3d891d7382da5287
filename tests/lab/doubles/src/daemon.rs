//! The daemons: `pvestatd` keeps what pmxcfs shows up to date, `pvedaemon` and `pveproxy` only have their ports open.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::call::{Call, Fault};
use crate::corosync::members;
use crate::pmxcfs;
use crate::switches::pause;

/// Runs until it is ended, or fails because its port is taken.
pub fn run(call: &Call, name: &str) -> Result<(), Fault> {
    let address = match name {
        "pvedaemon" => "127.0.0.1:85",
        "pveproxy" => "[::]:8006",
        _ => loop {
            members::refresh(call);
            pmxcfs::follow_quorum(call);
            pause(2);
        },
    };
    let listener = TcpListener::bind(address).map_err(|e| match e.kind() {
        ErrorKind::AddrInUse => Fault::new(
            98,
            format!("unable to create socket - {address}: Address already in use"),
        ),
        _ => Fault::died(format!("unable to create socket - {address}: {e}")),
    })?;
    serve(&listener)
}

/// Takes each connection, and says nothing.
fn serve(listener: &TcpListener) -> Result<(), Fault> {
    for connection in listener.incoming() {
        connection.map_err(|e| Fault::died(format!("accept failed - {e}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpStream;

    #[test]
    fn a_connection_is_taken_and_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || serve(&listener));
        let mut stream = TcpStream::connect(address).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}
