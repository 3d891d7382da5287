# Pools: made, seen from every side, exported, broken, destroyed.
listings() {
	local state=$1
	rec $Z zpool-status-$state zpool status -j --json-int -p -P
	rec $Z zpool-list-$state zpool list -Hp -o name,guid,size,allocated,free,fragmentation,capacity,dedupratio,health,altroot
	rec $Z zpool-get-all-$state zpool get -j --json-int -p all data
	rec $Z zfs-list-$state zfs list -j --json-int -p -t filesystem,volume -o name,mountpoint,mounted,canmount,used,referenced,available,creation
}
blank
as_host 0a0a5032
listings no-pool
rec $Z zfs-list-text-no-pool zfs list
rec $Z zpool-status-missing-pool zpool status -j --json-int -p -P data
rec $Z zpool-import-guid-no-pool zpool import -N -d $BYID -o cachefile=/etc/zfs/zpool.cache 1234567890123456789
rec $Z zpool-import-name-no-pool zpool import -N -d $BYID data

rec $Z zpool-create-ok create_data data mirror $A $B
rec $Z zfs-create-ok zfs create -o mountpoint=/data/pve-files data/pve-files
rec $Z zfs-create-again zfs create -o mountpoint=/data/pve-files data/pve-files
zfs create -o mountpoint=none data/vm
zfs create -s -V 64M data/vm/disk-0
rec $Z zfs-create-no-parent zfs create data/no/child
listings mirror
rec $Z zfs-get-all-mirror zfs get -j --json-int -p all data/pve-files
rec $Z zfs-get-mirror zfs get -j --json-int -p -r mountpoint,mounted,canmount,compression,atime,xattr,acltype,dnodesize,sync data
rec $Z zfs-version zfs version -j
rec $Z zpool-get-guid zpool get -Hp -o value guid data
rec $Z zpool-events zpool events -H
rec $U findmnt-zfs findmnt -J -t zfs -T /data/pve-files
rec $U findmnt-active findmnt -J -v -o SOURCE,TARGET,FSTYPE
probe active $A
rec $Z zpool-create-active create_data data mirror $A $B
rec $Z zpool-create-other-name-active create_data other mirror $A $B
clear_label active $A
rec $Z zpool-import-name-active zpool import -d $BYID data
guid=$(zpool get -Hp -o value guid data)
rec $Z zpool-import-guid-active zpool import -N -d $BYID -o cachefile=/etc/zfs/zpool.cache $guid

dd if=/dev/urandom of=/data/pve-files/blob bs=1M count=200 status=none
zpool sync data
zpool scrub data
rec $Z zpool-status-scrubbing zpool status -j --json-int -p -P
rec $Z zpool-scrub-twice zpool scrub data
zpool wait -t scrub data
rec $Z zpool-status-scrubbed zpool status -j --json-int -p -P
sum=$(sha256sum </data/pve-files/blob)
(cd /data/pve-files && rec $Z zpool-export-busy zpool export data)

rec $Z zpool-export-ok zpool export data
probe exported $A
rec $Z zpool-create-exported create_data data mirror $A $B
rec $Z zpool-create-over-exported create_data fresh mirror $A $B
clear_label exported $A
rec $Z zpool-import-wrong-guid zpool import -N -d $BYID -o cachefile=/etc/zfs/zpool.cache 1234567890123456789
rec $Z zpool-import-wrong-name zpool import -N -d $BYID nosuch
as_host 0a0a5099
rec $Z zpool-import-exported-by-other-host zpool import -d $BYID
as_host 0a0a5032

# One leg away, as when its slot died.
remove_disk() { echo 1 >/sys/block/$(basename $(readlink -f $1))/device/device/remove; udevadm settle; }
rescan() { echo 1 >/sys/bus/pci/rescan; udevadm settle; for i in 1 2 3 4 5 6 7 8 9 10; do [ -b $B-part1 ] && break; sleep 0.5; done; udevadm settle; }
remove_disk $B
probe leg-missing $A
rec $Z zpool-import-guid-leg-missing zpool import -N -d $BYID -o cachefile=/etc/zfs/zpool.cache $guid
listings leg-missing
rec $Z zfs-mount-all zfs mount -a
[ "$(sha256sum </data/pve-files/blob)" = "$sum" ] || echo 'THE BLOB CHANGED'
dd if=/dev/urandom of=/data/pve-files/more bs=1M count=20 status=none
zpool sync data
rescan
probe stale-leg $B
rec $Z zpool-status-leg-returned zpool status -j --json-int -p -P
rec $Z zpool-online zpool online data $B
rec $Z zpool-status-resilver zpool status -j --json-int -p -P
zpool wait -t resilver data
rec $Z zpool-status-resilvered zpool status -j --json-int -p -P
zpool offline data $B
listings leg-offline
zpool online data $B
zpool wait -t resilver data

# Rubbish on one leg, found by a scrub.
dd if=/dev/urandom of=$B-part1 bs=1M seek=20 count=150 status=none conv=fsync
zpool scrub -w data
listings checksum-errors
zpool clear data
zpool scrub -w data
zpool clear data

# A leg wiped while the pool was away.
zpool export data
wipefs -qaf $B-part1 $B; blkdiscard -fq $B; reread $B
probe leg-wiped $A
rec $Z zpool-import-guid-leg-wiped zpool import -N -d $BYID -o cachefile=/etc/zfs/zpool.cache $guid
listings leg-wiped
rec $Z zpool-destroy zpool destroy data
rec $Z zpool-import-destroyed-list zpool import -D -d $BYID
blank

create_data data mirror $A $B
zpool destroy data
probe destroyed $A
rec $Z zpool-import-guid-destroyed zpool import -N -d $BYID $(zdb -l $A-part1 | awk '$1 == "pool_guid:" { print $2; exit }')
clear_label destroyed $A
probe destroyed-and-cleared $A
blank
