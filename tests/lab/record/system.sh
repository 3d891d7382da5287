# The machine itself.
S=systemd-$(dpkg-query -W -f '${Version}' systemd | cut -d. -f1)
I=iproute2-$(dpkg-query -W -f '${Version}' iproute2 | cut -d- -f1)
C=cloud-init-$(dpkg-query -W -f '${Version}' cloud-init | cut -d- -f1)
D=debian-$(cat /etc/debian_version | cut -d. -f1)
rec $S is-system-running systemctl is-system-running
rec $S timedatectl-show timedatectl show
rec $S list-unit-files-zfs systemctl list-unit-files --no-legend 'zfs*'
rec $C status cloud-init status --format json
rec $I addr ip -j addr
rec $I route ip -j route
rec $I link-details ip -j -d link
rec $D os-release cat /etc/os-release
rec $D by-id ls -l $BYID
rec $D by-path ls -l /dev/disk/by-path
rec $D uname uname -a
rec $D getconf-pagesize getconf PAGESIZE
rec $D dpkg-query dpkg-query -W -f '${Package}\t${Version}\t${db:Status-Abbrev}\n' zfsutils-linux zfs-dkms zfs-zed linux-image-amd64 network-manager
rec $D proc-mounts cat /proc/mounts
rec $D proc-swaps cat /proc/swaps
rec $D cmdline cat /proc/cmdline
rec $D arcstats cat /proc/spl/kstat/zfs/arcstats
rec $D udevadm-info-nvme udevadm info $A
rec $D sys-class-net sh -c 'for n in /sys/class/net/*; do echo "$(basename $n) $(cat $n/address) $(cat $n/addr_assign_type) $(cat $n/carrier 2>/dev/null) $(readlink -f $n/device/driver) $(readlink -f $n/device)"; done'
rec $D sys-block sh -c 'for b in /sys/block/*; do echo "$(basename $b) $(readlink -f $b/device/device) $(ls $b/holders | paste -sd,)"; done'
rec $U findmnt findmnt -J -v -o SOURCE,TARGET,FSTYPE
rec $U findmnt-root findmnt -J -b -o TARGET,SOURCE,SIZE,AVAIL /
rec $U lsblk-all lsblk --json -b -p -o NAME,KNAME,PATH,TYPE,SIZE,RO,ROTA,TRAN,MODEL,SERIAL,WWN,PTTYPE,PARTTYPE,FSTYPE,LABEL,UUID,MOUNTPOINTS,PKNAME
rec $Z version zfs version -j
