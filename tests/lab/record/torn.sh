# What a cut leaves when it falls between the writes of a partition table by `zpool create`: the first copy, and neither the
# second nor the protective MBR.
blank
create_data data $A
zpool export data
dd if=$A of=/root/table bs=512 skip=1 count=33 status=none
blank
dd if=/root/table of=$A bs=512 seek=1 conv=fsync status=none
reread $A
probe create-torn $A
# It does not mind.
rec $Z zpool-create-create-torn create_data data mirror $A $B
zpool destroy data
blank
