# Hands a text to a child in a segment and takes its answer from there: the parent with Perl's own functions, as perlipc
# and perlfunc teach them, the child with IPC::SharedMem of Perl's core.
use strict;
use warnings;
use IPC::SysV qw(ftok IPC_CREAT IPC_EXCL IPC_RMID S_IRUSR S_IWUSR);
use IPC::SharedMem;

my $size = 60;
my $key  = ftok($0, 1) // die "ftok: $!\n";

# A run that was killed may have left a segment.
sub new_segment {
    my $flags = IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR;
    my $id    = shmget($key, $size, $flags);
    return $id if defined $id;
    die "shmget: $!\n" unless $!{EEXIST};
    my $stale = shmget($key, 0, 0) // die "shmget of a segment that was left: $!\n";
    shmctl($stale, IPC_RMID, 0) // die "shmctl IPC_RMID of a segment that was left: $!\n";
    return shmget($key, $size, $flags) // die "shmget: $!\n";
}

sub answer {
    my $shm = IPC::SharedMem->new($key, $size, 0) or die "IPC::SharedMem->new: $!\n";
    my $stat = $shm->stat or die "stat: $!\n";
    die "the segment is too small\n" if $stat->segsz < $size;
    $shm->attach or die "attach: $!\n";
    my $text = $shm->read(0, $size) // die "read: $!\n";
    $text =~ s/\0.*//s;
    $shm->write(scalar reverse($text), 0, $size) or die "write: $!\n";
    $shm->detach or die "detach: $!\n";
}

my $id = new_segment();
eval {
    shmwrite($id, "live on", 0, $size) || die "shmwrite: $!\n";
    my $child = fork() // die "fork: $!\n";
    if ($child == 0) {
        answer();
        exit 0;
    }
    waitpid $child, 0;
    die "the child failed\n" if $?;
    shmread($id, my $buffer, 0, $size) || die "shmread: $!\n";
    $buffer =~ s/\0.*//s;
    print "$buffer\n";
};
my $failure = $@;
shmctl($id, IPC_RMID, 0) || die "shmctl IPC_RMID: $!\n";
die $failure if $failure;
