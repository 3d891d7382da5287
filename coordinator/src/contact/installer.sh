# Runs as root on the node, inside one SSH session; reads orders from stdin, one a line, and ends each answer with
# a line "ok" or "err why". Each line begins with the mark of this contact ($0), so that nothing else is taken for an
# answer. Changes nothing that it is not told to.
set -u
umask 077
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
mark=$0
unit=heeler-agent.service
guard=heeler-guard.timer
agent=/usr/local/sbin/heeler-agent
# Where a package brought the agent, apt keeps it.
package=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}' heeler-agent 2>/dev/null | sed -n 's/^ii *//p')
[ -z "$package" ] || agent=/usr/sbin/heeler-agent
ok() { printf '%s ok\n' "$mark"; }
fail() { printf '%s err %s\n' "$mark" "$(printf %s "$*" | tr '\r\n' '  ')"; }
tell() { sed "s/^/$mark : /"; }
look() {
    if [ -f "$1" ]; then
        printf 'file %s %s %s\n' "$1" "$(sha256sum <"$1" | cut -d' ' -f1)" "$(stat -c %a "$1")"
    else
        printf 'file %s missing -\n' "$1"
    fi
}
# A new file comes into being in a folder of root's alone, beside its place, so that nobody puts a link or a file of
# theirs there; and only where nobody but root and its groups decides about names.
receive() {
    folder=${path%/*}
    mkdir -p "$folder" 2>/dev/null
    if [ -z "$(find "$folder/" -maxdepth 0 -user "$(id -u)" ! -perm -o+w 2>/dev/null)" ]; then
        fail "users other than root can write to $folder, or root does not own it: see ls -ld $folder"
        exit 1
    fi
    own=$(mktemp -d "$folder/.heeler-XXXXXX") || { fail "could not create a file in $folder"; exit 1; }
    trap 'rm -rf "$own"' EXIT
    if ! problem=$({ head -c "$size" >"$own/new" && chmod "$mode" "$own/new" && sync "$own/new"; } 2>&1); then
        fail "$path: ${problem:-could not be written}"
        exit 1
    fi
    if [ "$(sha256sum <"$own/new" | cut -d' ' -f1)" != "$sum" ]; then
        fail "$path arrived incomplete"
        exit 1
    fi
    if mv -fT "$own/new" "$path" && rm -rf "$own" && sync "$folder"; then ok; else fail "$path could not be moved into place"; fi
    trap - EXIT
}
# Goes into the folder of copies below the mountpoint $1, and looks where it has arrived: a link on the way leads to
# another path, and a mount to another device. It is root's, so that nobody changes what is in it meanwhile.
enter() {
    cd -P "$1" 2>/dev/null || return 1
    begin=$(pwd -P) device=$(stat -c %d .)
    cd -P ./.heeler/copies 2>/dev/null || return 1
    [ "$(pwd -P)" = "${begin%/}/.heeler/copies" ] && [ "$(stat -c %d .)" = "$device" ] &&
        [ -n "$(find . -maxdepth 0 -user "$(id -u)" ! -perm -o+w 2>/dev/null)" ]
}
# A file in this folder, and never what a link in its place leads to.
plain() { dd if="./$1" iflag=nofollow,nonblock bs=65536 status=none 2>/dev/null; }
printf '\n%s ready\n' "$mark"
while read -r order rest; do
    case $order in
    LOOK)
        {
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
        learnt=$(head -c 20 /var/lib/heeler-agent/clock 2>/dev/null | tr -cd 0-9)
        [ "${learnt:-0}" -gt $((($(date +%s) + 86400) * 1000)) ] 2>/dev/null && echo 'clock ahead'
        } | tell
        ok
        ;;
    FILE)
        set -f
        set -- $rest
        set +f
        mode=$1 size=$2 sum=$3 path=$4
        receive
        ;;
    KEY)
        if key=$($agent key 2>&1); then
            printf '%s\n' "$key" | tell
            ok
        else
            fail "heeler-agent key: $(printf '%s' "$key" | tail -n 1)"
        fi
        ;;
    START)
        # A person vouches for this coordinator, so the node learns the time anew: the stored one may be wrong.
        systemctl stop $unit 2>/dev/null
        rm -f /var/lib/heeler-agent/clock
        if problem=$({ systemctl daemon-reload && systemctl enable --quiet $unit $guard && systemctl restart $unit; } 2>&1); then
            ok
        else
            fail "$unit: $(printf '%s' "$problem" | head -n 1)"
        fi
        ;;
    LOG)
        journalctl -u $unit -n 8 --no-pager -o cat 2>/dev/null | tell
        ok
        ;;
    COPIES)
        # Not raw: that would escape the spaces of a mountpoint.
        findmnt -ln -t zfs -o TARGET 2>/dev/null | while IFS= read -r at; do
            (
                enter "$at" || exit
                for receipt in coordinator-*.age.json; do
                    [ -f "$receipt" ] && [ ! -L "$receipt" ] &&
                        printf 'copy %s\t%s\n' "$at/.heeler/copies/${receipt%.json}" "$(plain "$receipt" | head -c 4096 | tr -d '\n')"
                done
            )
        done | tell
        ok
        ;;
    FETCH)
        at=${rest%/.heeler/copies/*} name=${rest##*/}
        if (enter "$at" && [ -f "$name" ] && [ ! -L "$name" ] && [ -r "$name" ]); then
            (enter "$at" && plain "$name" | base64) | tell
            ok
        else
            fail "$rest cannot be read: it is not a regular file in a folder that only root can write to, below the mountpoint"
        fi
        ;;
    QUIT)
        ok
        exit 0
        ;;
    *)
        fail "unknown order $order"
        ;;
    esac
done
