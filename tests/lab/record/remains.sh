#!/usr/bin/env bash
# Makes what people leave on disks, on sparse images of real size, and records where it is not zero.
#   remains.sh OUT [KIND…]     as root, in an empty folder; needs the programs of each kind, loop devices and python3
# A record is `size BYTES`, then `head N HEX`: at most the first 128 bytes of a run, trailing zeros cut; then `run BLOCK COUNT N`:
# COUNT blocks of 4096 bytes from block number BLOCK on, none of which is all zero, that begin with head N.
set -eu
export LC_ALL=C.UTF-8
OUT=$1; shift
D=$PWD/disk
SIZE=${SIZE:-256060514304}
mkdir -p "$OUT" mnt files
for i in 1 2 3 4 5 6; do seq $((i * 1000)) $((i * 1000 + 60000)) >files/photo$i.jpg; done

fresh() { rm -f "$D"; truncate -s "$SIZE" "$D"; }

# `with FROM_SECTOR SECTORS COMMAND…`: COMMAND with $L, a loop device on that part of the disk.
with() {
	local at=$1 count=$2; shift 2
	L=$(losetup -f --show -o $((at * 512)) ${count:+--sizelimit $((count * 512))} "$D")
	"$@" >>log 2>&1 || { losetup -d "$L"; return 1; }
	sync "$L"; losetup -d "$L"
}
fill() { mount "$@" "$L" mnt; cp -r files mnt/; mkdir mnt/deep; cp files/photo1.jpg mnt/deep; sync; umount mnt; }
SECTORS=$((SIZE / 512))

ext() { mkfs.ext4 -q -F "$@" "$L"; fill; }
ext2() { mkfs.ext2 -q -F "$@" "$L"; fill; }
xfs() { mkfs.xfs -q -f -K "$@" "$L"; fill; }
btrfs_() { mkfs.btrfs -q -f -K "$L"; fill; }
ntfs() { mkfs.ntfs -Q -F -q "$L"; }
fat() { mkfs.vfat -F 32 "$L"; mcopy -i "$L" files/*.jpg ::; }
exfat() { mkfs.exfat "$L"; }
f2fs() { mkfs.f2fs -q -t 0 "$L"; }
jfs() { yes | mkfs.jfs -q "$L"; }
nilfs() { mkfs.nilfs2 -f -K "$L"; }
reiser() { yes | mkreiserfs -f -f -q "$L"; }
udf() { mkudffs --utf8 "$L"; }
luks() { echo pass | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --type "$1" "$L" -; }
lvm() { pvcreate -y -ff -q --devicesfile '' "$L"; }

make() {
	case $1 in
	ext4) with 0 '' ext ;;
	ext4-1k) with 0 '' ext -b 1024 ;;
	ext4-2k) with 0 '' ext -b 2048 ;;
	ext4-sparse2) with 0 '' ext -O sparse_super2 ;;
	ext2) with 0 '' ext2 ;;
	ext3) with 0 '' ext2 -j ;;
	gpt-ext4) sgdisk -n 1:2048:0 "$D"; with 2048 $((SECTORS - 2048 - 34)) ext ;;
	mbr-ext4) echo '2048,,L' | sfdisk -q "$D"; with 2048 $((SECTORS - 2048)) ext ;;
	dos63-ext3) echo '63,,L' | sfdisk -q --force "$D"; with 63 $((SECTORS - 63)) ext2 -j ;;
	pi-os) printf '16384,1048576,c\n1064960,,L\n' | sfdisk -q "$D"
		with 16384 1048576 fat; with 1064960 $((SECTORS - 1064960)) ext ;;
	xfs) with 0 '' xfs ;;
	gpt-xfs) sgdisk -n 1:2048:0 "$D"; with 2048 $((SECTORS - 2048 - 34)) xfs ;;
	btrfs) with 0 '' btrfs_ ;;
	ntfs) with 0 '' ntfs ;;
	gpt-ntfs) sgdisk -n 1:2048:0 -t 1:0700 "$D"; with 2048 $((SECTORS - 4096)) ntfs ;;
	fat32) with 0 '' fat ;;
	exfat) with 0 '' exfat ;;
	f2fs) with 0 '' f2fs ;;
	swap) with 0 '' eval 'mkswap -q $L' ;;
	luks1) with 0 '' luks luks1 ;;
	luks2) with 0 '' luks luks2 ;;
	lvm) with 0 '' lvm ;;
	md090) with 0 $((SECTORS / 128 * 128 - 128)) ext; md $((SECTORS / 128 * 128 - 128)) '\x00\x00\x00\x00\x5a' ;;
	md10) with 0 $(((SECTORS - 16) / 8 * 8)) ext; md $(((SECTORS - 16) / 8 * 8)) '\x01' ;;
	md11) with 264192 $((SECTORS - 264192)) ext; md 0 '\x01' ;;
	md12) with 264192 $((SECTORS - 264192)) ext; md 8 '\x01' ;;
	gpt) sgdisk -n 1:2048:0 "$D" ;;
	jfs) with 0 '' jfs ;;
	nilfs2) with 0 '' nilfs ;;
	reiserfs) with 0 '' reiser ;;
	udf) with 0 '' udf ;;
	iso9660) xorriso -as mkisofs -quiet -J -R -o iso files; dd if=iso of="$D" conv=notrunc bs=1M status=none ;;
	squashfs) mksquashfs files squash -quiet -noappend; dd if=squash of="$D" conv=notrunc bs=1M status=none ;;
	bcache) with 0 '' eval 'make-bcache -C $L' ;;
	bcache-backing) with 0 '' eval 'make-bcache -B $L' ;;
	vmfs) vmfs ;;
	text) for at in 1111111111 77777777777 200000000001; do
		echo 'the only copy of a letter' | dd of="$D" bs=1 seek=$at conv=notrunc status=none; done ;;
	*) return 1 ;;
	esac
}
# Where mdadm puts its superblock (super0.c, super1.c): the kernel of a build machine need not have md.
md() { printf "\\xfc\\x4e\\x2b\\xa9$2" | dd of="$D" bs=1 seek=$(($1 * 512)) conv=notrunc status=none; }
# No mkfs for it: the magic numbers of its volume and file system headers, where VMware puts them.
vmfs() {
	printf '\x0d\xd0\x01\xc0VMFS volume' | dd of="$D" bs=1 seek=$((1 << 20)) conv=notrunc status=none
	printf '\x5e\xf1\xab\x2fVMFS header' | dd of="$D" bs=1 seek=$((18 << 20)) conv=notrunc status=none
	for at in 19 20 27 300 5000 90000; do
		printf 'vmfs resource cluster, descriptor of a virtual disk' |
			dd of="$D" bs=1 seek=$((at << 20)) conv=notrunc status=none
	done
}
KINDS="ext4 ext4-1k ext4-2k ext4-sparse2 ext2 ext3 gpt-ext4 mbr-ext4 dos63-ext3 pi-os xfs gpt-xfs btrfs ntfs gpt-ntfs fat32
	exfat f2fs swap luks1 luks2 lvm md090 md10 md11 md12 gpt jfs nilfs2 reiserfs udf iso9660 squashfs bcache bcache-backing
	vmfs text"
for kind in ${*:-$KINDS}; do
	fresh
	if make "$kind" >>log 2>&1; then
		python3 "$(dirname "$0")/remains.py" "$D" >"$OUT/$kind"
		echo "$kind: $(grep -c ^run "$OUT/$kind") runs, $(stat -c %s "$OUT/$kind") bytes"
	else
		echo "$kind: FAILED"; tail -3 log
	fi
done
