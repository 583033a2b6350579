"""kazoo's contenders in the lines of line_test.go, which says what the arguments are and what is printed.

A kazoo Lock honours names that end as its own do, "__lock__" and a number, and those of extra_lock_patterns. Nothing makes others
honour its own name but to give it theirs: a subclass has another _NODE_NAME, as ReadLock and WriteLock are made.
"""
import logging
import sys
import threading
import time
import traceback

from kazoo.client import KazooClient
from kazoo.exceptions import LockTimeout
from kazoo.recipe.lock import Lock

logging.basicConfig(level=logging.ERROR)
address, timeout_ms = sys.argv[1:3]
saying = threading.Lock()


def named(*names):
    """The class of a lock whose znodes have the first name, and which waits for all of them."""
    return type("Named", (Lock,), {"_NODE_NAME": names[0], "_EXCLUDE_NAMES": list(names)})


# A reader waits for writers only, and need not know readers.
CuratorLock, CuratorLatch, CuratorWriter = named("-lock-"), named("-latch-"), named("-__WRIT__", "-__READ__")
CuratorReader = type("CuratorReader", (Lock,), {"_NODE_NAME": "-__READ__", "_EXCLUDE_NAMES": ["-__WRIT__"]})


def say(line):
    with saying:
        print(line.replace("\n", " "), flush=True)


class Contender(threading.Thread):
    def __init__(self, spec):
        super().__init__(daemon=True)
        self.kind, self.path, rounds = spec.split(":")
        self.rounds = int(rounds)
        self.zk = KazooClient(address, timeout=int(timeout_ms) / 1000)
        self.zk.start(timeout=60)

    def run(self):
        try:
            self.contend()
            say("PASS %s %s" % (self.kind, self.path))
        except Exception as e:
            traceback.print_exc()
            say("FAIL %s %s: %r" % (self.kind, self.path, e))

    def section(self, kind):
        """What is done while something is held: nobody may be here who should not, and the counter counts everybody."""
        inside = self.zk.create("/inside%s/%s-kazoo-" % (self.path, kind), ephemeral=True, sequence=True)
        there = self.zk.get_children("/inside" + self.path)
        others = [name for name in there if not inside.endswith("/" + name)]
        if kind == "s" and len(there) > 2 or any(kind == "x" or name.startswith("x") for name in others):
            raise AssertionError("not the only one: %r" % there)
        if kind == "x":
            count, stat = self.zk.get("/count" + self.path)
            self.zk.set("/count" + self.path, b"%d" % (int(count) + 1), version=stat.version)
        say("IN %s %s" % (self.kind, self.path))
        if self.rounds == 0:
            time.sleep(1 << 20)  # until somebody kills the process
        self.zk.delete(inside)

    def read(self, lock):
        """A reader of kazoo's waits for all writers in the line, also for those behind it that wait for it. So it must not wait long,
        but give its place up and come again."""
        while True:
            try:
                if lock.acquire(timeout=0.2):
                    break
            except LockTimeout:
                pass
        self.section("r")
        lock.release()

    def hold(self, lock, kind="x"):
        with lock:
            self.section(kind)

    def elect(self, lock=None):
        election = self.zk.Election(self.path, "kazoo")
        if lock:
            election.lock = lock
        election.run(self.section, "x")

    def contend(self):
        zk, path = self.zk, self.path
        for i in range(max(1, self.rounds)):
            if self.kind == "lock":
                self.hold(zk.Lock(path, "kazoo"))
            elif self.kind == "lock-patterns":
                self.hold(zk.Lock(path, "kazoo", extra_lock_patterns=["-lock-"]))
            elif self.kind == "lock-named":
                self.hold(CuratorLock(zk, path, "kazoo"))
            elif self.kind == "election":
                self.elect()
            elif self.kind == "election-patterns":
                self.elect(zk.Lock(path, "kazoo", extra_lock_patterns=["-lock-"]))
            elif self.kind == "election-named":
                self.elect(CuratorLock(zk, path, "kazoo"))
            elif self.kind == "latch-named":
                self.elect(CuratorLatch(zk, path, "kazoo"))
            elif self.kind == "readwrite" and i % 2 == 0:
                self.read(zk.ReadLock(path, "kazoo"))
            elif self.kind == "readwrite":
                self.hold(zk.WriteLock(path, "kazoo"))
            elif self.kind == "readwrite-named" and i % 2 == 0:
                self.read(CuratorReader(zk, path, "kazoo"))
            elif self.kind == "readwrite-named":
                self.hold(CuratorWriter(zk, path, "kazoo"))
            elif self.kind == "semaphore":
                self.hold(zk.Semaphore(path, "kazoo", max_leases=2), "s")
            else:
                raise ValueError(self.kind)


contenders = [Contender(spec) for spec in sys.argv[3:]]
say("READY")
sys.stdin.readline()
for contender in contenders:
    contender.start()
for contender in contenders:
    contender.join()
for contender in contenders:
    contender.zk.stop()
