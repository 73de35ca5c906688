"""A job that uses mounted repositories and compares all it sees with the trees that were published.

usage: reader.py SETTINGS     (JSON: trees: [[mount point, published tree, fqrn], …], workers, seed, tolerant, ballast)

Lists, stats, reads, maps, links, attributes, running programs, working directories, names that do not exist. Pages are
dropped by posix_fadvise before they are read, so that the file system is asked. Works until stdin ends, then compares
every entry once more, strictly. Prints one JSON object. Exit status 0 if nothing was wrong.

tolerant: EIO is counted but is no failure while the workers run. Anything else is, and so is every wrong byte.
ballast: [directory, bytes]: a file of that size comes and goes there.
"""
import errno
import json
import mmap
import os
import random
import select
import signal
import stat
import subprocess
import sys
import time

SETTINGS = json.loads(sys.argv[1])
TREES = [(mount.encode(), tree.encode(), fqrn) for mount, tree, fqrn in SETTINGS["trees"]]
# How long the last comparison gives what has failed before to come back, in seconds.
RECOVERY = 60


# The single call that took longest: seconds, what and on what.
LONGEST_CALL = [0.0, ""]


def timed(name):
    call = getattr(os, name)

    def run(*arguments, **rest):
        began = time.monotonic()
        try:
            return call(*arguments, **rest)
        finally:
            seconds = time.monotonic() - began
            if seconds > LONGEST_CALL[0]:
                LONGEST_CALL[:] = [seconds, f"{name} {str(arguments[0])[:80]} until {time.strftime('%H:%M:%S')}"]

    return run


for name in ("open", "read", "pread", "listdir", "lstat", "readlink", "getxattr", "chdir", "waitpid"):
    setattr(os, name, timed(name))


class Wrong(Exception):
    """The mount shows something else than was published."""


def pread(descriptor, size, at):
    """All of it: where a later page cannot be read, a call gives what is before it, and only the next one the error."""
    parts = b""
    while len(parts) < size and (part := os.pread(descriptor, size - len(parts), at + len(parts))):
        parts += part
    return parts


def entries(tree):
    found = [b""]
    for directory, directories, files in os.walk(tree):
        for name in directories + files:
            found.append(os.path.join(directory, name)[len(tree) :])
    return sorted(found)


