# A message in shared memory by Perl's own functions. The mistake: a write that fails is not noticed.
use strict;
use warnings;
use IPC::SysV qw(IPC_PRIVATE IPC_RMID S_IRUSR S_IWUSR);

my $id = shmget(IPC_PRIVATE, 100, S_IRUSR | S_IWUSR);
defined $id or die "shmget: $!\n";
my $text = '';
shmwrite($id, 'hello', 0, 5);
my $read = shmread($id, $text, 0, 5);
my $removed = shmctl($id, IPC_RMID, 0);
$read or die "shmread: $!\n";
$removed or die "shmctl: $!\n";
print "read: ", join('.', map { ord } split //, $text), "\n";
