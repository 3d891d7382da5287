# Ends in a reset in the middle of a `zpool create`.
blank
sync
(sleep "$DELAY"; echo b >/proc/sysrq-trigger) &
create_data data mirror $A $B
sleep 5
