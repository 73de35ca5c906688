# Prints the name of each signal that comes, and `up` before. Ends after the number of seconds given, or when killed.
use strict;
$| = 1;
my @names = split /,/, ($ARGV[1] // 'HUP,INT,QUIT,USR1,USR2,TERM,CONT,WINCH');
for my $name (@names) { $SIG{$name} = sub { print "$name\n" } }
print "up\n";
my $end = time + ($ARGV[0] // 20);
select undef, undef, undef, 0.1 while time < $end;
