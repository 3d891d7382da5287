# The disks as a reset left them; $STATE names what happened before.
probe $STATE $A
if [ -b $B-part1 ] || [ "$STATE" = create-interrupted ]; then
	rec $U wipefs-$STATE-other wipefs --no-act --json $B
	rec $Z zdb-label-$STATE-other zdb -l $B
fi
guid=$(zdb -l $A-part1 2>/dev/null | awk '$1 == "pool_guid:" { print $2; exit }')
[ -n "$guid" ] && rec $Z zpool-import-guid-$STATE zpool import -N -d $BYID -o cachefile=none $guid
zpool list data >/dev/null 2>&1 && zpool export data
rec $Z zpool-create-$STATE create_data -n data mirror $A $B
clear_label $STATE $A
blank
