# What a disk may hold that is no pool of ours.
blank
probe blank $A
clear_label blank $A
rec $Z zpool-create-missing-disk create_data -n data mirror $A $BYID/nvme-QEMU_NVMe_Ctrl_NOTTHERE

mkfs.ext4 -q -F $A
probe ext4 $A
rec $Z zpool-create-ext4 create_data data mirror $A $B
clear_label ext4 $A
mount $A /mnt
probe ext4-mounted $A
rec $Z zpool-create-ext4-mounted create_data data mirror $A $B
rec $U findmnt-ext4-mounted findmnt -J -v -o SOURCE,TARGET,FSTYPE
umount /mnt
letter=$(mktemp)
echo 'a person wrote this' >"$letter"
debugfs -w -R "write $letter letter" $A 2>/dev/null
dd if=/dev/zero of=$A bs=1M count=8 status=none conv=fsync
dd if=/dev/zero of=$A bs=1M seek=2040 count=8 status=none conv=fsync
probe headers-wiped $A

blank
sfdisk -q $A <<<'label: gpt'
probe gpt-empty $A
clear_label gpt-empty $A
sfdisk -q $A <<<$'label: gpt\n,,L'
probe gpt-one-partition $A
mkfs.ext4 -q -F $A-part1
probe gpt-ext4 $A
rec $Z zpool-create-gpt-ext4 create_data data mirror $A $B

blank
sfdisk -q $A <<<$'label: dos\n,,c'
probe mbr-one-partition $A

blank
pvcreate -q $A
probe lvm-pv $A
rec $Z zpool-create-lvm-pv create_data data mirror $A $B
vgcreate -q vg0 $A
lvcreate -q -L 64M -n lv0 vg0
probe lvm-active $A
rec $Z zpool-create-lvm-active create_data data mirror $A $B
rec $Z zpool-labelclear-lvm-active zpool labelclear $A
vgremove -q -f vg0
pvremove -q $A

blank
mkswap -q $A
probe swap $A

blank
dd if=/dev/urandom of=$A bs=1M count=1 status=none conv=fsync
probe random-front $A
blank
dd if=/dev/urandom of=$A bs=1M seek=1000 count=1 status=none conv=fsync
probe random-middle $A
blank
