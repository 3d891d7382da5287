# A pool in use by another host when the power went: written without an export, met by a host of another id.
blank
as_host 0a0a5099
hostname k8sctl-elsewhere
zpool create -o cachefile=none -O mountpoint=none data mirror $A $B
zpool sync
hostname k8sctl-pi5l
as_host 0a0a5032
sync
echo b >/proc/sysrq-trigger
sleep 5
