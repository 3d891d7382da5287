use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy in front of a coordinator. It cuts the first connections after a number of bytes from the node.
pub struct Cut {
    cuts: watch::Receiver<usize>,
}

impl Cut {
    /// Listens at `at` for a coordinator at `to`. Connection `n` is cut after `after[n]` bytes; later ones are not
    /// cut.
    pub async fn new(at: SocketAddr, to: SocketAddr, after: Vec<u64>) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let (count, cuts) = watch::channel(0);
        tokio::spawn(async move {
            for budget in after {
                let (node, _) = listener.accept().await.unwrap();
                between(node, to, budget).await;
                count.send_modify(|cuts| *cuts += 1);
            }
            while let Ok((node, _)) = listener.accept().await {
                between(node, to, u64::MAX).await;
            }
        });
        Self { cuts }
    }

    /// Waits until `count` connections were cut.
    pub async fn cuts(&mut self, count: usize) {
        self.cuts.wait_for(|cuts| *cuts >= count).await.unwrap();
    }
}

async fn between(node: TcpStream, to: SocketAddr, budget: u64) {
    let (from_node, mut to_node) = node.into_split();
    let (mut from_fleet, mut to_fleet) = TcpStream::connect(to).await.unwrap().into_split();
    let mut from_node = from_node.take(budget);
    tokio::select! {
        _ = copy(&mut from_node, &mut to_fleet) => {}
        _ = copy(&mut from_fleet, &mut to_node) => {}
    }
}
