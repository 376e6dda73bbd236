# Keeps lines in shared memory that a child adds to; they become longer than one segment, and short again.
use strict;
use warnings;
use IPC::ShareLite qw(:lock);

my %share = (-key => 1971, -create => 'yes', -destroy => 'no', -size => 64);
my $share = IPC::ShareLite->new(%share, -destroy => 'yes') or die "new: $!\n";
my $version = $share->version;
$share->store('');

my $child = fork() // die "fork: $!\n";
if ($child == 0) {
    $share->destroy(0);
    my $mine = IPC::ShareLite->new(%share) or die "new: $!\n";
    for my $number (1 .. 5) {
        $mine->lock(LOCK_EX) or die "lock: $!\n";
        $mine->store($mine->fetch . "this is line $number of the log\n");
        $mine->unlock or die "unlock: $!\n";
    }
    exit 0;
}
waitpid $child, 0;
die "the child failed\n" if $?;
my $log      = $share->fetch;
my $segments = $share->num_segments // die "num_segments: $!\n";
print length $log, " bytes in $segments segments, written ", $share->version - $version, " times\n";
$share->store('rotated');
print $share->fetch, "\n";
