# Keeps orders in a hash that is tied to shared memory; a child changes it, under its lock.
use strict;
use warnings;
use IPC::Shareable qw(:lock);

my $knot = tie my %orders, 'IPC::Shareable', {key => 'orders', create => 1, size => 4096};
eval {
    %orders = (apples => 3, pears => 1);
    my $child = fork() // die "fork: $!\n";
    if ($child == 0) {
        $knot->lock(LOCK_EX) or die "lock: $!\n";
        $orders{apples} += 2;
        $orders{plums} = [5, 8];
        $knot->unlock or die "unlock: $!\n";
        exit 0;
    }
    waitpid $child, 0;
    die "the child failed\n" if $?;
    $orders{pears}++;
    for my $fruit (sort keys %orders) {
        my $count = $orders{$fruit};
        print "$fruit: ", ref $count ? "@$count" : $count, "\n";
    }
};
my $failure = $@;
IPC::Shareable->clean_up_all;
die $failure if $failure;
