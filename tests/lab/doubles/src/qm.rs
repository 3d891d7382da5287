//! The double of `qm`: virtual machines. It starts nothing: a machine that runs is a file in `/run/qemu-server`.

pub mod conf;
pub mod create;
pub mod disks;
pub mod drive;
pub mod power;
pub mod set;
pub mod show;
pub mod state;

use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::commands::{Found, Program};
use crate::task;

const PROGRAM: Program = Program {
    name: "qm",
    usage: include_str!("../usage/qm.txt"),
    aliases: &[
        ("agent", "guest cmd"),
        ("importdisk", "disk import"),
        ("move-disk", "disk move"),
        ("move_disk", "disk move"),
        ("rescan", "disk rescan"),
        ("resize", "disk resize"),
        ("unlink", "disk unlink"),
    ],
    options,
};

/// Settings of a guest.
pub const SETTINGS: &str = "acpi affinity agent arch args audio0 autostart balloon bios boot bootdisk cdrom cicustom \
    cipassword citype ciupgrade ciuser cores cpu cpulimit cpuunits description efidisk0 freeze hookscript hostpci0 \
    hostpci1 hotplug hugepages ide0 ide1 ide2 ide3 ipconfig0 ipconfig1 keyboard kvm localtime lock machine memory name \
    nameserver net0 net1 net2 net3 numa numa0 onboot ostype parallel0 protection reboot rng0 sata0 sata1 sata2 sata3 \
    sata4 sata5 scsi0 scsi1 scsi2 scsi3 scsi4 scsi5 scsi6 scsi7 scsi8 scsi9 scsi10 scsi11 scsi12 scsi13 scsihw \
    searchdomain serial0 serial1 shares smbios1 sockets spice_enhancements sshkeys startdate startup tablet tags tdf \
    template tpmstate0 unused0 unused1 unused2 unused3 usb0 usb1 vcpus vga virtio0 virtio1 virtio2 virtio3 virtio4 \
    virtio5 vmgenid vmstatestorage watchdog pool start force delete digest revert skiplock storage unique archive";

fn options(command: &str) -> &'static str {
    match command {
        "create" | "set" => SETTINGS,
        "destroy" => "purge destroy-unreferenced-disks skiplock",
        "config" => "current snapshot",
        "list" => "full",
        "status" => "verbose",
        "showcmd" => "pretty snapshot",
        "start" => "timeout skiplock machine stateuri targetstorage force-cpu",
        "stop" | "shutdown" | "reboot" | "reset" | "suspend" | "resume" => {
            "timeout forceStop keepActive skiplock overrule-shutdown todisk nocheck"
        }
        "disk import" => "format target-disk",
        "disk unlink" => "force idlist",
        "disk resize" => "digest skiplock",
        "guest exec" => "synchronous timeout pass-stdin",
        _ => "",
    }
}

pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    // What follows -- is for the guest.
    let own = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let found = PROGRAM.find(words.get(..own).unwrap_or(words)).map_err(wrong_usage)?;
    let arguments = &found.arguments;
    let id = arguments.get("vmid").unwrap_or_default().to_owned();
    let id = id.as_str();
    match found.command.as_str() {
        "list" => show::list(call),
        "create" => {
            check(&found)?;
            create::create(call, id, &found.arguments)?.or_fail()
        }
        "set" => {
            check(&found)?;
            set::set(call, id, arguments)
        }
        "config" => show::config(call, id),
        "pending" => show::pending(call, id),
        "status" => show::status(call, id, arguments.is_set("verbose")),
        "showcmd" => power::showcmd(call, id),
        "destroy" => create::destroy(call, id, arguments.is_set("purge"))?.or_fail(),
        "unlock" => set::unlock(call, id),
        "start" | "stop" | "shutdown" | "reboot" | "reset" | "suspend" | "resume" => {
            power::run(call, &found.command, id).or_fail()
        }
        "guest cmd" | "guest exec" => power::ask_guest(call, id),
        "disk import" => disks::import(call, id, found.required("source")?, found.required("storage")?),
        "disk unlink" => set::unlink(call, id, arguments),
        "disk resize" => {
            let (disk, size) = (found.required("disk")?.to_owned(), found.required("size")?.to_owned());
            task::run(call, "resize", id, |call| disks::resize(call, id, &disk, &size));
            Ok(())
        }
        other => Err(Fault::died(format!("double of qm {other}: not built yet"))),
    }
}

/// `qm` ends with 2 where the others end with 255, but not for an unknown command.
fn wrong_usage(fault: Fault) -> Fault {
    let code = if fault.text.starts_with("ERROR: ") { 255 } else { 2 };
    Fault::new(code, fault.text)
}

fn check(found: &Found) -> Result<(), Fault> {
    let problems = problems(&found.arguments);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(wrong_usage(found.refuse(&problems)))
    }
}

/// What is wrong with a guest's number and settings.
pub fn problems(arguments: &Arguments) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let wrong = |name: &str, fits: &dyn Fn(&str) -> bool| arguments.get(name).is_some_and(|value| !fits(value));
    if wrong("arch", &|arch| matches!(arch, "x86_64" | "aarch64")) {
        let arch = arguments.get("arch").unwrap_or_default();
        all.push((
            "arch",
            format!("value '{arch}' does not have a value in the enumeration 'x86_64, aarch64'"),
        ));
    }
    if wrong("memory", &|memory| {
        memory.parse::<u64>().is_ok_and(|memory| memory >= 16)
    }) {
        let least = "memory.current: value must have a minimum value of 16\n";
        all.push(("memory", format!("invalid format - format error\n{least}")));
    }
    if wrong("vmid", &|id| {
        id.parse::<u64>().is_ok_and(|id| (100..1_000_000_000).contains(&id))
    }) {
        all.push((
            "vmid",
            "invalid format - value does not look like a valid VM ID\n".to_owned(),
        ));
    }
    all
}
