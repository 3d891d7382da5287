use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands where nodes call their coordinator, and cuts the first connections off after so many bytes from the node.
pub struct Cut {
    cuts: watch::Receiver<usize>,
}

impl Cut {
    /// At `at`, before a coordinator at `to`.
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

    /// Waits until so many connections were cut off.
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
