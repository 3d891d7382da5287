# Runs as root on the node, inside one SSH session; reads orders from stdin, one a line, and ends each answer with
# a line OK or "ERR why". Changes nothing that it is not told to.
set -u
umask 077
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
unit=heeler-agent.service
guard=heeler-guard.timer
agent=/usr/local/sbin/heeler-agent
# Where a package brought the agent, apt keeps it.
package=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}' heeler-agent 2>/dev/null | sed -n 's/^ii *//p')
[ -z "$package" ] || agent=/usr/sbin/heeler-agent
fail() { printf 'ERR %s\n' "$*"; }
look() {
    if [ -f "$1" ]; then
        printf 'file %s %s %s\n' "$1" "$(sha256sum <"$1" | cut -d' ' -f1)" "$(stat -c %a "$1")"
    else
        printf 'file %s missing -\n' "$1"
    fi
}
echo HEELER-READY
while read -r order mode size sum path; do
    case $order in
    LOOK)
        look /usr/local/sbin/heeler-agent
        look /etc/systemd/system/heeler-agent.service
        look /etc/systemd/system/heeler-guard.service
        look /etc/systemd/system/heeler-guard.timer
        look /etc/heeler/agent.json
        [ -z "$package" ] || printf 'package %s\n' "$package"
        printf 'unit %s %s\n' "$(systemctl is-enabled $unit 2>/dev/null)" "$(systemctl is-active $unit 2>/dev/null)"
        printf 'guard %s\n' "$(systemctl is-enabled $guard 2>/dev/null)"
        [ -f /var/lib/heeler-agent/identity/key.pem ] && echo 'key present'
        [ -f /etc/heeler/token ] && echo 'token present'
        echo OK
        ;;
    FILE)
        folder=${path%/*}
        new=$(mkdir -p "$folder" && mktemp "$folder/.heeler-XXXXXX") || { fail "no new file can be made in $folder"; exit 1; }
        if ! { head -c "$size" >"$new" && chmod "$mode" "$new" && sync "$new"; } 2>/tmp/.heeler-$$; then
            fail "$path: $(tail -n 1 /tmp/.heeler-$$ 2>/dev/null || echo 'could not be written')"
            rm -f "$new" /tmp/.heeler-$$
            exit 1
        fi
        rm -f /tmp/.heeler-$$
        if [ "$(sha256sum <"$new" | cut -d' ' -f1)" != "$sum" ]; then
            rm -f "$new"
            fail "$path did not arrive whole"
            exit 1
        fi
        mv -f "$new" "$path" && sync "$folder" && echo OK || fail "$path could not be put in its place"
        ;;
    KEY)
        if key=$($agent key 2>&1); then
            printf '%s\nOK\n' "$key"
        else
            fail "heeler-agent key: $(printf '%s' "$key" | tail -n 1)"
        fi
        ;;
    START)
        # Who enrols anew learns the time anew: another coordinator's may have been wrong.
        if [ -f /etc/heeler/token ]; then
            systemctl stop $unit 2>/dev/null
            rm -f /var/lib/heeler-agent/clock
        fi
        if problem=$({ systemctl daemon-reload && systemctl enable --quiet $unit $guard && systemctl restart $unit; } 2>&1); then
            echo OK
        else
            fail "$unit: $(printf '%s' "$problem" | head -n 1)"
        fi
        ;;
    LOG)
        journalctl -u $unit -n 8 --no-pager -o cat 2>/dev/null
        echo OK
        ;;
    COPIES)
        # Not raw: that would escape the spaces of a mountpoint.
        findmnt -ln -t zfs -o TARGET 2>/dev/null | while IFS= read -r at; do
            for receipt in "$at"/.heeler/copies/coordinator-*.age.json; do
                [ -f "$receipt" ] && printf 'copy %s %s\n' "${receipt%.json}" "$(head -c 4096 "$receipt" | tr -d '\n')"
            done
        done
        echo OK
        ;;
    FETCH)
        if [ -f "$path" ] && base64 "$path"; then echo OK; else fail "$path cannot be read"; fi
        ;;
    QUIT)
        echo OK
        exit 0
        ;;
    *)
        fail "unknown order $order"
        ;;
    esac
done
