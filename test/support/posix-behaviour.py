# What a file system does, as one line `NAME: OUTCOME` for each thing that is tried, in the directory given as argument, a
# tree made by overlay-tree.ts. Each outcome stands for itself and depends on no clock and no order.
import ctypes, errno, fcntl, mmap, os, shutil, socket, stat, subprocess, sys, threading

os.chdir(sys.argv[1])
os.umask(0o022)
libc = ctypes.CDLL(None, use_errno=True)
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def tried(action, *args, **named):
    try:
        action(*args, **named)
        return 'OK'
    except OSError as error:
        return errno.errorcode[error.errno]


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text, mode='w'):
    with open(path, mode) as file:
        file.write(text)


def fresh(path):
    """A directory of its own, with a file, that was not there before."""
    os.makedirs(path)
    write(path + '/file', path)
    return path


def renameat2(old, new, flags):
    if libc.renameat2(-100, old.encode(), -100, new.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), 'renameat2')


@check
def append():
    write('text/line', 'more\n', 'a')
    return read('text/line'), os.stat('text/line').st_size


@check
def truncate():
    os.truncate('c/truncate', 3)
    return read('c/truncate')


@check
def write_in_the_middle():
    fd = os.open('c/middle', os.O_RDWR)
    os.pwrite(fd, b'X', 2)
    os.close(fd)
    return read('c/middle')


@check
def read_only_file():
    return tried(open, 'mode/readable', 'a'), tried(os.chmod, 'mode/readable', 0o644), tried(open, 'mode/readable', 'a')


@check
def program():
    before = subprocess.run(['mode/program'], capture_output=True, text=True).stdout
    os.chmod('mode/program', 0o700)
    write('mode/program', 'echo again\n', 'a')
    return before, subprocess.run(['mode/program'], capture_output=True, text=True).stdout


@check
def unlink_and_make_again():
    os.unlink('c/unlink')
    gone = tried(os.stat, 'c/unlink')
    write('c/unlink', 'second')
    return gone, read('c/unlink'), 'unlink' in os.listdir('c')


@check
def directory_in_place_of_a_removed_one():
    shutil.rmtree('tree/deep')
    os.mkdir('tree/deep')
    return os.listdir('tree/deep'), tried(os.stat, 'tree/deep/two')


@check
def remove_with_entries():
    return tried(os.rmdir, 'nested'), tried(os.unlink, 'nested/inner/file'), tried(os.rmdir, 'nested/inner')


@check
def file_in_place_of_a_directory():
    shutil.rmtree('c/kind-dir')
    write('c/kind-dir', 'file')
    os.unlink('c/kind-file')
    os.mkdir('c/kind-file')
    return read('c/kind-dir'), os.listdir('c/kind-file')


@check
def symbolic_links():
    os.symlink('nowhere', 'text/new-link')
    os.unlink('text/link')
    os.symlink('other', 'text/link')
    return os.readlink('text/new-link'), read('text/link'), os.lstat('text/link').st_size


@check
def rename_file():
    os.rename('c/rename', 'c/renamed')
    os.rename('c/over', 'c/renamed')
    return read('c/renamed'), tried(os.stat, 'c/over'), tried(os.stat, 'c/rename')


@check
def rename_published_directory():
    return tried(os.rename, 'c/move', 'c/moved')


@check
def move_published_directory_by_program():
    done = subprocess.run(['mv', 'c/move2', 'c/moved2'], capture_output=True, text=True, env={**os.environ, 'LC_ALL': 'C'})
    return done.returncode, done.stderr, read('c/moved2/in/file'), os.path.exists('c/move2')


@check
def rename_new_directory():
    fresh('new/a')
    os.rename('new', 'newer')
    os.rename('newer/a', 'c/a')
    os.rename('c/entry', 'c/a/entry')
    return read('c/a/file'), sorted(os.listdir('c/a')), os.listdir('newer')


