import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;

/** The plain Java client, org.apache.zookeeper.ZooKeeper: every public call, one-shot and persistent watches, lost servers. */
public final class ZooKeeperScenario {
    private static final int TIMEOUT_MS = 30_000;
    private static final List<ACL> ANYONE = Ids.OPEN_ACL_UNSAFE;

    /** Events in the order in which they came, from one watcher or one session. */
    private static final class Events implements Watcher {
        private final BlockingQueue<WatchedEvent> queue = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            queue.add(event);
        }

        WatchedEvent next() throws InterruptedException {
            WatchedEvent event = queue.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
            if (event == null) {
                throw new AssertionError("no event came");
            }
            return event;
        }

        /** Waits for a state; what else comes before it is dropped. */
        void until(KeeperState state) throws InterruptedException {
            WatchedEvent event;
            do {
                event = next();
            } while (event.getType() != EventType.None || event.getState() != state);
        }

        /** The next event of a znode: a watch also hears of the session's states, which are no news of its path. */
        String nextOfNode() throws InterruptedException {
            WatchedEvent event;
            do {
                event = next();
            } while (event.getType() == EventType.None);
            return event.getType() + " " + event.getPath();
        }

        boolean quiet() {
            return queue.stream().allMatch(e -> e.getType() == EventType.None);
        }
    }

    private final Stage stage;
    private final Events seenByA = new Events();
    private final Events seenByB = new Events();
    private ZooKeeper a;
    private ZooKeeper b;

    private ZooKeeperScenario(Stage stage) {
        this.stage = stage;
    }

    public static void main(String[] args) {
        Stage stage = new Stage(args);
        Stage.play(stage, () -> new ZooKeeperScenario(stage).play());
    }

    private void play() throws Exception {
        a = new ZooKeeper(stage.proxied, TIMEOUT_MS, seenByA);
        b = new ZooKeeper(stage.direct, TIMEOUT_MS, seenByB);
        seenByA.until(KeeperState.SyncConnected);
        seenByB.until(KeeperState.SyncConnected);
        session();
        modes();
        data();
        children();
        callbacks();
        acls();
        multi();
        oneShotWatches();
        persistentWatches();
        removedWatches();
        treeTools();
        configuration();
        chroot();
        connectionLost();
        serverLost("kill");
        serverLost("stop");
        takeover();
        sessionEnds();
    }

    private static byte[] bytes(String s) {
        return s.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    private static String text(byte[] b) {
        return b == null ? null : new String(b, java.nio.charset.StandardCharsets.UTF_8);
    }

    private String create(ZooKeeper zk, String path, String data, CreateMode mode) throws Exception {
        return zk.create(path, bytes(data), ANYONE, mode);
    }

    private String create(ZooKeeper zk, String path) throws Exception {
        return create(zk, path, "", CreateMode.PERSISTENT);
    }

    private void session() {
        stage.ok("session id", a.getSessionId() != 0 && a.getSessionId() != b.getSessionId(), a.getSessionId(), b.getSessionId());
        stage.same("password length", 16, a.getSessionPasswd().length);
        stage.same("timeout", TIMEOUT_MS, a.getSessionTimeout());
        stage.same("state", ZooKeeper.States.CONNECTED, a.getState());
    }

    private void modes() throws Exception {
        stage.same("persistent", "/java", create(a, "/java"));
        create(a, "/java/modes");
        Stat stat = new Stat();
        stage.same("with stat", "/java/modes/p", a.create("/java/modes/p", bytes("p"), ANYONE, CreateMode.PERSISTENT, stat));
        stage.ok("stat of a new node", stat.getCzxid() == stat.getMzxid() && stat.getPzxid() == stat.getCzxid() && stat.getCtime() > 0
            && stat.getVersion() == 0 && stat.getDataLength() == 1 && stat.getEphemeralOwner() == 0, stat);
        stage.same("sequential", "/java/modes/s-0000000001", create(a, "/java/modes/s-", "", CreateMode.PERSISTENT_SEQUENTIAL));
        a.create("/java/modes/e", bytes("e"), ANYONE, CreateMode.EPHEMERAL, stat);
        stage.same("ephemeral owner", a.getSessionId(), stat.getEphemeralOwner());
        stage.same("ephemeral sequential", "/java/modes/es-0000000003", create(a, "/java/modes/es-", "", CreateMode.EPHEMERAL_SEQUENTIAL));
        stage.same("container", "/java/modes/c", a.create("/java/modes/c", null, ANYONE, CreateMode.CONTAINER, stat));
        stage.same("container has no owner", 0L, stat.getEphemeralOwner());
        stage.same("ttl", "/java/modes/t", a.create("/java/modes/t", bytes("t"), ANYONE, CreateMode.PERSISTENT_WITH_TTL, stat, 3_600_000));
        stage.same("ttl has no owner", 0L, stat.getEphemeralOwner());
        stage.same("ttl sequential", "/java/modes/ts-0000000006",
            a.create("/java/modes/ts-", null, ANYONE, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 3_600_000));
        Stat parent = a.exists("/java/modes", false);
        stage.ok("parent counts", parent.getNumChildren() == 7 && parent.getCversion() == 7 && parent.getVersion() == 0
            && parent.getPzxid() == stat.getCzxid() && parent.getMzxid() == parent.getCzxid(), parent);

        stage.fails("exists already", KeeperException.NodeExistsException.class, () -> create(a, "/java"));
        stage.fails("no parent", KeeperException.NoNodeException.class, () -> create(a, "/java/none/x"));
        stage.fails("child of an ephemeral", KeeperException.NoChildrenForEphemeralsException.class, () -> create(a, "/java/modes/e/x"));
        stage.fails("no acl", KeeperException.InvalidACLException.class,
            () -> a.create("/java/x", null, Collections.emptyList(), CreateMode.PERSISTENT));
        stage.fails("unknown scheme", KeeperException.InvalidACLException.class,
            () -> a.create("/java/x", null, Arrays.asList(new ACL(Perms.ALL, new Id("nosuch", "x"))), CreateMode.PERSISTENT));
        stage.fails("delete the root's own", KeeperException.BadArgumentsException.class, () -> a.delete("/", -1));
    }

    private void data() throws Exception {
        create(a, "/java/data", "one", CreateMode.PERSISTENT);
        Stat first = new Stat();
        stage.same("get", "one", text(a.getData("/java/data", false, first)));
        Stat second = a.setData("/java/data", bytes("two"), 0);
        stage.ok("set", second.getVersion() == 1 && second.getMzxid() > first.getMzxid() && second.getCzxid() == first.getCzxid()
            && second.getDataLength() == 3, second);
        stage.fails("set with an old version", KeeperException.BadVersionException.class, () -> a.setData("/java/data", null, 0));
        stage.fails("set of nothing", KeeperException.NoNodeException.class, () -> a.setData("/java/none", null, -1));
        stage.fails("get of nothing", KeeperException.NoNodeException.class, () -> a.getData("/java/none", false, null));
        a.setData("/java/data", null, 1);
        stage.same("null stays null", null, a.getData("/java/data", false, first));
        stage.same("null has no length", 0, first.getDataLength());
        a.setData("/java/data", new byte[0], -1);
        stage.same("empty stays empty", "", text(a.getData("/java/data", false, null)));
        byte[] big = new byte[1_000_000];
        Arrays.fill(big, (byte) 'z');
        a.setData("/java/data", big, -1);
        stage.ok("a megabyte", Arrays.equals(big, b.getData("/java/data", false, null)));
        stage.same("exists of nothing", null, a.exists("/java/none", false));
        stage.fails("delete with an old version", KeeperException.BadVersionException.class, () -> a.delete("/java/data", 1));
        a.delete("/java/data", 4);
        stage.same("deleted", null, a.exists("/java/data", false));
        stage.fails("delete of nothing", KeeperException.NoNodeException.class, () -> a.delete("/java/data", -1));
        stage.fails("delete of a parent", KeeperException.NotEmptyException.class, () -> a.delete("/java", -1));
        create(a, "/java/ünïcode-日本", "ö", CreateMode.PERSISTENT);
        stage.same("a path beyond ASCII", "ö", text(b.getData("/java/ünïcode-日本", false, null)));
    }

    private void children() throws Exception {
        create(a, "/java/kids");
        stage.same("no children", List.of(), a.getChildren("/java/kids", false));
        for (String name : List.of("c", "a", "b")) {
            create(a, "/java/kids/" + name);
        }
        create(a, "/java/kids/a/deep");
        Stat stat = new Stat();
        stage.same("children", new TreeSet<>(List.of("a", "b", "c")), new TreeSet<>(a.getChildren("/java/kids", false, stat)));
        stage.ok("stat of a parent", stat.getNumChildren() == 3 && stat.getCversion() == 3, stat);
        stage.same("all children number", 4, a.getAllChildrenNumber("/java/kids"));
        a.delete("/java/kids/b", -1);
        Stat after = a.exists("/java/kids", false);
        stage.ok("after a delete", after.getCversion() == 4 && after.getNumChildren() == 2 && after.getPzxid() > stat.getPzxid(), after);
        stage.fails("children of nothing", KeeperException.NoNodeException.class, () -> a.getChildren("/java/none", false));
        stage.fails("all children number of nothing", KeeperException.NoNodeException.class, () -> a.getAllChildrenNumber("/java/none"));
        stage.same("ephemerals", new TreeSet<>(List.of("/java/modes/e", "/java/modes/es-0000000003")), new TreeSet<>(a.getEphemerals()));
        stage.same("ephemerals under a prefix", List.of("/java/modes/es-0000000003"), a.getEphemerals("/java/modes/es"));
        stage.same("ephemerals of another session", List.of(), b.getEphemerals());
        String many = "/java/many";
        create(a, many);
        for (int i = 0; i < 300; i++) {
            a.create(many + "/" + "n".repeat(20) + i, null, ANYONE, CreateMode.PERSISTENT, (rc, p, c, n) -> { }, null);
        }
        sync(a, many);
        stage.same("many children", 300, a.getChildren(many, false).size());
    }

    private void sync(ZooKeeper zk, String path) throws Exception {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        zk.sync(path, (rc, p, ctx) -> done.complete(rc), null);
        stage.same("sync " + path, 0, done.get(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    }

    /** The asynchronous form of each call: results in the order of the calls, with the code of each. */
    private void callbacks() throws Exception {
        List<String> got = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<Void> last = new CompletableFuture<>();
        String p = "/java/async";
        a.create(p, bytes("1"), ANYONE, CreateMode.PERSISTENT, (rc, path, ctx, name) -> got.add("create " + rc + " " + name), null);
        a.create(p, null, ANYONE, CreateMode.PERSISTENT, (rc, path, ctx, name, stat) -> got.add("create2 " + rc + " " + stat), null);
        a.create(p + "/t", null, ANYONE, CreateMode.PERSISTENT_WITH_TTL,
            (rc, path, ctx, name, stat) -> got.add("ttl " + rc + " " + name + " " + stat.getVersion()), null, 3_600_000);
        a.exists(p, false, (rc, path, ctx, stat) -> got.add("exists " + rc + " " + stat.getNumChildren()), null);
        a.getData(p, false, (rc, path, ctx, data, stat) -> got.add("get " + rc + " " + text(data)), null);
        a.setData(p, bytes("2"), 0, (rc, path, ctx, stat) -> got.add("set " + rc + " " + stat.getVersion()), null);
        a.setData(p, bytes("2"), 0, (rc, path, ctx, stat) -> got.add("set " + rc + " " + stat), null);
        a.getACL(p, new Stat(), (rc, path, ctx, acl, stat) -> got.add("getacl " + rc + " " + acl.equals(ANYONE)), null);
        a.setACL(p, ANYONE, 0, (rc, path, ctx, stat) -> got.add("setacl " + rc + " " + stat.getAversion()), null);
        a.getChildren(p, false, (rc, path, ctx, kids) -> got.add("children " + rc + " " + kids), null);
        a.getChildren(p, false, (rc, path, ctx, kids, stat) -> got.add("children2 " + rc + " " + kids + stat.getCversion()), null);
        a.getAllChildrenNumber(p, (rc, path, ctx, n) -> got.add("number " + rc + " " + n), null);
        a.getEphemerals(p, (rc, ctx, paths) -> got.add("ephemerals " + rc + " " + paths), null);
        a.multi(List.of(Op.check(p, 1), Op.delete(p + "/t", -1)), (rc, path, ctx, results) -> got.add("multi " + rc + " " + results.size()), null);
        a.sync(p, (rc, path, ctx) -> got.add("sync " + rc + " " + path), null);
        a.delete(p, 1, (rc, path, ctx) -> got.add("delete " + rc), null);
        a.exists(p, false, (rc, path, ctx, stat) -> {
            got.add("exists " + rc + " " + stat);
            last.complete(null);
        }, null);
        last.get(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
        stage.same("callbacks", List.of("create 0 " + p, "create2 -110 null", "ttl 0 " + p + "/t 0", "exists 0 1", "get 0 1", "set 0 1",
            "set -103 null", "getacl 0 true", "setacl 0 1", "children 0 [t]", "children2 0 [t]1", "number 0 1", "ephemerals 0 []",
            "multi 0 2", "sync 0 " + p, "delete 0", "exists -101 null"), got);
    }

    private static String identities(ZooKeeper zk) throws Exception {
        TreeSet<String> all = new TreeSet<>();
        for (ClientInfo info : zk.whoAmI()) {
            all.add(info.getAuthScheme() + ":" + info.getUser());
        }
        return all.toString();
    }

    private void acls() throws Exception {
        stage.same("who am I", "[ip:127.0.0.1]", identities(a));
        a.addAuthInfo("digest", bytes("ann:secret"));
        stage.same("who am I with a digest", "[digest:ann, ip:127.0.0.1]", identities(a));
        a.create("/java/private", bytes("p"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        ACL mine = new ACL(Perms.ALL, new Id("digest", DigestAuthenticationProvider.generateDigest("ann:secret")));
        Stat stat = new Stat();
        stage.same("auth becomes the digest", List.of(mine), a.getACL("/java/private", stat));
        stage.same("acl version", 0, stat.getAversion());
        Class<KeeperException.NoAuthException> denied = KeeperException.NoAuthException.class;
        stage.fails("a stranger reads", denied, () -> b.getData("/java/private", false, null));
        stage.fails("a stranger writes", denied, () -> b.setData("/java/private", null, -1));
        stage.fails("a stranger lists", denied, () -> b.getChildren("/java/private", false));
        stage.fails("a stranger counts", denied, () -> b.getAllChildrenNumber("/java/private"));
        stage.fails("a stranger creates", denied, () -> create(b, "/java/private/x"));
        stage.fails("a stranger asks for the acl", denied, () -> b.getACL("/java/private", null));
        stage.fails("a stranger sets the acl", denied, () -> b.setACL("/java/private", ANYONE, -1));
        stage.fails("auth without an identity", KeeperException.InvalidACLException.class,
            () -> b.create("/java/x", null, Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
        List<ACL> readable = Arrays.asList(new ACL(Perms.READ, Ids.ANYONE_ID_UNSAFE), mine);
        stat = a.setACL("/java/private", readable, 0);
        stage.ok("set acl", stat.getAversion() == 1 && stat.getVersion() == 0 && stat.getMzxid() == stat.getCzxid(), stat);
        stage.fails("set acl with an old version", KeeperException.BadVersionException.class, () -> a.setACL("/java/private", readable, 0));
        stage.fails("set acl of nothing", KeeperException.NoNodeException.class, () -> a.setACL("/java/none", ANYONE, -1));
        stage.same("a stranger reads now", "p", text(b.getData("/java/private", false, null)));
        stage.same("a reader sees no hash", "ann:x", b.getACL("/java/private", null).get(1).getId().getId());
        stage.fails("a reader writes", denied, () -> b.setData("/java/private", null, -1));
        create(a, "/java/private/kid");
        stage.fails("a reader deletes", denied, () -> b.delete("/java/private/kid", -1));
        a.create("/java/ip", null, Arrays.asList(new ACL(Perms.ALL, new Id("ip", "127.0.0.0/8"))), CreateMode.PERSISTENT);
        stage.same("ip acl lets loopback in", 1, b.setData("/java/ip", null, -1).getVersion());
        a.create("/java/far", null, Arrays.asList(new ACL(Perms.ALL, new Id("ip", "10.0.0.0/8"))), CreateMode.PERSISTENT);
        stage.fails("ip acl keeps loopback out", denied, () -> b.setData("/java/far", null, -1));

        Events seen = new Events();
        ZooKeeper wrong = new ZooKeeper(stage.direct, TIMEOUT_MS, seen);
        seen.until(KeeperState.SyncConnected);
        wrong.addAuthInfo("digest", bytes("ann:wrong"));
        stage.fails("a wrong password writes", denied, () -> wrong.setData("/java/private", null, -1));
        wrong.addAuthInfo("digest", bytes("ann:secret"));
        stage.same("a second identity helps", 1, wrong.setData("/java/private", bytes("p"), -1).getVersion());
        wrong.close();
        Events refused = new Events();
        ZooKeeper bad = new ZooKeeper(stage.direct, TIMEOUT_MS, refused);
        refused.until(KeeperState.SyncConnected);
        bad.addAuthInfo("nosuch", bytes("x"));
        refused.until(KeeperState.AuthFailed);
        stage.ok("an unknown scheme fails", !bad.getState().isAlive(), bad.getState());
        bad.close();
    }

    private void multi() throws Exception {
        create(a, "/java/multi");
        List<OpResult> got = a.multi(List.of(
            Op.check("/java/multi", 0),
            Op.create("/java/multi/s-", bytes("s"), ANYONE, CreateMode.PERSISTENT_SEQUENTIAL),
            Op.create("/java/multi/e", null, ANYONE, CreateMode.EPHEMERAL),
            Op.create("/java/multi/c", null, ANYONE, CreateMode.CONTAINER),
            Op.create("/java/multi/t", null, ANYONE, CreateMode.PERSISTENT_WITH_TTL, 3_600_000),
            Op.setData("/java/multi", bytes("m"), 0),
            Op.delete("/java/multi/e", 0)));
        stage.same("multi has all results", 7, got.size());
        stage.same("multi created a sequential", "/java/multi/s-0000000000", ((OpResult.CreateResult) got.get(1)).getPath());
        stage.same("multi created a container", "/java/multi/c", ((OpResult.CreateResult) got.get(3)).getPath());
        Stat set = ((OpResult.SetDataResult) got.get(5)).getStat();
        stage.same("multi set", 1, set.getVersion());
        stage.same("one zxid for all", set.getMzxid(), a.exists("/java/multi/s-0000000000", false).getCzxid());
        try {
            a.multi(List.of(Op.create("/java/multi/x", null, ANYONE, CreateMode.PERSISTENT), Op.check("/java/multi", 7), Op.delete("/java/multi", -1)));
            stage.ok("multi that fails", false, "no exception");
        } catch (KeeperException.BadVersionException e) {
            List<Integer> codes = new ArrayList<>();
            for (OpResult r : e.getResults()) {
                codes.add(((OpResult.ErrorResult) r).getErr());
            }
            stage.same("an error for each", List.of(0, -103, -2), codes);
        }
        stage.same("nothing happened", null, a.exists("/java/multi/x", false));
        stage.same("an empty multi", List.of(), a.multi(List.of()));
        List<OpResult> transaction = a.transaction().create("/java/multi/y", bytes("y"), ANYONE, CreateMode.PERSISTENT)
            .setData("/java/multi/y", bytes("z"), 0).check("/java/multi/y", 1).commit();
        stage.same("a transaction sees itself", 3, transaction.size());
        List<OpResult> reads = a.multi(List.of(Op.getData("/java/multi/y"), Op.getChildren("/java/multi"), Op.getData("/java/none")));
        stage.same("multi read data", "z", text(((OpResult.GetDataResult) reads.get(0)).getData()));
        stage.same("multi read children", new TreeSet<>(List.of("s-0000000000", "c", "t", "y")),
            new TreeSet<>(((OpResult.GetChildrenResult) reads.get(1)).getChildren()));
        stage.same("multi read of nothing", -101, ((OpResult.ErrorResult) reads.get(2)).getErr());
    }

    private void oneShotWatches() throws Exception {
        create(a, "/java/w");
        Events born = new Events();
        Events kids = new Events();
        stage.same("exists and watch", null, a.exists("/java/w/x", born));
        a.getChildren("/java/w", kids);
        create(b, "/java/w/x");
        stage.same("exists watch: created", "NodeCreated /java/w/x", born.nextOfNode());
        stage.same("child watch: created", "NodeChildrenChanged /java/w", kids.nextOfNode());
        Events changed = new Events();
        a.getData("/java/w/x", changed, null);
        a.exists("/java/w/x", changed);
        b.setData("/java/w/x", bytes("1"), -1);
        b.setData("/java/w/x", bytes("2"), -1);
        stage.same("data watch: changed", "NodeDataChanged /java/w/x", changed.nextOfNode());
        Events gone = new Events();
        Events empty = new Events();
        a.getData("/java/w/x", gone, null);
        a.getChildren("/java/w/x", empty);
        a.getChildren("/java/w", kids);
        b.setACL("/java/w/x", ANYONE, -1);
        b.setData("/java/w", bytes("quiet"), -1);
        b.delete("/java/w/x", -1);
        stage.same("data watch: deleted", "NodeDeleted /java/w/x", gone.nextOfNode());
        stage.same("child watch: deleted itself", "NodeDeleted /java/w/x", empty.nextOfNode());
        stage.same("child watch: deleted child", "NodeChildrenChanged /java/w", kids.nextOfNode());
        stage.ok("one shot is one", changed.quiet() && gone.quiet() && born.quiet());
        Events byDefault = new Events();
        a.register(byDefault);
        a.exists("/java/w/y", true);
        create(b, "/java/w/y");
        stage.same("the session's own watcher", "NodeCreated /java/w/y", byDefault.nextOfNode());
        a.register(seenByA);
    }

    private void persistentWatches() throws Exception {
        Events exact = new Events();
        a.addWatch("/java/pw", exact, AddWatchMode.PERSISTENT);
        create(b, "/java/pw");
        create(b, "/java/pw/k");
        b.setData("/java/pw", bytes("1"), -1);
        b.setData("/java/pw/k", bytes("1"), -1);
        b.delete("/java/pw/k", -1);
        b.delete("/java/pw", -1);
        for (String want : List.of("NodeCreated", "NodeChildrenChanged", "NodeDataChanged", "NodeChildrenChanged", "NodeDeleted")) {
            stage.same("persistent watch: " + want, want + " /java/pw", exact.nextOfNode());
        }
        Events below = new Events();
        CompletableFuture<Integer> added = new CompletableFuture<>();
        a.addWatch("/java/rw", below, AddWatchMode.PERSISTENT_RECURSIVE, (rc, path, ctx) -> added.complete(rc), null);
        stage.same("recursive watch", 0, added.get(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        create(b, "/java/rw");
        create(b, "/java/rw/k");
        create(b, "/java/rw/k/j");
        b.setData("/java/rw/k/j", bytes("1"), -1);
        b.multi(List.of(Op.create("/java/rw/q", null, ANYONE, CreateMode.PERSISTENT), Op.setData("/java/rw/q", null, -1), Op.delete("/java/rw/q", -1)));
        ZKUtil.deleteRecursive(b, "/java/rw");
        for (String want : List.of("NodeCreated /java/rw", "NodeCreated /java/rw/k", "NodeCreated /java/rw/k/j", "NodeDataChanged /java/rw/k/j",
            "NodeCreated /java/rw/q", "NodeDataChanged /java/rw/q", "NodeDeleted /java/rw/q",
            "NodeDeleted /java/rw/k/j", "NodeDeleted /java/rw/k", "NodeDeleted /java/rw")) {
            stage.same("recursive watch: " + want, want, below.nextOfNode());
        }
        stage.ok("no event too many", exact.quiet() && below.quiet());
    }

    private void removedWatches() throws Exception {
        create(a, "/java/rm");
        Events data = new Events();
        Events kids = new Events();
        Events both = new Events();
        a.getData("/java/rm", data, null);
        a.getChildren("/java/rm", kids);
        a.removeWatches("/java/rm", data, WatcherType.Data, false);
        stage.same("data watch removed", "DataWatchRemoved /java/rm", data.nextOfNode());
        a.removeWatches("/java/rm", kids, WatcherType.Children, false);
        stage.same("child watch removed", "ChildWatchRemoved /java/rm", kids.nextOfNode());
        a.addWatch("/java/rm", both, AddWatchMode.PERSISTENT);
        a.removeAllWatches("/java/rm", WatcherType.Any, false);
        stage.same("persistent watch removed", "PersistentWatchRemoved /java/rm", both.nextOfNode());
        stage.fails("no such watcher", KeeperException.NoWatcherException.class,
            () -> a.removeWatches("/java/rm", data, WatcherType.Data, false));
        stage.fails("no watcher at all", KeeperException.NoWatcherException.class,
            () -> a.removeAllWatches("/java/none", WatcherType.Any, false));
        Events later = new Events();
        a.addWatch("/java/rm", later, AddWatchMode.PERSISTENT_RECURSIVE);
        b.setData("/java/rm", bytes("1"), -1);
        stage.same("a watch after the removed", "NodeDataChanged /java/rm", later.nextOfNode());
        stage.ok("the removed are quiet", data.quiet() && kids.quiet() && both.quiet());
        CompletableFuture<Integer> removed = new CompletableFuture<>();
        a.removeWatches("/java/rm", later, WatcherType.Any, false, (rc, path, ctx) -> removed.complete(rc), null);
        stage.same("remove with a callback", 0, removed.get(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.same("recursive watch removed", "PersistentWatchRemoved /java/rm", later.nextOfNode());
    }

    private void treeTools() throws Exception {
        List<String> all = ZKUtil.listSubTreeBFS(a, "/java/kids");
        stage.same("list a subtree", List.of("/java/kids", "/java/kids/a", "/java/kids/c", "/java/kids/a/deep"),
            List.of(all.get(0), all.get(1).compareTo(all.get(2)) < 0 ? all.get(1) : all.get(2),
                all.get(1).compareTo(all.get(2)) < 0 ? all.get(2) : all.get(1), all.get(3)));
        stage.ok("delete a subtree", ZKUtil.deleteRecursive(a, "/java/many", 20));
        stage.same("it is gone", null, a.exists("/java/many", false));
    }

    private void configuration() throws Exception {
        Stat stat = new Stat();
        byte[] config = a.getConfig(false, stat);
        stage.ok("a configuration is empty or names servers", config == null || config.length == 0 || text(config).startsWith("server.1="), text(config));
        stage.ok("its stat", stat.getCzxid() == 0 && stat.getEphemeralOwner() == 0, stat);
        ZooKeeperAdmin admin = new ZooKeeperAdmin(stage.direct, TIMEOUT_MS, event -> { });
        stage.fails("reconfig without the feature", KeeperException.ReconfigDisabledException.class,
            () -> admin.reconfigure("server.2=127.0.0.1:1:2;3", null, null, -1, null));
        admin.close();
    }

    private void chroot() throws Exception {
        create(a, "/java/root");
        Events seen = new Events();
        ZooKeeper inner = new ZooKeeper(stage.direct + "/java/root", TIMEOUT_MS, seen);
        seen.until(KeeperState.SyncConnected);
        Events born = new Events();
        inner.exists("/x", born);
        stage.same("create under a chroot", "/x", create(inner, "/x"));
        stage.same("watch under a chroot", "NodeCreated /x", born.nextOfNode());
        stage.ok("seen from outside", a.exists("/java/root/x", false) != null);
        inner.close();
    }

    private void connectionLost() throws Exception {
        long id = a.getSessionId();
        stage.act("drop");
        seenByA.until(KeeperState.Disconnected);
        seenByA.until(KeeperState.SyncConnected);
        stage.same("same session after a drop", id, a.getSessionId());

        create(a, "/java/away");
        for (String name : List.of("data", "kids", "gone", "still", "kept", "pw", "rw")) {
            create(a, "/java/away/" + name);
        }
        create(a, "/java/away/mine", "", CreateMode.EPHEMERAL);
        Map<String, Events> w = new HashMap<>();
        for (String name : List.of("data", "kids", "gone", "still", "kept", "pw", "rw", "born", "unborn")) {
            w.put(name, new Events());
        }
        a.getData("/java/away/data", w.get("data"), null);
        a.getChildren("/java/away/kids", w.get("kids"));
        a.exists("/java/away/gone", w.get("gone"));
        a.exists("/java/away/born", w.get("born"));
        a.exists("/java/away/unborn", w.get("unborn"));
        a.getData("/java/away/still", w.get("still"), null);
        a.getChildren("/java/away/kept", w.get("kept"));
        a.addWatch("/java/away/pw", w.get("pw"), AddWatchMode.PERSISTENT);
        a.addWatch("/java/away/rw", w.get("rw"), AddWatchMode.PERSISTENT_RECURSIVE);
        stage.act("cut");
        seenByA.until(KeeperState.Disconnected);
        b.setData("/java/away/data", bytes("new"), -1);
        create(b, "/java/away/kids/k");
        b.delete("/java/away/gone", -1);
        create(b, "/java/away/born");
        b.setData("/java/away/pw", bytes("missed"), -1);
        create(b, "/java/away/rw/missed");
        stage.same("ephemeral is there while away", id, b.exists("/java/away/mine", false).getEphemeralOwner());
        stage.act("mend");
        seenByA.until(KeeperState.SyncConnected);
        stage.same("same session after a cut", id, a.getSessionId());
        stage.same("caught up: changed", "NodeDataChanged /java/away/data", w.get("data").nextOfNode());
        stage.same("caught up: child", "NodeChildrenChanged /java/away/kids", w.get("kids").nextOfNode());
        stage.same("caught up: deleted", "NodeDeleted /java/away/gone", w.get("gone").nextOfNode());
        stage.same("caught up: created", "NodeCreated /java/away/born", w.get("born").nextOfNode());
        sync(a, "/");
        stage.ok("what did not change is quiet", w.get("still").quiet() && w.get("kept").quiet() && w.get("unborn").quiet());
        stage.ok("a persistent watch does not catch up", w.get("pw").quiet() && w.get("rw").quiet());
        b.setData("/java/away/still", bytes("new"), -1);
        create(b, "/java/away/kept/k");
        create(b, "/java/away/unborn");
        b.setData("/java/away/pw", bytes("seen"), -1);
        create(b, "/java/away/pw/k");
        create(b, "/java/away/rw/seen");
        create(b, "/java/away/rw/seen/deep");
        stage.same("re-armed: changed", "NodeDataChanged /java/away/still", w.get("still").nextOfNode());
        stage.same("re-armed: child", "NodeChildrenChanged /java/away/kept", w.get("kept").nextOfNode());
        stage.same("re-armed: created", "NodeCreated /java/away/unborn", w.get("unborn").nextOfNode());
        stage.same("re-armed: persistent", "NodeDataChanged /java/away/pw", w.get("pw").nextOfNode());
        stage.same("re-armed: persistent child", "NodeChildrenChanged /java/away/pw", w.get("pw").nextOfNode());
        stage.same("re-armed: recursive", "NodeCreated /java/away/rw/seen", w.get("rw").nextOfNode());
        stage.same("re-armed: recursive deep", "NodeCreated /java/away/rw/seen/deep", w.get("rw").nextOfNode());
        stage.same("the identity came back", "[digest:ann, ip:127.0.0.1]", identities(a));
    }

    private void serverLost(String how) throws Exception {
        String root = "/java/" + how;
        create(a, root);
        create(a, root + "/e", "", CreateMode.EPHEMERAL);
        create(a, root + "/s-", "", CreateMode.PERSISTENT_SEQUENTIAL);
        create(a, root + "/below");
        a.setData(root, bytes("2"), 0);
        Events data = new Events();
        Events kids = new Events();
        Events born = new Events();
        Events exact = new Events();
        Events below = new Events();
        Events direct = new Events();
        Stat before = new Stat();
        a.getData(root, data, before);
        a.getChildren(root, kids);
        a.exists(root + "/born", born);
        // On paths of their own: up to 3.8 a server knows one watch for a path and side, and the last one asked for wins.
        a.addWatch(root + "/exact", exact, AddWatchMode.PERSISTENT);
        a.addWatch(root + "/below", below, AddWatchMode.PERSISTENT_RECURSIVE);
        b.getData(root, direct, null);
        long idOfA = a.getSessionId();
        long idOfB = b.getSessionId();
        stage.act(how);
        seenByA.until(KeeperState.Disconnected);
        seenByB.until(KeeperState.Disconnected);
        stage.act("start");
        seenByA.until(KeeperState.SyncConnected);
        seenByB.until(KeeperState.SyncConnected);
        stage.same(how + ": same session", idOfA, a.getSessionId());
        stage.same(how + ": same session of the other", idOfB, b.getSessionId());
        Stat after = new Stat();
        stage.same(how + ": same data", "2", text(a.getData(root, false, after)));
        stage.same(how + ": same stat", before, after);
        stage.same(how + ": ephemeral is there", idOfA, b.exists(root + "/e", false).getEphemeralOwner());
        stage.ok(how + ": it is among the session's own", a.getEphemerals().contains(root + "/e"));
        stage.ok(how + ": no event of its own", data.quiet() && kids.quiet() && born.quiet() && exact.quiet() && below.quiet());
        b.setData(root, bytes("3"), 1);
        stage.same(how + ": the sequence goes on", root + "/s-0000000003", create(b, root + "/s-", "", CreateMode.PERSISTENT_SEQUENTIAL));
        create(b, root + "/born");
        create(b, root + "/exact");
        b.setData(root + "/exact", bytes("1"), -1);
        b.setData(root + "/below", bytes("1"), -1);
        create(b, root + "/below/deep");
        stage.same(how + ": data watch", "NodeDataChanged " + root, data.nextOfNode());
        stage.same(how + ": child watch", "NodeChildrenChanged " + root, kids.nextOfNode());
        stage.same(how + ": exists watch", "NodeCreated " + root + "/born", born.nextOfNode());
        stage.same(how + ": persistent watch, created", "NodeCreated " + root + "/exact", exact.nextOfNode());
        stage.same(how + ": persistent watch, changed", "NodeDataChanged " + root + "/exact", exact.nextOfNode());
        stage.same(how + ": recursive watch, changed", "NodeDataChanged " + root + "/below", below.nextOfNode());
        stage.same(how + ": recursive watch, created", "NodeCreated " + root + "/below/deep", below.nextOfNode());
        stage.same(how + ": data watch of the other", "NodeDataChanged " + root, direct.nextOfNode());
        stage.same(how + ": the identity came back", "[digest:ann, ip:127.0.0.1]", identities(a));
        stage.same(how + ": a private node is still mine", "p", text(a.getData("/java/private", false, null)));
        a.removeAllWatches(root + "/exact", WatcherType.Any, false);
        a.removeAllWatches(root + "/below", WatcherType.Any, false);
    }

    /** Another process may go on with a session when it knows the id and the password; with a wrong password it may not. */
    private void takeover() throws Exception {
        Events lost = new Events();
        ZooKeeper first = new ZooKeeper(stage.proxied, TIMEOUT_MS, lost);
        lost.until(KeeperState.SyncConnected);
        create(first, "/java/taken", "", CreateMode.EPHEMERAL);
        stage.act("cut");
        lost.until(KeeperState.Disconnected);
        Events refused = new Events();
        ZooKeeper thief = new ZooKeeper(stage.direct, TIMEOUT_MS, refused, first.getSessionId(), new byte[16]);
        refused.until(KeeperState.Expired);
        thief.close();
        stage.ok("a wrong password resumes nothing", b.exists("/java/taken", false) != null);
        Events resumed = new Events();
        ZooKeeper second = new ZooKeeper(stage.direct, TIMEOUT_MS, resumed, first.getSessionId(), first.getSessionPasswd());
        resumed.until(KeeperState.SyncConnected);
        stage.same("a session goes on elsewhere", first.getSessionId(), second.getSessionId());
        stage.same("with its ephemerals", List.of("/java/taken"), second.getEphemerals());
        second.close();
        stage.same("and ends there", null, b.exists("/java/taken", false));
        seenByA.until(KeeperState.Disconnected);
        stage.act("mend");
        lost.until(KeeperState.Expired);
        stage.same("the first one hears of it", ZooKeeper.States.CLOSED, first.getState());
        seenByA.until(KeeperState.SyncConnected);
        first.close();
    }

    private void sessionEnds() throws Exception {
        Events gone = new Events();
        stage.ok("ephemeral before", b.exists("/java/kill/e", gone) != null);
        a.close();
        stage.same("close deletes ephemerals", "NodeDeleted /java/kill/e", gone.nextOfNode());
        stage.same("all of them", null, b.exists("/java/stop/e", false));
        stage.ok("and nothing else", b.exists("/java/stop", false) != null);
        b.close();
    }
}