class Tree:
    def __init__(self, mount, tree, fqrn):
        self.mount, self.tree, self.fqrn = mount, tree, fqrn
        self.paths = entries(tree)
        self.by_kind = {"dir": [], "file": [], "link": [], "program": []}
        for path in self.paths:
            mode = os.lstat(tree + path).st_mode
            if stat.S_ISDIR(mode):
                self.by_kind["dir"].append(path)
            elif stat.S_ISLNK(mode):
                self.by_kind["link"].append(path)
            else:
                self.by_kind["file"].append(path)
                if mode & 0o100:
                    self.by_kind["program"].append(path)

    def same(self, path, what, found, expected):
        if found != expected:
            if isinstance(found, bytes) and isinstance(expected, bytes):
                at = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
                raise Wrong(f"{what} of {path!r}: {len(found)} for {len(expected)} bytes, other from byte {at}")
            raise Wrong(f"{what} of {path!r}: {str(found)[:200]} for {str(expected)[:200]}")

    def published(self, path):
        with open(self.tree + path, "rb") as file:
            return file.read()

    def fresh(self, path):
        """Opened with no pages in memory that are not in use."""
        descriptor = os.open(self.mount + path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return descriptor

    def check_list(self, path):
        self.same(path, "list", sorted(os.listdir(self.mount + path)), sorted(os.listdir(self.tree + path)))

    def check_stat(self, path):
        found, expected = os.lstat(self.mount + path), os.lstat(self.tree + path)
        self.same(path, "mode", oct(found.st_mode), oct(expected.st_mode))
        self.same(path, "mtime", int(found.st_mtime), int(expected.st_mtime))
        if stat.S_ISREG(found.st_mode):
            self.same(path, "size", found.st_size, expected.st_size)

    def check_content(self, path):
        descriptor = self.fresh(path)
        try:
            parts = []
            while part := os.read(descriptor, 1 << 17):
                parts.append(part)
        finally:
            os.close(descriptor)
        self.same(path, "content", b"".join(parts), self.published(path))
        return sum(map(len, parts))

    def check_ranges(self, path, rng):
        expected = self.published(path)
        descriptor = self.fresh(path)
        try:
            for _ in range(4):
                at = rng.randrange(len(expected) + 1)
                size = rng.randrange(1 << 16)
                self.same(path, f"range at {at}", pread(descriptor, size, at), expected[at : at + size])
        finally:
            os.close(descriptor)

    def check_map(self, path, rng):
        expected = self.published(path)
        if not expected:
            return
        descriptor = self.fresh(path)
        try:
            # A page that cannot be read is SIGBUS: a process of its own.
            child = os.fork()
            if child == 0:
                status = 3
                try:
                    with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as memory:
                        at = rng.randrange(len(expected))
                        status = 0 if memory[at : at + 65536] == expected[at : at + 65536] else 4
                finally:
                    os._exit(status)
            _, status = os.waitpid(child, 0)
        finally:
            os.close(descriptor)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGBUS:
            raise OSError(errno.EIO, "SIGBUS")
        self.same(path, "mapping", status, 0)

    def check_link(self, path):
        self.same(path, "target", os.readlink(self.mount + path), os.readlink(self.tree + path))

    def check_program(self, path):
        expected = subprocess.run([self.tree + path, b"word"], capture_output=True)
        found = subprocess.run([self.mount + path, b"word"], capture_output=True)
        if found.returncode != expected.returncode and SETTINGS["tolerant"]:
            raise OSError(errno.EIO, "program")
        self.same(path, "output", found.stdout, expected.stdout)

    def check_attribute(self):
        self.same(b"/", "attribute", os.getxattr(self.mount, "user.fqrn"), self.fqrn.encode())

    def check_missing(self, path, rng):
        name = b"%s/not-there-%d" % (self.mount + path, rng.randrange(1 << 40))
        try:
            os.lstat(name)
        except FileNotFoundError:
            return
        raise Wrong(f"{name!r} exists")

    def check_directory(self, path):
        os.chdir(self.mount + path)
        try:
            self.same(path, "working directory", os.getcwdb(), self.mount + path)
            self.same(path, "list", sorted(os.listdir(b".")), sorted(os.listdir(self.tree + path)))
        finally:
            os.chdir("/")


class Worker:
    def __init__(self, number):
        self.rng = random.Random(SETTINGS["seed"] * 1000 + number)
        self.trees = [Tree(*tree) for tree in TREES]
        self.stopped = False
        self.result = {"checks": 0, "bytes": 0, "tolerated": 0, "longest": 0.0, "longestCall": [0.0, ""], "wrong": []}
        self.held = []

    def run(self):
        signal.signal(signal.SIGUSR1, lambda *_: setattr(self, "stopped", True))
        while not self.stopped and len(self.result["wrong"]) < 10:
            began = time.monotonic()
            self.guarded(self.step, SETTINGS["tolerant"])
            self.result["longest"] = max(self.result["longest"], time.monotonic() - began)
        self.result["longestCall"] = LONGEST_CALL
        return self.result

    def guarded(self, action, tolerant):
        self.result["checks"] += 1
        try:
            action()
            return True
        except OSError as error:
            if tolerant and error.errno == errno.EIO:
                self.result["tolerated"] += 1
            else:
                self.result["wrong"].append(str(error))
        except Wrong as error:
            self.result["wrong"].append(str(error))
        return False

    def step(self):
        rng = self.rng
        tree = rng.choice(self.trees)
        pick = lambda kind: rng.choice(tree.by_kind[kind])
        what = rng.randrange(12)
        if what == 0:
            tree.check_list(pick("dir"))
        elif what == 1:
            tree.check_stat(rng.choice(tree.paths))
        elif what in (2, 3):
            self.result["bytes"] += tree.check_content(pick("file"))
        elif what == 4:
            tree.check_ranges(pick("file"), rng)
        elif what == 5:
            tree.check_map(pick("file"), rng)
        elif what == 6:
            tree.check_link(pick("link"))
        elif what == 7:
            tree.check_attribute()
        elif what == 8:
            tree.check_missing(pick("dir"), rng)
        elif what == 9:
            tree.check_directory(pick("dir"))
        elif what == 10 and rng.randrange(4) == 0:
            tree.check_program(pick("program"))
        else:
            self.check_held(tree, pick("file"))

    def check_held(self, tree, path):
        """Files that stay open for a while."""
        if len(self.held) < 8:
            self.held.append((tree, path, os.open(tree.mount + path, os.O_RDONLY)))
        at = self.rng.randrange(len(self.held))
        tree, path, descriptor = self.held[at]
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        expected = tree.published(path)
        begin = self.rng.randrange(len(expected) + 1)
        tree.same(path, "held file", pread(descriptor, 20_000, begin), expected[begin : begin + 20_000])
        if self.rng.randrange(4) == 0:
            os.close(descriptor)
            del self.held[at]

    def final(self):
        """Everything once, and nothing may be missing any more."""
        deadline = time.monotonic() + RECOVERY
        for tree in self.trees:
            for path in tree.paths:
                while not self.guarded(lambda: self.compare(tree, path), time.monotonic() < deadline):
                    if len(self.result["wrong"]) > 10 or time.monotonic() >= deadline:
                        break
                    time.sleep(0.5)
        return self.result

    def compare(self, tree, path):
        tree.check_stat(path)
        mode = os.lstat(tree.tree + path).st_mode
        if stat.S_ISDIR(mode):
            tree.check_list(path)
        elif stat.S_ISLNK(mode):
            tree.check_link(path)
        else:
            self.result["bytes"] += tree.check_content(path)


def start(number):
    """Gives the worker's pid and the pipe by which its result comes."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            result = Worker(number).run()
        except BaseException as error:
            result = {"wrong": [f"worker {number}: {error!r}"]}
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    return pid, read


def work():
    workers = [start(number) for number in range(SETTINGS["workers"])]
    ballast = SETTINGS.get("ballast")
    rng = random.Random(SETTINGS["seed"])
    while not select.select([0], [], [], rng.uniform(0.5, 3) if ballast else None)[0]:
        load(*ballast)
    if ballast and os.path.exists(f"{ballast[0]}/ballast"):
        os.unlink(f"{ballast[0]}/ballast")
    for pid, _ in workers:
        os.kill(pid, signal.SIGUSR1)
    total = {"checks": 0, "bytes": 0, "tolerated": 0, "longest": 0.0, "longestCall": [0.0, ""], "wrong": []}
    for pid, pipe in workers:
        with os.fdopen(pipe, "rb") as result:
            add(total, json.loads(result.read()))
        os.waitpid(pid, 0)
    return total


def add(total, result):
    for name, value in result.items():
        total[name] = max(total[name], value) if name.startswith("longest") else total[name] + value


def load(directory, size):
    path = f"{directory}/ballast"
    if os.path.exists(path):
        os.unlink(path)
        return
    try:
        with open(path, "wb") as file:
            file.write(bytes(size))
    except OSError:
        pass  # it is full, as wanted


total = work()
last = Worker(SETTINGS["workers"])
add(total, last.final())
print(json.dumps(total))
sys.exit(1 if total["wrong"] else 0)