@check
def rename_directory_over_directory():
    fresh('over/a')
    fresh('over/b')
    full = tried(os.rename, 'over/a', 'over/b')
    os.unlink('over/b/file')
    return full, tried(os.rename, 'over/a', 'over/b'), os.listdir('over/b'), tried(os.rename, 'over/b', 'over/b/c')


@check
def rename_without_replacing_and_exchange():
    fresh('x')
    write('x/other', 'other')
    refused = tried(renameat2, 'x/file', 'x/other', 1)
    exchanged = tried(renameat2, 'x/file', 'x/other', 2)
    return refused, exchanged, read('x/file')


@check
def hard_link_to_published_file():
    os.link('c/link', 'c/link2')
    write('c/link2', '+', 'a')
    one, two = os.stat('c/link'), os.stat('c/link2')
    return one.st_nlink, one.st_ino == two.st_ino, read('c/link')


@check
def published_hard_links_share_changes():
    before = os.stat('text/linked').st_nlink
    write('text/linked', 'changed', 'a')
    return before, os.stat('text/linked').st_nlink, 'changed' in read('text/linked-too')


@check
def open_file_sees_later_change():
    with open('c/opened') as early:
        write('c/opened', 'later\n', 'a')
        return early.read()


@check
def mapping_written_to():
    with open('c/map', 'r+b') as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[0:3] = b'new'
        mapped.flush()
        return read('c/map'), mapped[:].decode()


@check
def mapping_sees_write():
    fresh('m')
    with open('m/file', 'r+b') as file, mmap.mmap(file.fileno(), 0) as mapped:
        os.pwrite(file.fileno(), b'Z', 0)
        return mapped[0:1]


@check
def unlinked_open_file():
    with open('c/unlinked', 'r+') as file:
        os.unlink('c/unlinked')
        file.seek(0, 2)
        file.write('+')
        file.flush()
        file.seek(0)
        return file.read(), os.fstat(file.fileno()).st_nlink


@check
def attributes():
    os.setxattr('c/xattr', 'user.test', b'value')
    seen = os.getxattr('c/xattr', 'user.test'), os.listxattr('c/xattr')
    os.removexattr('c/xattr', 'user.test')
    return seen, tried(os.getxattr, 'c/xattr', 'user.test'), tried(os.setxattr, 'c', 'user.d', b'1'), os.listxattr('c')


@check
def attribute_named_as_the_marks():
    return tried(os.setxattr, 'c/xattr', 'user.overlay.test', b'1')


@check
def many_entries():
    names = os.listdir('many')
    for name in names:
        if int(name) % 3 == 0:
            os.unlink('many/' + name)
    for i in range(10):
        write(f'many/new-{i}', '')
    return len(names), len(os.listdir('many')), len(set(os.listdir('many')))


@check
def remove_while_listing():
    with os.scandir('many') as entries:
        for entry in entries:
            os.unlink(entry.path)
    return os.listdir('many'), tried(os.rmdir, 'many')


@check
def inode_number_stays_when_written_to():
    before = os.stat('c/inode').st_ino
    write('c/inode', '+', 'a')
    return before == os.stat('c/inode').st_ino


@check
def inode_number_in_listing():
    return all(entry.inode() == os.lstat(entry.path).st_ino for entry in os.scandir('c') if not entry.is_dir())


@check
def one_device():
    return os.stat('c').st_dev == os.stat('c/entry2').st_dev


@check
def times():
    os.utime('c/times', ns=(10**9 + 1, 2 * 10**9 + 2))
    published = os.stat('c/mode').st_mtime_ns
    os.chmod('c/mode', 0o600)
    return os.stat('c/times').st_mtime_ns, os.stat('c/mode').st_mtime_ns == published


@check
def directory_time_changes():
    os.utime('c', (1, 1))
    write('c/makes-a-change', '')
    return os.stat('c').st_mtime > 1


@check
def links_of_directory():
    fresh('n/one')
    fresh('n/two')
    return os.stat('n').st_nlink


