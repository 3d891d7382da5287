//! Damaged packages, with the real dpkg and apt.

use anyhow::{Result, ensure};

use super::{Case, Cost, Run, X};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[Case {
    on: X,
    name: "provision-repair: damaged conffiles come back, packages are finished, an edit stays, and a damaged program stops the node",
    cost: Cost::Seconds(300),
    run: Run::Fleet(repair),
}];

/// Two packages in a repository of the node's own, both installed.
const MAKE: &str = r#"set -e; rm -rf /srv/repair; mkdir -p /srv/repair/repo; cd /srv/repair
for name in demo-one demo-two; do
    mkdir -p $name/DEBIAN $name/etc/$name $name/usr/bin
    printf "Package: $name\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.lan>\nDescription: to damage\n" >$name/DEBIAN/control
    printf "/etc/$name/one.conf\n/etc/$name/two.conf\n" >$name/DEBIAN/conffiles
    echo one=1 >$name/etc/$name/one.conf; echo two=2 >$name/etc/$name/two.conf
    cp /usr/bin/true $name/usr/bin/$name
    (cd $name && md5sum usr/bin/$name >DEBIAN/md5sums)
    file=repo/${name}_1.0-1_all.deb
    dpkg-deb --root-owner-group -b $name $file >/dev/null
    { dpkg-deb -f $file; echo "Filename: ./${name}_1.0-1_all.deb"; echo "Size: $(stat -c %s $file)"
      echo "SHA256: $(sha256sum $file | cut -d' ' -f1)"; echo; } >>repo/Packages
done
echo 'deb [trusted=yes] file:/srv/repair/repo ./' >/etc/apt/sources.list.d/repair.list
apt-get update -q -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/repair.list -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
dpkg -i repo/*.deb"#;

/// The lab's image is small because files of its packages are left out. Without this they would count as damaged.
const SMALL: &str = r#"set -e; cd /var/lib/dpkg/info; dpkg --verify | sed -n 's|^[^ ]* *[^c/]* */|/|p' | sed 's|^/||' >/tmp/left-out || true
for sums in *.md5sums; do
    awk 'NR == FNR { gone[$0] = 1; next } !(substr($0, 35) in gone)' /tmp/left-out $sums >/tmp/sums; cat /tmp/sums >$sums
done"#;

/// The bytes of a damaged card image in two conffiles, an edit in another, and a package that is only unpacked.
const DAMAGE: &str = r"set -e; rubbish='\200\212E\335\2361i\0\0\201\2251i\0\0'
[ ! -d /etc/initramfs-tools ] || printf $rubbish >/etc/initramfs-tools/update-initramfs.conf
printf $rubbish >/etc/demo-one/one.conf; echo '# mine' >>/etc/demo-one/two.conf
rm /etc/demo-two/two.conf; dpkg --unpack /srv/repair/repo/demo-two_1.0-1_all.deb; sync";

const REPAIRED: &str = "set -e; [ \"$(cat /etc/demo-one/one.conf)\" = one=1 ]; grep -qx '# mine' /etc/demo-one/two.conf
! [ -e /etc/demo-two/two.conf ]; [ -z \"$(dpkg --audit)\" ]; ! [ -e /var/lib/heeler-agent/repair/conffiles ]
[ ! -d /etc/initramfs-tools ] || grep -qx update_initramfs=yes /etc/initramfs-tools/update-initramfs.conf
grep -q 1i /var/backups/heeler/etc/demo-one/one.conf";

/// Holds dpkg's lock in the background; ends when it is held.
const HOLD: &str = "rm -f /run/repair-held; systemd-run --quiet --unit=repair-holder perl -e 'use Fcntl; \
     open F, \">\", \"/var/lib/dpkg/lock-frontend\"; my $l = pack \"s s x4 q q i x4\", F_WRLCK, 0, 0, 0, 0; \
     fcntl F, F_SETLK, $l or die; open R, \">\", \"/run/repair-held\"; sleep 600'; \
     for _ in $(seq 300); do [ -e /run/repair-held ] && exit; sleep 0.2; done; exit 1";

fn repair(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    let node = fleet.lab().node(X)?;
    node.must(SMALL)?;
    node.must(MAKE)?;
    node.must(DAMAGE)?;
    let section = "[system]\nrepair = true\n\n[cluster]";
    fleet.edit("[cluster]", section)?;

    node.must(HOLD)?;
    let plan = fleet.plan(X)?;
    ensure!(plan.contains("perl (process "), "{plan}");
    node.must("systemctl stop repair-holder.service")?;

    let plan = fleet.plan(X)?;
    ensure!(plan.contains("dpkg --configure -a"), "{plan}");
    fleet.apply(X)?;
    node.must(REPAIRED)?;
    let plan = fleet.plan(X)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");

    // Without a restart the agent would remember that all was in order.
    node.must("set -e; printf '\\0\\0' >>/usr/bin/demo-one; sync; systemctl restart heeler-agent.service")?;
    fleet.wait_connected(X)?;
    let blocked = fleet.run(&["plan", X, "--width", "200"])?.stdout;
    ensure!(
        blocked.contains("files of packages are damaged: /usr/bin/demo-one"),
        "{blocked}"
    );

    fleet.edit(section, "[cluster]")?;
    node.must("dpkg --purge demo-one demo-two; rm -rf /srv/repair /etc/apt/sources.list.d/repair.list")?;
    fleet.apply(X).map(drop)
}
