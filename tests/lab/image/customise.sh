#!/bin/sh
# Runs inside the new root, after its packages are installed and the tree is laid over it.
set -e
dpkg --add-architecture armhf
ln -sf /dev/null /etc/systemd/network/99-default.link
ln -sf /dev/null /etc/systemd/network/73-usb-net-by-mac.link
rm -f /etc/apt/sources.list /etc/ssh/ssh_host_* /etc/hostname /etc/hostid /etc/machine-id /var/lib/dbus/machine-id
: > /etc/machine-id
# Debian brings it at this priority, Raspberry Pi OS does not: there NetworkManager has the links.
dpkg --purge ifupdown
rm -rf /etc/network/interfaces /etc/network/interfaces.d
passwd --lock root
# They would compete with the tests for two emulated cores, and find no network.
systemctl mask apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer fstrim.timer
systemctl enable ssh NetworkManager avahi-daemon
# Unpacking modules is a tenth of an emulated boot.
cd /lib/modules/*
find updates kernel -name '*.ko.xz' ! -path '*/drivers/gpu/*' ! -path '*/drivers/media/*' ! -path '*/drivers/infiniband/*' \
	! -path '*/drivers/net/ethernet/*' ! -path '*/drivers/net/wireless/*' ! -path '*/drivers/iio/*' ! -path '*/sound/*' -exec unxz {} +
depmod "$(basename "$PWD")"
cd /
update-initramfs -u -k all
