# dpkg about a package of ours that is damaged, or was interrupted. It is purged at the end.
P=dpkg-$(dpkg-query -W -f '${Version}' dpkg)
STATES='${binary:Package}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\t${db:Status-Eflag}\n'
B=/tmp/demo
mkdir -p $B/DEBIAN $B/etc/demo $B/usr/bin $B/usr/share/doc/demo
printf 'Package: demo\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.lan>\nDescription: a package to damage\n' >$B/DEBIAN/control
printf '/etc/demo/one.conf\n/etc/demo/two.conf\n/etc/demo/three.conf\n' >$B/DEBIAN/conffiles
for name in one two three; do echo "$name=1" >$B/etc/demo/$name.conf; done
cp /usr/bin/true $B/usr/bin/demo
echo 'read me' >$B/usr/share/doc/demo/README
(cd $B && md5sum usr/bin/demo usr/share/doc/demo/README) >$B/DEBIAN/md5sums
printf '#!/bin/sh\nset -e\n. /etc/demo/one.conf\n' >$B/DEBIAN/postinst
chmod 755 $B/DEBIAN/postinst
dpkg-deb --root-owner-group -b $B /tmp/demo.deb
printf '#!/bin/sh\nkill -9 $PPID\nsleep 1\n' >$B/DEBIAN/preinst
chmod 755 $B/DEBIAN/preinst
dpkg-deb --root-owner-group -b $B /tmp/demo-cut.deb

dpkg -i /tmp/demo.deb
rec $P verify-whole dpkg --verify demo
rec $P audit-finished dpkg --audit
rec $P query-installed dpkg-query -W -f "$STATES" demo
rec $P search dpkg-query -S /etc/demo/one.conf /usr/bin/demo /nowhere

# The bytes of a card image as they were seen in a conffile, an edit by hand, a removal, and a changed program.
printf '\200\212E\335\2361i\0\0\201\2251i\0\0' >/etc/demo/one.conf
echo '# mine' >>/etc/demo/two.conf
rm /etc/demo/three.conf /usr/share/doc/demo/README
printf x >>/usr/bin/demo
rec $P verify-damaged dpkg --verify demo

dpkg --unpack /tmp/demo.deb
rec $P audit-unpacked dpkg --audit
rec $P query-unpacked dpkg-query -W -f "$STATES" demo
rec $P configure-fails dpkg --configure -a --force-confdef --force-confold
rec $P audit-half-configured dpkg --audit
rec $P query-half-configured dpkg-query -W -f "$STATES" demo

dpkg --unpack /tmp/demo-cut.deb
rec $P audit-half-installed dpkg --audit
rec $P query-half-installed dpkg-query -W -f "$STATES" demo
rec $P apt-interrupted apt-get -y -q install --reinstall demo
rec $P configure-half-installed dpkg --configure -a --force-confdef --force-confold
rec $P apt-simulate-no-archive apt-get -s -q -y install --reinstall --no-remove demo
dpkg --purge --force-remove-reinstreq demo

# The lock that apt and dpkg take, held by somebody else.
LOCK=/var/lib/dpkg/lock-frontend
perl -e 'use Fcntl; open F, ">", $ARGV[0]; my $l = pack "s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0; fcntl F, F_SETLK, $l or die; sleep 20' $LOCK &
holder=$!
sleep 1
rec $U lslocks-dpkg sh -c 'lslocks --noheadings --raw --notruncate --output PID,INODE,MAJ:MIN,COMMAND | grep perl'
rec $P lock-inode stat '--format=%i %Hd:%Ld' $LOCK
rec $P configure-locked dpkg --configure -a --force-confdef --force-confold
kill $holder
rm -r $B /tmp/demo.deb /tmp/demo-cut.deb
