# Runs as the login user, before anything is touched: reads only. $0 is the mark of this contact: each line begins with
# it, and the first one begins anew, whatever the shell's start-up files have printed.
export LC_ALL=C LANGUAGE=C
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
say() { printf '%s %s=%s\n' "$mark" "$1" "$(printf %s "$2" | tr '\r\n' '  ')"; }
mark=$0
printf '\n%s begin\n' "$mark"
say uid "$(id -u)"
say machine "$(uname -m)"
say userland "$(getconf LONG_BIT 2>/dev/null)"
say os "$(. /etc/os-release 2>/dev/null; printf '%s' "${ID:-unknown}")"
say version "$(. /etc/os-release 2>/dev/null; printf '%s' "${VERSION_ID:-unknown}")"
say pretty "$(. /etc/os-release 2>/dev/null; printf '%s' "${PRETTY_NAME:-unknown}")"
say init "$(cat /proc/1/comm 2>/dev/null)"
say running "$(systemctl is-system-running 2>/dev/null)"
if command -v cloud-init >/dev/null 2>&1; then
    say cloudinit "$(cloud-init status 2>/dev/null | sed -n 's/^status: //p')"
fi
say root "$(findmnt -n -b -o SIZE / 2>/dev/null | tr -d ' ')"
source=$(findmnt -n -o SOURCE / 2>/dev/null)
parent=$(lsblk -n -o PKNAME "$source" 2>/dev/null | head -n 1)
say rootdisk "$(lsblk -b -d -n -o SIZE "/dev/${parent:-${source#/dev/}}" 2>/dev/null | tr -d ' ')"
say free "$(df -B1 --output=avail /usr/local 2>/dev/null | tail -n 1 | tr -d ' ')"
say time "$(date +%s)"
say synced "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)"
say hostname "$(hostname 2>/dev/null)"
say model "$(tr -d '\0' 2>/dev/null </proc/device-tree/model || cat /sys/class/dmi/id/product_name 2>/dev/null)"
for key in /etc/ssh/ssh_host_*_key.pub; do
    [ -r "$key" ] && say hostkey "$(cut -d' ' -f1,2 "$key")"
done
say sudo "$(command -v sudo)"
say end probe
