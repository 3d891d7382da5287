# Runs on a node as root, before each of the other scripts: `rec DIRECTORY NAME COMMAND…` keeps what a command leaves behind.
set -u
export LC_ALL=C.UTF-8 LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /
OUT=/root/fixtures
Z=zfs-$(dpkg-query -W -f '${Version}' zfsutils-linux | cut -d- -f1)
U=util-linux-$(dpkg-query -W -f '${Version}' util-linux | cut -d- -f1)
BYID=/dev/disk/by-id
A=$BYID/nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001
B=$BYID/nvme-QEMU_NVMe_Ctrl_S6XNNS0W100002

rec() {
	local dir=$OUT/$1 name=$2
	shift 2
	mkdir -p "$dir"
	"$@" >"$dir/$name.stdout" 2>"$dir/$name.stderr" </dev/null
	local rc=$?
	echo $rc >"$dir/$name.rc"
	echo "$name: $rc"
}

# What the agent would look at before it believes that a disk is free.
probe() {
	local state=$1 disk=$2
	udevadm settle
	rec $U lsblk-$state lsblk --json -b -p -o NAME,KNAME,PATH,TYPE,SIZE,RO,ROTA,TRAN,MODEL,SERIAL,WWN,PTTYPE,PARTTYPE,FSTYPE,LABEL,UUID,MOUNTPOINTS,PKNAME
	rec $U wipefs-$state wipefs --no-act --json "$disk"
	rec $U blkid-$state blkid -p -o export "$disk"
	rec $U sfdisk-dump-$state sfdisk --dump "$disk"
	rec $Z zdb-label-$state zdb -l "$disk"
	if [ -b "$disk-part1" ]; then
		rec $U wipefs-$state-part1 wipefs --no-act --json "$disk-part1"
		rec $U blkid-$state-part1 blkid -p -o export "$disk-part1"
		rec $Z zdb-label-$state-part1 zdb -l "$disk-part1"
	fi
	rec $Z zpool-import-list-$state zpool import -d $BYID
	rec $Z zpool-create-n-$state create_data -n data mirror $A $B
}

clear_label() {
	local state=$1 disk=$2
	[ -b "$disk-part1" ] && rec $Z zpool-labelclear-$state-part1 zpool labelclear "$disk-part1"
	rec $Z zpool-labelclear-$state zpool labelclear "$disk"
}

# udev may still be looking at a partition.
reread() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		udevadm settle
		blockdev --rereadpt "$1" 2>/dev/null && return
		sleep 1
	done
	echo "the kernel keeps the partitions of $1"
}

# Both disks read as zeros afterwards.
blank() {
	umount /mnt 2>/dev/null
	# zed has been seen to keep a disk open after its label went: nothing could be labelled then.
	systemctl restart zfs-zed
	rm -rf /data
	for disk in $A $B; do
		wipefs -qaf "$disk" "$disk"-part* 2>/dev/null
		blkdiscard -fq "$disk"
		reread "$disk"
	done
	udevadm settle
}

create_data() {
	zpool create -o ashift=12 -o autotrim=on -o cachefile=/etc/zfs/zpool.cache -o comment=k8sctl/k8sctl-pi5l \
		-O compression=lz4 -O atime=off -O xattr=sa -O acltype=posixacl -O dnodesize=auto -O mountpoint=none -O canmount=off \
		"$@"
}

# Reads as another node wrote it: the host id decides.
as_host() {
	rm -f /etc/hostid
	zgenhostid "$1"
}
