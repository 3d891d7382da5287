# Snapshots: made, listed, held, cloned, destroyed; of ours, of others, and of both at once. Then scrubs.
list() { rec $Z zfs-list-snapshots-$1 zfs list -Hp -t snapshot -d 1 -s createtxg -o name,guid,createtxg,creation,used,userrefs,clones data/pve-files data/vm; }
marks() { rec $Z zfs-get-snapshot-marks-$1 zfs get -Hp -t snapshot -d 1 -s local -o name,property,value heeler:class data/pve-files data/vm; }
P=data/pve-files
blank
as_host 0a0a5032
create_data data mirror $A $B
zfs create -o mountpoint=/data/pve-files $P
zfs create -o mountpoint=none data/vm
list none
marks none
rec $Z zfs-list-snapshots-no-dataset zfs list -Hp -t snapshot -d 1 -s createtxg -o name,guid,createtxg,creation,used,userrefs,clones data/pve-files data/gone
rec $Z zfs-get-snapshot-marks-no-dataset zfs get -Hp -t snapshot -d 1 -s local -o name,property,value heeler:class data/gone
echo one >/data/pve-files/one
rec $Z zfs-snapshot-ok zfs snapshot -o heeler:class=hourly,daily $P@heeler_20261122T000000Z_daily data/vm@heeler_20261122T000000Z_daily
rec $Z zfs-snapshot-again zfs snapshot -o heeler:class=hourly,daily $P@heeler_20261122T000000Z_daily data/vm@heeler_20261122T000000Z_daily
rec $Z zfs-snapshot-one-is-there zfs snapshot -o heeler:class=hourly $P@heeler_20261122T000000Z_daily data/vm@heeler_20261122T010000Z_hourly
rec $Z zfs-snapshot-no-dataset zfs snapshot -o heeler:class=hourly data/gone@heeler_20261122T010000Z_hourly
rec $Z zfs-snapshot-one-dataset-is-gone zfs snapshot -o heeler:class=hourly $P@heeler_20261122T003000Z_hourly data/gone@heeler_20261122T003000Z_hourly
rec $Z zfs-snapshot-no-pool zfs snapshot -o heeler:class=hourly nopool/x@heeler_20261122T010000Z_hourly
echo two >/data/pve-files/two; rm /data/pve-files/one; mkdir /data/pve-files/folder; echo 'a b' >"/data/pve-files/a b"
for hour in 01 02 03 04 05; do zfs snapshot -o heeler:class=hourly $P@heeler_20261122T${hour}0000Z_hourly data/vm@heeler_20261122T${hour}0000Z_hourly; done
echo three >/data/pve-files/three; mv /data/pve-files/two /data/pve-files/zwei
# Somebody has set our property on the dataset: his own snapshots inherit it, and one looks like ours by its name.
zfs set heeler:class=hourly $P
zfs snapshot $P@by-hand
zfs snapshot $P@heeler_20261122T060000Z_hourly
zfs inherit heeler:class $P
zfs set heeler:class=hourly data
rec $Z zfs-hold-ok zfs hold keep $P@heeler_20261122T010000Z_hourly
rec $Z zfs-hold-again zfs hold keep $P@heeler_20261122T010000Z_hourly
rec $Z zfs-hold-missing zfs hold keep $P@nosuch
rec $Z zfs-holds zfs holds -Hp $P@heeler_20261122T010000Z_hourly $P@heeler_20261122T020000Z_hourly
zfs clone -o mountpoint=none $P@heeler_20261122T020000Z_hourly data/clone
list many
marks many
rec $Z zfs-get-all-marks zfs get -Hp -t snapshot -d 1 -o name,property,value,source heeler:class data/pve-files
rec $Z zfs-destroy-dry-one zfs destroy -nvp $P@heeler_20261122T030000Z_hourly
rec $Z zfs-destroy-dry-batch zfs destroy -nvp $P@heeler_20261122T030000Z_hourly,heeler_20261122T040000Z_hourly
rec $Z zfs-destroy-dry-held zfs destroy -nvp $P@heeler_20261122T010000Z_hourly
rec $Z zfs-destroy-dry-cloned zfs destroy -nvp $P@heeler_20261122T020000Z_hourly
rec $Z zfs-destroy-dry-missing zfs destroy -nvp $P@nosuch
rec $Z zfs-destroy-dry-batch-missing zfs destroy -nvp $P@heeler_20261122T030000Z_hourly,nosuch
rec $Z zfs-destroy-dry-batch-held zfs destroy -nvp $P@heeler_20261122T010000Z_hourly,heeler_20261122T030000Z_hourly
rec $Z zfs-destroy-held zfs destroy $P@heeler_20261122T010000Z_hourly
rec $Z zfs-destroy-cloned zfs destroy $P@heeler_20261122T020000Z_hourly
rec $Z zfs-destroy-missing zfs destroy $P@nosuch
rec $Z zfs-destroy-batch-held zfs destroy $P@heeler_20261122T010000Z_hourly,heeler_20261122T030000Z_hourly
list after-batch-held
rec $Z zfs-destroy-batch-cloned zfs destroy $P@heeler_20261122T020000Z_hourly,heeler_20261122T030000Z_hourly
list after-batch-cloned
rec $Z zfs-destroy-ok zfs destroy $P@heeler_20261122T040000Z_hourly
rec $Z zfs-release-ok zfs release keep $P@heeler_20261122T010000Z_hourly
rec $Z zfs-release-again zfs release keep $P@heeler_20261122T010000Z_hourly
rec $Z zfs-diff-two zfs diff -FHt $P@heeler_20261122T000000Z_daily $P@heeler_20261122T050000Z_hourly
rec $Z zfs-diff-now zfs diff -FHt $P@heeler_20261122T050000Z_hourly $P
rec $Z zfs-diff-nothing zfs diff -FHt $P@heeler_20261122T010000Z_hourly $P@heeler_20261122T050000Z_hourly
rec $Z zfs-diff-missing zfs diff -FHt $P@nosuch $P
rec $Z zfs-diff-unmounted zfs diff -FHt data/vm@heeler_20261122T010000Z_hourly data/vm
rec $Z zfs-diff-backwards zfs diff -FHt $P@heeler_20261122T050000Z_hourly $P@heeler_20261122T000000Z_daily
rec $Z zpool-list-health zpool list -Hp -o name,health,capacity
rec systemd-257 zfs-scrub-timers systemctl list-unit-files --no-legend 'zfs-scrub-*'
rec debian-13 cron-zfsutils cat /etc/cron.d/zfsutils-linux
rec systemd-257 timedatectl-show timedatectl show
rec $Z zpool-scrub-ok zpool scrub data
zpool wait -t scrub data
zfs destroy data/clone
zpool offline data $B
rec $Z zpool-scrub-degraded zpool scrub data
zpool wait -t scrub data
zpool online data $B
rec $Z zpool-scrub-while-resilvering zpool scrub data
zpool wait -t resilver data
rec $Z zpool-scrub-no-pool zpool scrub nopool
zpool destroy data
# A pool without room, and one that is read-only.
truncate -s 64M /root/small
zpool create -o cachefile=none -O mountpoint=none small /root/small
zfs create -o mountpoint=/small small/x
dd if=/dev/urandom of=/small/fill bs=64k status=none 2>/dev/null
zpool sync small
rec $Z zfs-snapshot-full zfs snapshot -o heeler:class=hourly small/x@heeler_20261122T010000Z_hourly
i=0; while zfs snapshot small/x@s$i 2>/dev/null && [ $i -lt 300 ]; do zfs set user:filler=$(head -c 4000 /dev/zero | tr '\0' x) small/x@s$i 2>/dev/null; i=$((i+1)); done
rec $Z zfs-snapshot-no-room zfs snapshot -o heeler:class=hourly small/x@heeler_20261122T020000Z_hourly
echo "filled after $i"
zpool export small
zpool import -d /root -o readonly=on -o cachefile=none small
rec $Z zfs-snapshot-read-only zfs snapshot -o heeler:class=hourly small/x@heeler_20261122T030000Z_hourly
rec $Z zfs-destroy-read-only zfs destroy small/x@s0
zpool export small
rm /root/small
blank
