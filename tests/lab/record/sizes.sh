# A mirror of unequal disks; a third one, of 1 GiB, has been put in.
C=$BYID/nvme-QEMU_NVMe_Ctrl_S6XNNS0W100007
blank
udevadm settle
rec $Z zpool-create-n-unequal-sizes create_data -n data mirror $A $C
rec $Z zpool-create-unequal-sizes create_data data mirror $A $C
