# Pools that must not be imported by guess, and never recreated.
blank
as_host 0a0a5032
zpool create -o cachefile=none -O mountpoint=none data $A
one=$(zpool get -Hp -o value guid data)
zpool export data
zpool create -o cachefile=none -O mountpoint=none data $B
other=$(zpool get -Hp -o value guid data)
zpool export data
probe two-of-one-name $A
rec $Z zpool-import-name-two-of-one-name zpool import -d $BYID data
rec $Z zpool-import-guid-two-of-one-name zpool import -N -d $BYID -o cachefile=none $one
rec $Z zpool-import-guid-name-taken zpool import -N -d $BYID -o cachefile=none $other
rec $Z zpool-create-name-taken zpool create -n data $B
rec $Z zpool-status-single zpool status -j --json-int -p -P
zpool export data
blank

# A stripe that lost a leg.
zpool create -o cachefile=none -O mountpoint=none data $A $B
guid=$(zpool get -Hp -o value guid data)
zpool export data
wipefs -qaf $B-part1 $B; blkdiscard -fq $B; reread $B; udevadm settle
rec $Z zpool-import-list-stripe-broken zpool import -d $BYID
rec $Z zpool-import-guid-stripe-broken zpool import -N -d $BYID -o cachefile=none $guid
blank

# A feature of a later ZFS in use.
zpool create -o cachefile=none -O mountpoint=none data mirror $A $B
guid=$(zpool get -Hp -o value guid data)
zpool export data
zhack -d $BYID feature enable -d 'of a later release' data com.example:later
zhack -d $BYID feature ref data com.example:later
rec $Z zpool-import-list-unsupported-feature zpool import -d $BYID
rec $Z zpool-import-guid-unsupported-feature zpool import -N -d $BYID -o cachefile=none $guid
blank

# Metadata gone on both legs: ZFS's own advice is to destroy and recreate.
zpool create -o cachefile=none -O mountpoint=none data mirror $A $B
guid=$(zpool get -Hp -o value guid data)
zpool export data
for disk in $A $B; do dd if=/dev/urandom of=$disk-part1 bs=1M seek=4 count=300 status=none conv=fsync; done
udevadm settle
rec $Z zpool-import-list-corrupt zpool import -d $BYID
rec $Z zpool-import-guid-corrupt zpool import -N -d $BYID -o cachefile=none $guid
blank

# No module, and none to be had: the tools would load one that is only not there yet.
echo 'install zfs /bin/false' >/etc/modprobe.d/none.conf
if systemctl stop zfs-zed && modprobe -r zfs; then
	for verb in list status import; do rec $Z zpool-$verb-no-module zpool $verb; done
	rec $Z zpool-status-json-no-module zpool status -j --json-int -p -P
	rec $Z zpool-create-no-module zpool create -n data mirror $A $B
	rec $Z zpool-import-guid-no-module zpool import -N -d $BYID $guid
	rec $Z zfs-list-no-module zfs list -j
	rec $Z zfs-version-no-module zfs version -j
	rec $Z zdb-label-no-module zdb -l $A
	rm /etc/modprobe.d/none.conf
	rec debian-13 modprobe-ok modprobe zfs
fi
systemctl start zfs-zed
zpool create -n data $A >/dev/null
create_data data mirror $A $B
rec debian-13 modprobe-remove-busy modprobe -r zfs
zpool destroy data
blank
rec debian-13 hostid-set-again zgenhostid 0a0a5032
