#!/usr/bin/perl
# Has sanoid's own pruning rules judge snapshots: prunes.pl SANOID NOW FOLDER.
# FOLDER/policies: DATASET, then the counts of frequently, hourly, daily, weekly, monthly, yearly, and the minutes of a
# frequent period. FOLDER/snapshots.txt: as `zfs get -Hrpt snapshot creation` prints them. Prints what sanoid prints.
# Only what asks the machine is replaced: the time, the configuration's parser, the locks.
use strict;
use warnings;

my ($sanoid, $now, $folder) = @ARGV;
open my $file, '<', $sanoid or die "$sanoid: $!";
my $rules = do { local $/; <$file> };
$rules =~ s/^__END__.*//ms;
@ARGV = ("--cache-dir=$folder", "--run-dir=$folder", '--prune-snapshots', '--force-prune', '--readonly', '--verbose');
$INC{'Config/IniFiles.pm'} = $INC{'Capture/Tiny.pm'} = $0;

eval "BEGIN { *CORE::GLOBAL::time = sub () { $now } }\n$rules" . <<'OURS';
no warnings;
sub checklock { 1 }
sub writelock { 1 }
sub removelock { 1 }
sub init {
    my %config;
    open my $policies, '<', "$folder/policies" or die "policies: $!";
    while (<$policies>) {
        my ($path, @numbers) = split;
        my @keys = qw(frequently hourly daily weekly monthly yearly frequent_period);
        @{$config{$path}}{@keys} = @numbers;
        @{$config{$path}}{qw(path autoprune prune_defer)} = ($path, 1, 0);
    }
    return %config;
}
OURS
die $@ if $@;
