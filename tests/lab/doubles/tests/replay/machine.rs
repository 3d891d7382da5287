//! Folders that stand for machines: doubles by their names, and small stand-ins for what is around them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The doubles, by the names of their programs.
const DOUBLES: [&str; 13] = [
    "corosync",
    "corosync-cfgtool",
    "corosync-cmapctl",
    "corosync-quorumtool",
    "ha-manager",
    "pmxcfs",
    "pvecm",
    "pvenode",
    "pvesh",
    "pvesm",
    "pveum",
    "pveversion",
    "qm",
];
/// What a recorded command names and the machine has below its folder.
const PATHS: [&str; 8] = [
    "/etc/corosync",
    "/etc/hosts",
    "/etc/pve",
    "/etc/ssh",
    "/root/.ssh",
    "/tmp/h",
    "/var/lib/corosync",
    "/var/log/pve",
];

/// Several machines side by side; each is there from its first command on.
pub struct Lab {
    folder: TempDir,
}

pub struct Answer {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Lab {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A node on which nothing was done yet, or as it was left.
    fn node(&self, name: &str) -> PathBuf {
        let root = self.folder.path().join(name);
        if root.exists() {
            return root;
        }
        let folders = [
            "bin",
            "etc/corosync/uidgid.d",
            "etc/doubles",
            "etc/ssh",
            "root/.ssh",
            "srv",
            "sys/class/net/vmbr0",
            "tmp",
            "var/lib/vz/template/iso",
        ];
        for folder in folders {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for double in DOUBLES {
            symlink(env!("CARGO_BIN_EXE_heeler-doubles"), root.join("bin").join(double)).unwrap();
        }
        let hosts: String = (1..=4).map(|n| format!("10.99.0.{n} pve{n}\n")).collect();
        fs::write(root.join("etc/hosts"), hosts).unwrap();
        fs::write(root.join("etc/hostname"), format!("{name}\n")).unwrap();
        let number = name.trim_start_matches("pve");
        let write = |file: &str, text: String| fs::write(root.join(file), text).unwrap();
        write("etc/addresses", format!("10.99.0.{number}\n10.99.1.{number}\n"));
        write("etc/doubles/network", self.folder.path().display().to_string());
        write("etc/doubles/architecture", "x86_64\n".to_owned());
        write("etc/timezone", "Etc/UTC\n".to_owned());
        let image = fs::File::create(root.join("var/lib/vz/template/iso/talos.iso")).unwrap();
        image.set_len(8 << 20).unwrap();
        write("etc/ssh/sshd_config", "#PermitRootLogin prohibit-password\n".to_owned());
        write("root/.ssh/id_rsa", "a double needs no key\n".to_owned());
        write(
            "root/.ssh/id_rsa.pub",
            format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAACAQC63rBCCMYKot6EOovHMyUP{name} root@{name}\n"),
        );
        self.prepare(name, "pmxcfs; pvecm updatecerts --silent");
        root
    }

    /// Brings about a state that no recorded command brings about.
    pub fn prepare(&self, node: &str, script: &str) {
        let answer = self.run(node, script);
        assert_eq!(answer.exit, 0, "{node}: {script}: {}", answer.stderr);
    }

    /// Runs a command of a recording.
    #[expect(clippy::disallowed_methods, reason = "the doubles are programs")]
    pub fn run(&self, node: &str, command: &str) -> Answer {
        let root = self.node(node);
        let root = root.to_str().unwrap();
        let mut command = command.replace("/usr/bin/pmxcfs", "pmxcfs");
        for (list, path) in [("ls ", "/var/lib/vz"), ("ls -la ", "/var/lib/vz"), ("ls -la ", "/srv/")] {
            command = command.replace(&format!("{list}{path}"), &format!("{list}{root}{path}"));
        }
        for path in PATHS {
            command = command.replace(path, &format!("{root}{path}"));
        }
        let around = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/around");
        let path = format!("{root}/bin:{}:{}", around.display(), std::env::var("PATH").unwrap());
        let run = Command::new("bash")
            .args(["-c", &command])
            .env_clear()
            .envs([
                ("PATH", path.as_str()),
                ("HEELER_DOUBLES_ROOT", root),
                ("LC_ALL", "C.UTF-8"),
            ])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            (1..=4).fold(text, |text, n| {
                text.replace(&format!("{}/pve{n}", self.folder.path().display()), "")
            })
        };
        let (stdout, stderr) = (text(&run.stdout), text(&run.stderr));
        Answer {
            exit: run.status.code().unwrap_or(-1),
            stdout,
            stderr,
        }
    }
}
