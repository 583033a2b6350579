"""kazoo's scenario: the calls and recipes of Debian's python3-kazoo, and what is left of them when a connection or a server is lost.

kazoo keeps no watch of its own over a lost connection: it tells each watcher that the connection is gone and forgets it. Its
DataWatch and ChildrenWatch put theirs back, and those have to see what happened meanwhile.
"""
import logging
import queue
import sys
import threading
import time
import traceback

from kazoo import security
from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError, InvalidACLError, LockTimeout, NoAuthError, NoChildrenForEphemeralsError, NodeExistsError, NoNodeError, NotEmptyError,
    RolledBackError, RuntimeInconsistency)
from kazoo.protocol.states import EventType
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.partitioner import PartitionState

PATIENCE = 60.0  # seconds after which a busy machine is no excuse
TIMEOUT = 30.0
proxied, direct = sys.argv[-2:]
checks = 0


def act(word):
    """Asks the Go test for something and waits until it is done."""
    print("DO " + word, flush=True)
    answer = sys.stdin.readline()
    if answer != "DONE %s\n" % word:
        raise RuntimeError("%s was answered with %r" % (word, answer))


def ok(what, holds, *got):
    global checks
    if not holds:
        raise AssertionError("%s: got %r" % (what, got))
    checks += 1
    print("OK " + what, flush=True)


def same(what, want, got):
    ok(what, want == got, got, "want", want)


def fails(what, error, call, *args, **kwargs):
    try:
        got = call(*args, **kwargs)
    except Exception as e:
        ok(what, type(e) is error, e)
        return
    ok(what, False, got, "want", error.__name__)


def becomes(what, want, value):
    """Waits for something that no event announces."""
    end = time.monotonic() + PATIENCE
    got = value()
    while got != want and time.monotonic() < end:
        time.sleep(0.01)
        got = value()
    same(what, want, got)


class Events(queue.Queue):
    """What a watcher or a state listener was told, in order."""

    def __call__(self, event):
        self.put(event)

    def next(self):
        return self.get(timeout=PATIENCE)

    def watch(self):
        event = self.next()
        return event.type, event.path

    def until(self, want):
        while self.next() != want:
            pass


