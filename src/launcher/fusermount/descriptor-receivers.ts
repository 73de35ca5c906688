// fusermount mounts for users who may not, and passes the descriptor of /dev/fuse over a socket (SCM_RIGHTS), where Node cannot
// receive it. These little programs can, and become a program that inherits it. Their words:
//
//   FUSERMOUNT OPTIONS DIRECTORY VARIABLE PROGRAM [WORD...]
//
// PROGRAM finds `NUMBER:DIRECTORY` in the environment variable. When nothing can be mounted it is not started: one line on
// stderr, exit code 4 (client.md §9.1: failed to mount).

/** Seconds after which a receiver is ended by SIGALRM. */
export const RECEIVER_LIMIT_S = 20;

export const PYTHON_RECEIVER = `
import os, signal, socket, subprocess, sys
fusermount, options, directory, variable = sys.argv[1:5]
signal.alarm(${RECEIVER_LIMIT_S})
ours, theirs = socket.socketpair()
child = subprocess.Popen([fusermount, "-o", options, "--", directory], stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()],
    env=dict(os.environ, _FUSE_COMMFD=str(theirs.fileno()), LC_ALL="C"))
theirs.close()
control = ours.recvmsg(1, socket.CMSG_SPACE(4))[1]
said = child.stderr.read().decode(errors="replace").strip().replace("\\n", "; ")
child.wait()
if not control:
    if "not permitted" in said: said += "; it must be setuid root (or use cvmfsexec)"
    sys.stderr.write("cvmfs2: cannot mount %s: %s (4 - failed to mount)\\n" % (directory, said or fusermount + " failed"))
    sys.exit(4)
fd = int.from_bytes(control[0][2][:4], sys.byteorder)
os.set_inheritable(fd, True)
os.environ[variable] = "%d:%s" % (fd, directory)
for name in "SIGPIPE", "SIGXFSZ":  # Python ignores them
    signal.signal(getattr(signal, name), signal.SIG_DFL)
signal.alarm(0)
os.execv(sys.argv[5], sys.argv[5:])`;

/** recvmsg(2) by hand: perl has no word for it. The layouts are those of all 64-bit systems. */
export const PERL_RECEIVER = `
use Config; use Socket;
my ($fusermount, $options, $directory, $variable, @program) = @ARGV;
alarm ${RECEIVER_LIMIT_S};
$^F = 255;
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) && pipe(my $out, my $in) or exit 4;
my $child = fork;
if ($child == 0) {
  close $ours; close $out;
  open STDIN, "<", "/dev/null"; open STDOUT, ">", "/dev/null"; open STDERR, ">&", $in; close $in;
  $ENV{_FUSE_COMMFD} = fileno $theirs; $ENV{LC_ALL} = "C";
  exec {$fusermount} $fusermount, "-o", $options, "--", $directory; exit 4;
}
close $theirs; close $in;
my ($byte, $control) = ("\\0", "\\0" x 24);
my $buffer = pack "PQ", $byte, 1;
my $message = pack "QQPQPQQ", 0, 0, $buffer, 1, $control, 24, 0;
my $number = $Config{archname} =~ /aarch64/ ? 212 : 47;
my $got = syscall $number, fileno $ours, $message, 0;
my $said = join "; ", map { chomp; $_ } <$out>;
close $out; close $ours; waitpid $child, 0;
my ($length, $level, $type, $fd) = unpack "Qlll", $control;
if ($got < 1 || $length < 20) {
  $said = "$fusermount failed" if $said eq "";
  $said .= "; it must be setuid root (or use cvmfsexec)" if $said =~ /not permitted/;
  print STDERR "cvmfs2: cannot mount $directory: $said (4 - failed to mount)\\n";
  exit 4;
}
$ENV{$variable} = "$fd:$directory";
alarm 0;
exec {$program[0]} @program; exit 4;`;
