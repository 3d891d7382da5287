use std::net::SocketAddr;

/// An empty `[network]`, as a comment.
pub(crate) const NETWORK: &str = "\
    # Your LAN. If you write it, the address of every node must be in subnet.\n\
    # [network]\n\
    # subnet = \"10.10.80.0/24\"\n\
    # gateway = \"10.10.80.1\"\n\
    # dns = [\"10.10.80.1\"]\n";

/// The first lines of a new heeler.toml.
pub(crate) fn head(cluster: &str, addresses: &[SocketAddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(|at| format!("\"{at}\"")).collect();
    let addresses = addresses.join(", ");
    format!(
        "# The configuration of this fleet. heeler plan shows what would change; heeler apply makes the changes.\n\
         \n\
         [cluster]\n\
         name = \"{cluster}\"\n\
         \n\
         # Where the agents reach the coordinator, in the order of preference.\n\
         [coordinator]\n\
         addresses = [{addresses}]\n"
    )
}

/// The heeler.toml of a new cluster, with examples as comments. [`parse`](super::parse) accepts it.
pub fn template(cluster: &str, addresses: &[SocketAddr]) -> String {
    let head = head(cluster, addresses);
    format!(
        "{head}\n\
         {NETWORK}\n\
         # heeler node add NAME writes lines like these:\n\
         # [nodes.pi-1]\n\
         # address = \"10.10.80.50\"\n\
         # disks = [\"S6XNNS0W100001\", \"S6XNNS0W100002\"]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid_with_examples_enabled() {
        let text = template("k8sctl", &["10.10.80.9:7443".parse().unwrap()]);
        assert_eq!(crate::config::parse(&text).unwrap().cluster.value, "k8sctl");
        let all: String = text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|line| line.contains(" = ") || line.starts_with('['))
                    .unwrap_or(line)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        let config = crate::config::parse(&all).unwrap();
        assert_eq!(config.wanted_nodes()[0].disks.len(), 2);
    }
}