class Later(threading.Thread):
    """A call on a thread of its own, and its outcome."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.outcome = call, queue.Queue()
        self.start()

    def run(self):
        try:
            self.outcome.put((self.call(), None))
        except Exception as e:
            self.outcome.put((None, e))

    def pending(self):
        return self.outcome.empty()

    def result(self):
        value, error = self.outcome.get(timeout=PATIENCE)
        if error:
            raise error
        return value


def connect(where, **kwargs):
    states = Events()
    zk = KazooClient(hosts=where, timeout=TIMEOUT, connection_retry={"max_tries": -1, "delay": 0.05, "max_delay": 0.5}, **kwargs)
    zk.add_listener(states)
    zk.start(timeout=PATIENCE)
    states.until(KazooState.CONNECTED)
    return zk, states


def modes():
    ok("session", a.client_id[0] != 0 and len(a.client_id[1]) == 16, a.client_id)
    same("state", "CONNECTED", a.client_state)
    ok("server version", b.server_version()[0] >= 3, b.server_version())
    ok("four letters", "Zookeeper version" in b.command(b"srvr"))
    same("persistent", "/py", a.create("/py", b"root"))
    same("parents made on the way", "/py/modes/p", a.create("/py/modes/p", b"p", makepath=True))
    same("sequential", "/py/modes/s-0000000001", a.create("/py/modes/s-", sequence=True))
    path, stat = a.create("/py/modes/e", b"e", ephemeral=True, include_data=True)
    ok("ephemeral with stat", path == "/py/modes/e" and stat.ephemeralOwner == a.client_id[0] and stat.version == 0 and stat.dataLength == 1, path, stat)
    same("ephemeral sequential", "/py/modes/es-0000000003", a.create("/py/modes/es-", ephemeral=True, sequence=True))
    stat = a.exists("/py/modes")
    ok("parent counts", stat.numChildren == 4 and stat.cversion == 4 and stat.version == 0, stat)
    fails("exists already", NodeExistsError, a.create, "/py")
    fails("no parent", NoNodeError, a.create, "/py/none/x")
    fails("child of an ephemeral", NoChildrenForEphemeralsError, a.create, "/py/modes/e/x")
    fails("unknown scheme", InvalidACLError, a.create, "/py/x", acl=[security.make_acl("nosuch", "x", all=True)])
    a.ensure_path("/py/ensured/deep")
    a.ensure_path("/py/ensured/deep")
    ok("ensured", a.exists("/py/ensured/deep") is not None)


def data():
    a.create("/py/data", b"one")
    value, first = a.get("/py/data")
    same("get", b"one", value)
    stat = a.set("/py/data", b"two", version=0)
    ok("set", stat.version == 1 and stat.mzxid > first.mzxid and stat.czxid == first.czxid, stat)
    fails("set with an old version", BadVersionError, a.set, "/py/data", b"x", version=0)
    fails("set of nothing", NoNodeError, a.set, "/py/none", b"x")
    fails("get of nothing", NoNodeError, a.get, "/py/none")
    big = b"0123456789abcdef" * 60000
    a.set("/py/data", big)
    same("sync", "/py/data", b.sync("/py/data"))
    ok("another session reads 960000 bytes", b.get("/py/data")[0] == big)
    a.set("/py/data", b"")
    same("empty", b"", a.get("/py/data")[0])
    a.set("/py/data", None)
    same("null", None, a.get("/py/data")[0])
    same("exists of nothing", None, a.exists("/py/none"))
    fails("delete with an old version", BadVersionError, a.delete, "/py/data", version=0)
    a.delete("/py/data", version=4)
    fails("delete of nothing", NoNodeError, a.delete, "/py/data")
    fails("delete of a parent", NotEmptyError, a.delete, "/py")
    a.create("/py/ünïcode-日本", "ö".encode())
    same("a path beyond ASCII", "ö", b.get("/py/ünïcode-日本")[0].decode())
    results = [a.create_async("/py/async%d" % i, b"%d" % i) for i in range(50)]
    same("asynchronous creates", ["/py/async%d" % i for i in range(50)], [r.get(timeout=PATIENCE) for r in results])
    same("asynchronous reads", [b"%d" % i for i in range(50)], [r.get(timeout=PATIENCE)[0] for r in [a.get_async("/py/async%d" % i) for i in range(50)]])
    for i in range(50):
        a.delete("/py/async%d" % i)
    chrooted, _ = connect(direct + "/py")
    same("under a chroot", "/in", chrooted.create("/in", b"in"))
    same("seen from outside", b"in", a.get("/py/in")[0])
    chrooted.stop()
    chrooted.close()


def children():
    a.create("/py/kids")
    same("no children", [], a.get_children("/py/kids"))
    for name in "cab":
        a.create("/py/kids/" + name)
    same("children", ["a", "b", "c"], sorted(a.get_children("/py/kids")))
    names, stat = a.get_children("/py/kids", include_data=True)
    ok("children with stat", len(names) == 3 and stat.numChildren == 3 and stat.cversion == 3, names, stat)
    fails("children of nothing", NoNodeError, a.get_children, "/py/none")
    a.delete("/py/kids", recursive=True)
    same("delete with children", None, a.exists("/py/kids"))


def acls():
    a.add_auth("digest", "ann:secret")
    mine = security.make_digest_acl("ann", "secret", all=True)
    a.create("/py/private", b"p", acl=security.CREATOR_ALL_ACL)
    got, stat = a.get_acls("/py/private")
    ok("auth becomes the digest", got == [mine] and stat.aversion == 0, got, stat)
    fails("a stranger reads", NoAuthError, b.get, "/py/private")
    fails("a stranger writes", NoAuthError, b.set, "/py/private", b"x")
    fails("a stranger lists", NoAuthError, b.get_children, "/py/private")
    fails("a stranger creates", NoAuthError, b.create, "/py/private/x")
    fails("a stranger asks for the acl", NoAuthError, b.get_acls, "/py/private")
    fails("a stranger sets the acl", NoAuthError, b.set_acls, "/py/private", security.OPEN_ACL_UNSAFE)
    fails("auth without an identity", InvalidACLError, b.create, "/py/x", acl=security.CREATOR_ALL_ACL)
    readable = security.READ_ACL_UNSAFE + [mine]
    stat = a.set_acls("/py/private", readable, version=0)
    ok("set acl", stat.aversion == 1 and stat.version == 0, stat)
    fails("set acl with an old version", BadVersionError, a.set_acls, "/py/private", readable, version=0)
    same("a stranger reads now", b"p", b.get("/py/private")[0])
    same("a reader sees no hash", "ann:x", b.get_acls("/py/private")[0][1].id.id)
    fails("a reader writes", NoAuthError, b.set, "/py/private", b"x")
    other, _ = connect(direct, auth_data=[("digest", "ann:secret")], default_acl=[mine])
    same("an identity from the start", 1, other.set("/py/private", b"p").version)
    other.create("/py/private/default")
    same("a default acl", [mine], a.get_acls("/py/private/default")[0])
    other.stop()
    other.close()


def transactions():
    a.create("/py/tx")
    t = a.transaction()
    t.check("/py/tx", version=0)
    t.create("/py/tx/s-", b"s", sequence=True)
    t.create("/py/tx/e", ephemeral=True)
    t.set_data("/py/tx", b"2", version=0)
    t.delete("/py/tx/e", version=0)
    got = t.commit()
    ok("transaction", got[:3] == [True, "/py/tx/s-0000000000", "/py/tx/e"] and got[3].version == 1 and got[4] is True, got)
    same("one zxid for all", got[3].mzxid, a.exists("/py/tx/s-0000000000").czxid)
    t = a.transaction()
    t.create("/py/tx/x")
    t.check("/py/tx", version=7)
    t.delete("/py/tx")
    same("a transaction that fails", [RolledBackError, BadVersionError, RuntimeInconsistency], [type(r) for r in t.commit()])
    same("nothing happened", None, a.exists("/py/tx/x"))
    with a.transaction() as t:
        t.create("/py/tx/y")
    ok("transaction as a context", a.exists("/py/tx/y") is not None)


def watches():
    a.create("/py/w")
    born, kids = Events(), Events()
    same("exists and watch", None, a.exists("/py/w/x", watch=born))
    a.get_children("/py/w", watch=kids)
    b.create("/py/w/x", b"0")
    same("exists watch: created", (EventType.CREATED, "/py/w/x"), born.watch())
    same("child watch: created", (EventType.CHILD, "/py/w"), kids.watch())
    changed = Events()
    a.get("/py/w/x", watch=changed)
    b.set("/py/w/x", b"1")
    b.set("/py/w/x", b"2")
    same("data watch: changed", (EventType.CHANGED, "/py/w/x"), changed.watch())
    gone, empty = Events(), Events()
    a.get("/py/w/x", watch=gone)
    a.get_children("/py/w/x", watch=empty)
    a.get_children("/py/w", watch=kids)
    b.set("/py/w", b"quiet")
    b.delete("/py/w/x")
    same("data watch: deleted", (EventType.DELETED, "/py/w/x"), gone.watch())
    same("child watch: deleted itself", (EventType.DELETED, "/py/w/x"), empty.watch())
    same("child watch: deleted child", (EventType.CHILD, "/py/w"), kids.watch())
    ok("one shot is one", changed.empty() and born.empty())

    values, lists = Events(), Events()
    a.DataWatch("/py/w/d", lambda value, stat, event: values.put((value, event.type if event else None)))
    a.ChildrenWatch("/py/w", lambda names: lists.put(sorted(names)))
    same("DataWatch of nothing", (None, None), values.next())
    same("ChildrenWatch", [], lists.next())
    b.create("/py/w/d", b"1")
    same("DataWatch: created", (b"1", EventType.CREATED), values.next())
    same("ChildrenWatch: created", ["d"], lists.next())
    b.set("/py/w/d", b"2")
    same("DataWatch: changed", (b"2", EventType.CHANGED), values.next())
    b.delete("/py/w/d")
    same("DataWatch: deleted", (None, EventType.DELETED), values.next())
    same("ChildrenWatch: deleted", [], lists.next())


def locks():
    mine, theirs = a.Lock("/py/lock", "a"), b.Lock("/py/lock", "b")
    ok("lock", mine.acquire(timeout=PATIENCE))
    ok("a lock excludes", not theirs.acquire(blocking=False))
    fails("a lock excludes for a while", LockTimeout, theirs.acquire, timeout=0.05)
    later = Later(lambda: theirs.acquire(timeout=PATIENCE))
    becomes("contenders", ["a", "b"], mine.contenders)
    ok("one waits", later.pending())
    mine.release()
    ok("the next one has it", later.result())
    theirs.release()
    with a.ReadLock("/py/rw"), b.ReadLock("/py/rw"):
        ok("two readers", not b.WriteLock("/py/rw").acquire(blocking=False))
    with b.WriteLock("/py/rw"):
        ok("no reader beside a writer", not a.ReadLock("/py/rw").acquire(blocking=False))
    first, second, third = a.Semaphore("/py/sem", "1", max_leases=2), a.Semaphore("/py/sem", "2", max_leases=2), b.Semaphore("/py/sem", "3", max_leases=2)
    ok("two leases", first.acquire(timeout=PATIENCE) and second.acquire(timeout=PATIENCE))
    ok("and no third", not third.acquire(blocking=False))
    same("lease holders", ["1", "2"], sorted(third.lease_holders()))
    first.release()
    ok("a returned lease", third.acquire(timeout=PATIENCE))
    second.release()
    third.release()


def election():
    led, release = Events(), threading.Event()

    def lead(name):
        led.put(name)
        release.wait(PATIENCE)

    first, second = a.Election("/py/election", "a"), b.Election("/py/election", "b")
    one = Later(lambda: first.run(lead, "a"))
    same("elected", "a", led.next())
    two = Later(lambda: second.run(lead, "b"))
    becomes("candidates", ["a", "b"], second.contenders)
    ok("one leads", led.empty())
    release.set()
    same("then the other", "b", led.next())
    one.result()
    two.result()


def barriers():
    barrier = a.Barrier("/py/barrier")
    barrier.create()
    ok("a barrier holds", not b.Barrier("/py/barrier").wait(timeout=0.05))
    later = Later(lambda: b.Barrier("/py/barrier").wait(timeout=PATIENCE))
    barrier.remove()
    ok("and opens", later.result())
    left, right = a.DoubleBarrier("/py/double", 2, "a"), b.DoubleBarrier("/py/double", 2, "b")
    later = Later(left.enter)
    becomes("one has come", 1, lambda: len(b.get_children("/py/double")) if b.exists("/py/double") else 0)
    ok("and waits", later.pending())
    right.enter()
    later.result()
    ok("two enter", left.participating and right.participating)
    later = Later(left.leave)
    right.leave()
    later.result()
    same("two leave", [], b.get_children("/py/double"))


def queues():
    left, right = a.Queue("/py/queue"), b.Queue("/py/queue")
    for word, priority in ((b"second", 100), (b"third", 100), (b"first", 1)):
        left.put(word, priority)
    same("queue length", 3, len(right))
    same("queue", [b"first", b"second", b"third", None], [right.get() for _ in range(4)])
    left, right = a.LockingQueue("/py/lqueue"), b.LockingQueue("/py/lqueue")
    left.put_all([b"1", b"2"])
    same("locking queue", b"1", left.get(timeout=PATIENCE))
    same("what is locked is skipped", b"2", right.get(timeout=PATIENCE))
    ok("consume", left.consume() and right.consume())
    same("and empty", 0, len(left))


def counters():
    left, right = a.Counter("/py/counter"), b.Counter("/py/counter")
    later = Later(lambda: [right.__add__(2) for _ in range(20)])
    for _ in range(20):
        left += 1
    later.result()
    same("counter", 60, right.value)
    right -= 10
    same("counter back", 50, left.value)
    real = a.Counter("/py/real", default=1.5)
    real += 1.0
    same("a counter of a fraction", 2.5, real.value)


def parties():
    left, right = a.Party("/py/party", "a"), b.Party("/py/party", "b")
    left.join()
    right.join()
    same("party", ["a", "b"], sorted(left))
    left.leave()
    same("party after one left", ["b"], list(right))
    right.leave()
    shallow = a.ShallowParty("/py/shallow", "a")
    shallow.join()
    same("shallow party", ["a"], list(shallow))
    shallow.leave()
    lease = a.NonBlockingLease("/py/lease", __import__("datetime").timedelta(hours=1), "a")
    ok("lease", bool(lease))
    ok("and no second", not b.NonBlockingLease("/py/lease", __import__("datetime").timedelta(hours=1), "b"))
    one = a.SetPartitioner("/py/parts", set(range(4)), identifier="a", time_boundary=0.2)
    two = b.SetPartitioner("/py/parts", set(range(4)), identifier="b", time_boundary=0.2)
    becomes("partitions", list(range(4)), lambda: partition(one, two))
    one.finish()
    two.finish()


def partition(*partitioners):
    """Lets each do what its state asks for, and says what they have together once each has its part."""
    for p in partitioners:
        if p.release:
            p.release_set()
        elif p.allocating:
            p.wait_for_acquire(timeout=0.05)
    if all(p.acquired for p in partitioners) and all(len(list(p)) == 2 for p in partitioners):
        return sorted(n for p in partitioners for n in p)
    return None


def caches():
    b.create("/py/cache/x", b"1", makepath=True)
    cache, seen = TreeCache(a, "/py/cache"), Events()
    cache.listen(lambda event: seen.put((event.event_type, event.event_data.path if event.event_data else None)))
    cache.start()
    until_seen(seen, (TreeEvent.INITIALIZED, None))
    same("cache", b"1", cache.get_data("/py/cache/x").data)
    b.set("/py/cache/x", b"2")
    until_seen(seen, (TreeEvent.NODE_UPDATED, "/py/cache/x"))
    same("cache follows", b"2", cache.get_data("/py/cache/x").data)
    b.delete("/py/cache/x")
    until_seen(seen, (TreeEvent.NODE_REMOVED, "/py/cache/x"))
    same("cache forgets", None, cache.get_data("/py/cache/x"))
    cache.close()


def until_seen(events, want):
    events.until(want)
    ok("cache event %s %s" % want, True)


def connection_lost():
    session = a.client_id
    act("drop")
    states_a.until(KazooState.SUSPENDED)
    states_a.until(KazooState.CONNECTED)
    same("same session after a drop", session, a.client_id)

    for name in ("data", "kids", "still"):
        a.create("/py/away/" + name, b"0", makepath=True)
    a.create("/py/away/mine", ephemeral=True)
    values, lists, quiet = Events(), Events(), Events()
    a.DataWatch("/py/away/data", lambda value, stat: values.put(value))
    a.ChildrenWatch("/py/away/kids", lambda names: lists.put(names))
    a.DataWatch("/py/away/still", lambda value, stat: quiet.put(value))
    same("DataWatch before", b"0", values.next())
    same("ChildrenWatch before", [], lists.next())
    same("quiet DataWatch before", b"0", quiet.next())
    plain = Events()
    a.get("/py/away/still", watch=plain)
    lock = a.Lock("/py/away/lock", "a")
    lock.acquire(timeout=PATIENCE)
    act("cut")
    states_a.until(KazooState.SUSPENDED)
    b.set("/py/away/data", b"1")
    b.create("/py/away/kids/k")
    same("ephemeral is there while away", session[0], b.exists("/py/away/mine").ephemeralOwner)
    ok("the lock is still held", not b.Lock("/py/away/lock", "b").acquire(blocking=False))
    act("mend")
    states_a.until(KazooState.CONNECTED)
    same("same session after a cut", session, a.client_id)
    # Only now: kazoo has one thread for callbacks, and a DataWatch holds it until the connection is back.
    same("a plain watch hears of the loss", EventType.NONE, plain.next().type)
    same("DataWatch caught up", b"1", values.next())
    same("ChildrenWatch caught up", ["k"], lists.next())
    b.set("/py/away/still", b"1")
    same("what did not change is quiet, then fires", b"1", quiet.next())
    lock.release()
    same("the identity came back", b"p", a.get("/py/private")[0])
    a.set("/py/private", b"p")


def server_lost(how):
    root = "/py/" + how
    a.create(root, b"1")
    a.create(root + "/e", ephemeral=True)
    a.create(root + "/s-", sequence=True)
    before = a.set(root, b"2", version=0)
    values, lists = Events(), Events()
    a.DataWatch(root, lambda value, stat: values.put(value))
    b.ChildrenWatch(root, lambda names: lists.put(sorted(names)))
    same(how + ": DataWatch before", b"2", values.next())
    same(how + ": ChildrenWatch before", ["e", "s-0000000001"], lists.next())
    sessions = a.client_id, b.client_id
    act(how)
    states_a.until(KazooState.SUSPENDED)
    states_b.until(KazooState.SUSPENDED)
    act("start")
    states_a.until(KazooState.CONNECTED)
    states_b.until(KazooState.CONNECTED)
    same(how + ": same sessions", sessions, (a.client_id, b.client_id))
    value, after = a.retry(a.get, root)
    same(how + ": same data", b"2", value)
    ok(how + ": same stat", after[:5] == before[:5] and after.pzxid == before.pzxid and after.numChildren == 2, before, after)
    same(how + ": ephemeral is there", sessions[0][0], b.exists(root + "/e").ephemeralOwner)
    plain = Events()
    a.get_children(root, watch=plain)
    b.set(root, b"3")
    same(how + ": DataWatch", b"3", values.next())
    same(how + ": the sequence goes on", root + "/s-0000000002", a.create(root + "/s-", sequence=True))
    same(how + ": ChildrenWatch", ["e", "s-0000000001", "s-0000000002"], lists.next())
    same(how + ": a new watch", (EventType.CHILD, root), plain.watch())
    a.set("/py/private", b"p")


def takeover():
    """Another process goes on with a session whose id and password it knows."""
    first, lost = connect(proxied)
    first.create("/py/taken", ephemeral=True)
    session = first.client_id
    act("cut")
    lost.until(KazooState.SUSPENDED)
    second, _ = connect(direct, client_id=session)
    same("a session goes on elsewhere", session, second.client_id)
    same("with its ephemeral", second.client_id[0], second.exists("/py/taken").ephemeralOwner)
    second.stop()
    second.close()
    same("and ends there", None, b.exists("/py/taken"))
    states_a.until(KazooState.SUSPENDED)
    act("mend")
    lost.until(KazooState.LOST)
    lost.until(KazooState.CONNECTED)
    ok("the first one gets a new session", first.client_id[0] != session[0], first.client_id)
    first.stop()
    first.close()
    states_a.until(KazooState.CONNECTED)


def session_ends():
    gone = Events()
    ok("ephemeral before", b.exists("/py/kill/e", watch=gone) is not None)
    a.stop()
    same("close deletes ephemerals", (EventType.DELETED, "/py/kill/e"), gone.watch())
    same("all of them", None, b.exists("/py/stop/e"))
    ok("and nothing else", b.exists("/py/stop") is not None)
    a.restart()
    states_a.until(KazooState.CONNECTED)
    same("a client starts again", b"3", a.get("/py/stop")[0])
    a.stop()
    a.close()
    b.stop()
    b.close()


logging.basicConfig(level=logging.CRITICAL)
try:
    a, states_a = connect(proxied)
    b, states_b = connect(direct)
    for part in (modes, data, children, acls, transactions, watches, locks, election, barriers, queues, counters, parties, caches, connection_lost):
        part()
    server_lost("kill")
    server_lost("stop")
    takeover()
    session_ends()
    print("PASS %d checks" % checks, flush=True)
except BaseException as e:
    traceback.print_exc()
    print("FAIL %s: %s" % (type(e).__name__, str(e).replace("\n", " ")), flush=True)
    # Threads of clients that are still connected would keep the process alive.
    sys.stdout.flush()
    sys.stderr.flush()
    __import__("os")._exit(1)