@check
def holes():
    with open('holes', 'wb') as file:
        file.truncate(1 << 20)
        os.pwrite(file.fileno(), b'x', 1 << 19)
        allocated = tried(os.posix_fallocate, file.fileno(), 0, 4096)
    with open('holes', 'rb') as file:
        return allocated, os.fstat(file.fileno()).st_size, os.fstat(file.fileno()).st_blocks * 512 < 1 << 20


@check
def file_without_name():
    def make():
        fd = os.open('c', os.O_TMPFILE | os.O_RDWR)
        if libc.linkat(-100, f'/proc/self/fd/{fd}'.encode(), -100, b'c/named', 0x400) != 0:
            raise OSError(ctypes.get_errno(), 'linkat')

    return tried(make)


@check
def locks():
    ask = 'import fcntl,sys\nf=open("c/lock","r+")\ntry: fcntl.%s(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept OSError: print("held")'
    outcome = []
    for kind in ('flock', 'lockf'):
        with open('c/lock', 'r+') as file:
            getattr(fcntl, kind)(file, fcntl.LOCK_EX)
            outcome.append(subprocess.run([sys.executable, '-c', ask % kind], capture_output=True, text=True).stdout)
    return outcome


@check
def pipes_and_sockets():
    os.mkfifo('pipe')
    reader = os.open('pipe', os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open('pipe', os.O_WRONLY)
    os.write(writer, b'through')
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind('socket')
        server.listen()
        client.connect('socket')
        return os.read(reader, 99), stat.S_ISSOCK(os.stat('socket').st_mode)


@check
def device():
    return tried(os.mknod, 'device', stat.S_IFCHR | 0o600, os.makedev(1, 3))


@check
def sync():
    with open('c/entry2', 'a') as file:
        directory = os.open('c', os.O_RDONLY)
        return tried(os.fsync, file.fileno()), tried(os.fsync, directory)


@check
def modes():
    os.mkdir('group', 0o2775)
    os.chmod('group', 0o2775)
    write('set-id', '')
    os.chmod('set-id', 0o4755)
    write('set-id', 'written', 'a')
    return oct(os.stat('group').st_mode), oct(os.stat('set-id').st_mode)


@check
def exclusive_and_nofollow():
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    return tried(os.open, 'text/other', flags), tried(os.open, 'way', os.O_RDONLY | os.O_NOFOLLOW)


@check
def names():
    odd = b'c/\xff\xfe\n*'
    write(odd, 'odd')
    return tried(write, 'c/' + 'n' * 255, ''), tried(write, 'c/' + 'n' * 256, ''), odd[2:] in os.listdir(b'c')


@check
def name_like_a_mark():
    return tried(write, 'c/.wh.entry', ''), '.wh.entry' in os.listdir('c')


@check
def owner():
    return os.stat('c').st_uid == os.getuid(), tried(os.chown, 'c/entry2', os.getuid(), os.getgid()), tried(os.chown, 'c/entry2', 0, 0)


@check
def copies_in_the_kernel():
    with open('c/middle', 'rb') as source, open('copied', 'wb') as target:
        ranged = tried(os.copy_file_range, source.fileno(), target.fileno(), 3)
        sent = tried(os.sendfile, target.fileno(), source.fileno(), 3, 3)
    return ranged, sent, os.stat('copied').st_size > 0


@check
def removed_working_directory():
    fresh('here')
    os.chdir('here')
    os.unlink('file')
    os.rmdir('../here')
    gone = tried(os.getcwd), tried(write, 'new', '')
    os.chdir(sys.argv[1])
    return gone


@check
def appending_together():
    def some():
        for i in range(50):
            write('together', f'{i:07}\n', 'a')

    threads = [threading.Thread(target=some) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return os.stat('together').st_size


for function in CHECKS:
    try:
        outcome = function()
    except OSError as error:
        outcome = f'failed: {errno.errorcode[error.errno]}'
    print(f'{function.__name__}: {outcome!r}', flush=True)
