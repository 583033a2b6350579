import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.api.transaction.OperationType;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.utils.ZKPaths;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;

/** Curator's framework and its recipes, each between two clients, and what is left of them when a connection or the server is lost. */
@SuppressWarnings("deprecation")
public final class CuratorScenario {
    private final Stage stage;
    private final BlockingQueue<ConnectionState> statesOfA = new LinkedBlockingQueue<>();
    private final BlockingQueue<ConnectionState> statesOfB = new LinkedBlockingQueue<>();
    private CuratorFramework a;
    private CuratorFramework b;

    private CuratorScenario(Stage stage) {
        this.stage = stage;
    }

    public static void main(String[] args) {
        Stage stage = new Stage(args);
        Stage.play(stage, () -> new CuratorScenario(stage).play());
    }

    private void play() throws Exception {
        a = connect(stage.proxied, statesOfA, "ann:secret");
        b = connect(stage.direct, statesOfB, null);
        framework();
        transactions();
        watchers();
        locks();
        leaders();
        counters();
        barriers();
        queues();
        caches();
        nodes();
        faults();
        b.close();
        a.close();
    }

    private CuratorFramework connect(String where, BlockingQueue<ConnectionState> states, String digest) throws Exception {
        CuratorFrameworkFactory.Builder builder = CuratorFrameworkFactory.builder().connectString(where)
            .sessionTimeoutMs(30_000).connectionTimeoutMs(15_000).retryPolicy(new RetryNTimes(600, 100));
        if (digest != null) {
            builder.authorization("digest", bytes(digest));
        }
        CuratorFramework client = builder.build();
        client.getConnectionStateListenable().addListener((c, state) -> states.add(state));
        client.start();
        until(states, ConnectionState.CONNECTED);
        return client;
    }

    private static void until(BlockingQueue<ConnectionState> states, ConnectionState want) throws Exception {
        ConnectionState state;
        do {
            state = states.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
            if (state == null) {
                throw new AssertionError("the connection never became " + want);
            }
        } while (state != want);
    }

    private static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] b) {
        return new String(b, StandardCharsets.UTF_8);
    }

    private static <T> T await(CompletableFuture<T> future) throws Exception {
        return future.get(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    }

    private static long session(CuratorFramework client) throws Exception {
        return client.getZookeeperClient().getZooKeeper().getSessionId();
    }

    private void framework() throws Exception {
        stage.same("parents made on the way", "/curator/deep/x", a.create().creatingParentsIfNeeded().forPath("/curator/deep/x", bytes("1")));
        stage.same("container parents", "/curator/box/x", a.create().creatingParentContainersIfNeeded().forPath("/curator/box/x"));
        Stat stat = new Stat();
        String made = a.create().storingStatIn(stat).withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/curator/es-", bytes("e"));
        stage.ok("ephemeral sequential", made.startsWith("/curator/es-000000") && stat.getEphemeralOwner() == session(a), made, stat);
        String guarded = a.create().withProtection().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/curator/g-");
        stage.ok("protection", ZKPaths.getNodeFromPath(guarded).startsWith("_c_"), guarded);
        a.create().withTtl(3_600_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath("/curator/ttl", bytes("t"));
        stage.same("ttl", "t", text(b.getData().forPath("/curator/ttl")));
        a.create().orSetData().forPath("/curator/ttl", bytes("u"));
        stage.same("create or set", "u", text(b.getData().storingStatIn(stat).forPath("/curator/ttl")));
        stage.same("set with a version", 2, a.setData().withVersion(stat.getVersion()).forPath("/curator/ttl", bytes("v")).getVersion());
        stage.fails("set with an old version", KeeperException.BadVersionException.class,
            () -> a.setData().withVersion(0).forPath("/curator/ttl", bytes("w")));
        a.setData().compressed().forPath("/curator/ttl", bytes("squeezed"));
        stage.same("compressed", "squeezed", text(b.getData().decompressed().forPath("/curator/ttl")));
        stage.same("exists of nothing", null, a.checkExists().forPath("/curator/none"));
        stage.same("children", new TreeSet<>(List.of("deep", "box", "ttl", ZKPaths.getNodeFromPath(made), ZKPaths.getNodeFromPath(guarded))),
            new TreeSet<>(a.getChildren().storingStatIn(stat).forPath("/curator")));
        stage.same("stat with the children", 5, stat.getNumChildren());

        a.create().withACL(Ids.CREATOR_ALL_ACL).forPath("/curator/private", bytes("p"));
        stage.fails("a stranger reads", KeeperException.NoAuthException.class, () -> b.getData().forPath("/curator/private"));
        List<ACL> acl = a.getACL().forPath("/curator/private");
        stage.ok("acl", acl.size() == 1 && acl.get(0).getId().getId().startsWith("ann:") && acl.get(0).getPerms() == Perms.ALL, acl);
        a.setACL().withVersion(0).withACL(Arrays.asList(new ACL(Perms.READ, Ids.ANYONE_ID_UNSAFE), acl.get(0))).forPath("/curator/private");
        stage.same("a stranger reads now", "p", text(b.getData().forPath("/curator/private")));

        CompletableFuture<CuratorEvent> done = new CompletableFuture<>();
        a.create().inBackground((c, event) -> done.complete(event)).forPath("/curator/background", bytes("b"));
        stage.same("in the background", 0, await(done).getResultCode());
        CompletableFuture<CuratorEvent> failed = new CompletableFuture<>();
        a.delete().inBackground((c, event) -> failed.complete(event)).forPath("/curator/none");
        stage.same("an error in the background", KeeperException.Code.NONODE.intValue(), await(failed).getResultCode());
        CompletableFuture<CuratorEvent> synced = new CompletableFuture<>();
        a.sync().inBackground((c, event) -> synced.complete(event)).forPath("/curator");
        stage.same("sync", 0, await(synced).getResultCode());

        CuratorFramework space = a.usingNamespace("curator/deep");
        stage.same("namespace", "1", text(space.getData().forPath("/x")));
        space.create().forPath("/y");
        stage.ok("namespace writes", b.checkExists().forPath("/curator/deep/y") != null);
        a.delete().guaranteed().deletingChildrenIfNeeded().forPath("/curator/deep");
        stage.same("delete with children", null, b.checkExists().forPath("/curator/deep"));
        stage.fails("delete of nothing", KeeperException.NoNodeException.class, () -> a.delete().forPath("/curator/deep"));
        a.delete().quietly().forPath("/curator/deep");
    }

    private void transactions() throws Exception {
        CuratorOp create = a.transactionOp().create().withMode(CreateMode.PERSISTENT).forPath("/curator/tx", bytes("1"));
        CuratorOp child = a.transactionOp().create().withMode(CreateMode.EPHEMERAL).forPath("/curator/tx/e");
        CuratorOp check = a.transactionOp().check().withVersion(0).forPath("/curator/tx");
        CuratorOp set = a.transactionOp().setData().withVersion(0).forPath("/curator/tx", bytes("2"));
        CuratorOp delete = a.transactionOp().delete().forPath("/curator/tx/e");
        List<OperationType> types = new ArrayList<>();
        for (CuratorTransactionResult r : a.transaction().forOperations(create, child, check, set, delete)) {
            types.add(r.getType());
        }
        stage.same("transaction", List.of(OperationType.CREATE, OperationType.CREATE, OperationType.CHECK, OperationType.SET_DATA, OperationType.DELETE), types);
        stage.same("its outcome", "2", text(b.getData().forPath("/curator/tx")));
        stage.fails("a transaction that fails", KeeperException.BadVersionException.class, () -> a.transaction().forOperations(
            a.transactionOp().create().forPath("/curator/tx/x"), a.transactionOp().check().withVersion(9).forPath("/curator/tx")));
        stage.same("nothing happened", List.of(), b.getChildren().forPath("/curator/tx"));
    }

    private void watchers() throws Exception {
        CompletableFuture<WatchedEvent> once = new CompletableFuture<>();
        a.checkExists().usingWatcher((org.apache.curator.framework.api.CuratorWatcher) once::complete).forPath("/curator/watch");
        BlockingQueue<String> below = new LinkedBlockingQueue<>();
        a.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE)
            .usingWatcher((org.apache.zookeeper.Watcher) e -> below.add(e.getType() + " " + e.getPath())).forPath("/curator/watched");
        b.create().forPath("/curator/watch");
        stage.same("one-shot watch", "/curator/watch", await(once).getPath());
        b.create().creatingParentsIfNeeded().forPath("/curator/watched/x");
        for (String want : List.of("NodeCreated /curator/watched", "NodeCreated /curator/watched/x")) {
            stage.same("recursive watch: " + want, want, below.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        }
        a.watchers().removeAll().forPath("/curator/watched");
        stage.same("watch removed", "PersistentWatchRemoved /curator/watched", below.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.fails("nothing to remove", KeeperException.NoWatcherException.class, () -> a.watchers().removeAll().forPath("/curator/watched"));
        BlockingQueue<String> kept = new LinkedBlockingQueue<>();
        try (PersistentWatcher persistent = new PersistentWatcher(a, "/curator/pw", false)) {
            persistent.getListenable().addListener(e -> kept.add(e.getType().toString()));
            CountDownLatch armed = new CountDownLatch(1);
            persistent.getResetListenable().addListener(armed::countDown);
            persistent.start();
            armed.await(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
            b.create().forPath("/curator/pw");
            b.create().forPath("/curator/pw/x");
            stage.same("persistent watcher", "NodeCreated", kept.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
            stage.same("persistent watcher again", "NodeChildrenChanged", kept.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        }
    }

    /** Starts the call on a thread of its own, as locks belong to threads. */
    private static <T> CompletableFuture<T> elsewhere(java.util.concurrent.Callable<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                result.complete(call.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    private int waiting(String path) {
        try {
            return b.getChildren().forPath(path).size();
        } catch (KeeperException.NoNodeException e) {
            return 0;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void locks() throws Exception {
        InterProcessMutex mine = new InterProcessMutex(a, "/curator/lock");
        InterProcessMutex theirs = new InterProcessMutex(b, "/curator/lock");
        mine.acquire();
        mine.acquire();
        stage.ok("a lock is reentrant", mine.isOwnedByCurrentThread());
        stage.ok("a lock excludes", !theirs.acquire(50, TimeUnit.MILLISECONDS));
        // Not mine.isAcquiredInThisProcess(): a mutex that is released forgets its thread only after its znode is gone, when the
        // next one may have the lock already.
        AtomicBoolean letGo = new AtomicBoolean();
        CompletableFuture<Boolean> next = elsewhere(() -> {
            theirs.acquire();
            boolean excluded = letGo.get();
            theirs.release();
            return excluded;
        });
        stage.becomes("one waits", 2, () -> waiting("/curator/lock"));
        mine.release();
        stage.ok("it has not got it", !next.isDone());
        letGo.set(true);
        mine.release();
        stage.ok("the next one has it", await(next));

        InterProcessReadWriteLock rwA = new InterProcessReadWriteLock(a, "/curator/rwlock");
        InterProcessReadWriteLock rwB = new InterProcessReadWriteLock(b, "/curator/rwlock");
        rwA.readLock().acquire();
        stage.ok("two readers", rwB.readLock().acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        rwB.readLock().release();
        stage.ok("no writer beside a reader", !rwB.writeLock().acquire(50, TimeUnit.MILLISECONDS));
        rwA.readLock().release();
        stage.ok("a writer alone", rwB.writeLock().acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.ok("no reader beside a writer", !rwA.readLock().acquire(50, TimeUnit.MILLISECONDS));
        rwB.writeLock().release();

        InterProcessSemaphoreMutex semA = new InterProcessSemaphoreMutex(a, "/curator/semmutex");
        InterProcessSemaphoreMutex semB = new InterProcessSemaphoreMutex(b, "/curator/semmutex");
        semA.acquire();
        stage.ok("semaphore mutex excludes", !semB.acquire(50, TimeUnit.MILLISECONDS));
        semA.release();
        stage.ok("semaphore mutex goes on", semB.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        semB.release();

        InterProcessSemaphoreV2 leasesA = new InterProcessSemaphoreV2(a, "/curator/semaphore", 3);
        InterProcessSemaphoreV2 leasesB = new InterProcessSemaphoreV2(b, "/curator/semaphore", 3);
        List<Lease> two = new ArrayList<>(leasesA.acquire(2));
        Lease third = leasesB.acquire();
        stage.same("three leases and no fourth", null, leasesB.acquire(50, TimeUnit.MILLISECONDS));
        leasesA.returnLease(two.get(0));
        Lease fourth = leasesB.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
        stage.ok("a returned lease", fourth != null);
        leasesB.returnAll(List.of(third, fourth));
        leasesA.returnLease(two.get(1));

        InterProcessMultiLock many = new InterProcessMultiLock(a, List.of("/curator/many1", "/curator/many2"));
        many.acquire();
        stage.ok("a lock of many", !new InterProcessMutex(b, "/curator/many2").acquire(50, TimeUnit.MILLISECONDS));
        many.release();
    }

    private void leaders() throws Exception {
        LeaderLatch first = new LeaderLatch(a, "/curator/latch", "a");
        first.start();
        first.await();
        LeaderLatch second = new LeaderLatch(b, "/curator/latch", "b");
        second.start();
        stage.becomes("two participants", 2, () -> waiting("/curator/latch"));
        stage.ok("one leads", first.hasLeadership() && !second.hasLeadership());
        stage.same("both know who", "a", second.getLeader().getId());
        first.close();
        second.await();
        stage.ok("the other leads", second.hasLeadership());
        second.close();

        BlockingQueue<String> led = new LinkedBlockingQueue<>();
        CountDownLatch release = new CountDownLatch(1);
        LeaderSelector selectorA = selector(a, "a", led, release);
        stage.same("selected", "a", led.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        LeaderSelector selectorB = selector(b, "b", led, release);
        stage.becomes("two candidates", 2, () -> waiting("/curator/selector"));
        stage.ok("one at a time", led.isEmpty());
        release.countDown();
        stage.same("then the other", "b", led.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.becomes("both are through", 0, () -> waiting("/curator/selector"));
        selectorA.close();
        selectorB.close();
    }

    private LeaderSelector selector(CuratorFramework client, String name, BlockingQueue<String> led, CountDownLatch release) {
        LeaderSelector selector = new LeaderSelector(client, "/curator/selector", new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework c) throws Exception {
                led.add(name);
                release.await();
            }
        });
        selector.start();
        return selector;
    }

    private void counters() throws Exception {
        SharedCount countA = new SharedCount(a, "/curator/count", 5);
        SharedCount countB = new SharedCount(b, "/curator/count", 7);
        countA.start();
        countB.start();
        stage.same("shared count", 5, countB.getCount());
        countA.setCount(6);
        stage.becomes("the other sees it", 6, countB::getCount);
        stage.ok("try to set", countB.trySetCount(countB.getVersionedValue(), 8));
        stage.becomes("and back", 8, countA::getCount);
        countA.close();
        countB.close();
        SharedValue value = new SharedValue(a, "/curator/value", bytes("seed"));
        value.start();
        stage.same("shared value", "seed", text(value.getValue()));
        value.close();

        DistributedAtomicLong longA = new DistributedAtomicLong(a, "/curator/long", new RetryNTimes(100, 5));
        DistributedAtomicLong longB = new DistributedAtomicLong(b, "/curator/long", new RetryNTimes(100, 5));
        CompletableFuture<Integer> other = elsewhere(() -> {
            int won = 0;
            for (int i = 0; i < 20; i++) {
                won += longB.increment().succeeded() ? 1 : 0;
            }
            return won;
        });
        int won = 0;
        for (int i = 0; i < 20; i++) {
            won += longA.increment().succeeded() ? 1 : 0;
        }
        stage.same("atomic long", (long) won + await(other), longA.get().postValue());
        stage.ok("compare and set", longA.compareAndSet(longA.get().postValue(), 1000L).succeeded());
        stage.same("subtract", 990L, longB.subtract(10L).postValue());
    }

    private void barriers() throws Exception {
        DistributedBarrier barrierA = new DistributedBarrier(a, "/curator/barrier");
        barrierA.setBarrier();
        DistributedBarrier barrierB = new DistributedBarrier(b, "/curator/barrier");
        stage.ok("a barrier holds", !barrierB.waitOnBarrier(50, TimeUnit.MILLISECONDS));
        CompletableFuture<Boolean> through = elsewhere(() -> barrierB.waitOnBarrier(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        barrierA.removeBarrier();
        stage.ok("and opens", await(through));

        DistributedDoubleBarrier doubleA = new DistributedDoubleBarrier(a, "/curator/double", 2);
        DistributedDoubleBarrier doubleB = new DistributedDoubleBarrier(b, "/curator/double", 2);
        CompletableFuture<Thread> comer = new CompletableFuture<>();
        CompletableFuture<Boolean> pair = elsewhere(() -> {
            comer.complete(Thread.currentThread());
            return doubleB.enter(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS) && doubleB.leave(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
        });
        stage.becomes("one has come", 1, () -> waiting("/curator/double"));
        // Really waits: who still counts the others when they come, and finds them gone again, was told before and waits for ever.
        Thread waiter = await(comer);
        stage.eventually("and waits", () -> !pair.isDone() && waiter.getState() == Thread.State.TIMED_WAITING);
        stage.ok("two enter", doubleA.enter(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.ok("and leave", doubleA.leave(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS) && await(pair));
    }

    private static final class Words implements QueueSerializer<String> {
        @Override
        public byte[] serialize(String item) {
            return bytes(item);
        }

        @Override
        public String deserialize(byte[] bytes) {
            return text(bytes);
        }
    }

    private void queues() throws Exception {
        SimpleDistributedQueue simpleA = new SimpleDistributedQueue(a, "/curator/simple");
        SimpleDistributedQueue simpleB = new SimpleDistributedQueue(b, "/curator/simple");
        CompletableFuture<byte[]> taken = elsewhere(simpleB::take);
        stage.ok("offer", simpleA.offer(bytes("first")));
        stage.same("take", "first", text(await(taken)));
        simpleA.offer(bytes("second"));
        simpleA.offer(bytes("third"));
        stage.same("peek", "second", text(simpleB.peek()));
        stage.same("poll", "second", text(simpleB.poll()));
        stage.same("remove", "third", text(simpleA.remove()));
        stage.same("poll of nothing", null, simpleB.poll());

        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        DistributedQueue<String> producer = QueueBuilder.builder(a, null, new Words(), "/curator/queue").buildQueue();
        DistributedQueue<String> consumer = QueueBuilder.builder(b, new QueueConsumer<String>() {
            @Override
            public void consumeMessage(String message) {
                got.add(message);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {
            }
        }, new Words(), "/curator/queue").lockPath("/curator/queuelock").buildQueue();
        producer.start();
        consumer.start();
        for (int i = 0; i < 5; i++) {
            producer.put("m" + i);
        }
        for (int i = 0; i < 5; i++) {
            stage.same("queue " + i, "m" + i, got.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        }
        producer.close();
        consumer.close();
    }

    private void caches() throws Exception {
        b.create().creatingParentsIfNeeded().forPath("/curator/cached/x", bytes("1"));
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        CountDownLatch full = new CountDownLatch(1);
        CuratorCache cache = CuratorCache.build(a, "/curator/cached");
        cache.listenable().addListener(CuratorCacheListener.builder().forCreates(n -> seen.add("created " + n.getPath()))
            .forChanges((old, now) -> seen.add("changed " + text(now.getData()))).forDeletes(n -> seen.add("deleted " + n.getPath()))
            .forInitialized(full::countDown).build());
        cache.start();
        full.await();
        stage.same("cache is full", Set.of("created /curator/cached", "created /curator/cached/x"), Set.of(seen.take(), seen.take()));
        b.setData().forPath("/curator/cached/x", bytes("2"));
        stage.same("cache: changed", "changed 2", seen.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        b.delete().forPath("/curator/cached/x");
        stage.same("cache: deleted", "deleted /curator/cached/x", seen.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.ok("cache: what is left", cache.get("/curator/cached").isPresent() && cache.get("/curator/cached/x").isEmpty());
        cache.close();

        TreeCache tree = new TreeCache(a, "/curator/cached");
        PathChildrenCache children = new PathChildrenCache(a, "/curator/cached", true);
        NodeCache node = new NodeCache(a, "/curator/cached/y");
        tree.start();
        children.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
        node.start(true);
        b.create().forPath("/curator/cached/y", bytes("y"));
        stage.eventually("tree cache", () -> tree.getCurrentData("/curator/cached/y") != null);
        stage.eventually("children cache", () -> children.getCurrentData("/curator/cached/y") != null);
        stage.eventually("node cache", () -> node.getCurrentData() != null);
        b.setData().forPath("/curator/cached/y", bytes("z"));
        stage.becomes("tree cache follows", "z", () -> text(tree.getCurrentData("/curator/cached/y").getData()));
        stage.becomes("children cache follows", "z", () -> text(children.getCurrentData("/curator/cached/y").getData()));
        stage.becomes("node cache follows", "z", () -> text(node.getCurrentData().getData()));
        tree.close();
        children.close();
        node.close();
    }

    private void nodes() throws Exception {
        PersistentNode kept = new PersistentNode(a, CreateMode.EPHEMERAL, false, "/curator/kept", bytes("1"));
        kept.start();
        stage.ok("persistent node", kept.waitForInitialCreate(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        b.delete().forPath(kept.getActualPath());
        stage.eventually("it comes back", () -> b.checkExists().forPath("/curator/kept") != null);
        kept.close();
        PersistentTtlNode ttl = new PersistentTtlNode(a, "/curator/ttlnode", 3_600_000, bytes("t"));
        ttl.start();
        stage.ok("persistent ttl node", ttl.waitForInitialCreate(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        ttl.close();
        GroupMember one = new GroupMember(a, "/curator/group", "one", bytes("1"));
        GroupMember two = new GroupMember(b, "/curator/group", "two", bytes("2"));
        one.start();
        two.start();
        stage.becomes("group", Set.of("one", "two"), () -> new TreeSet<>(two.getCurrentMembers().keySet()));
        one.close();
        stage.becomes("group after one left", Set.of("two"), () -> new TreeSet<>(two.getCurrentMembers().keySet()));
        two.close();
    }

    /** A lock, a leader, a count and a cache live through a lost connection, a killed server and a stopped one. */
    private void faults() throws Exception {
        InterProcessMutex mine = new InterProcessMutex(a, "/curator/held");
        InterProcessMutex theirs = new InterProcessMutex(b, "/curator/held");
        mine.acquire();
        LeaderLatch latchA = new LeaderLatch(a, "/curator/faultlatch", "a");
        LeaderLatch latchB = new LeaderLatch(b, "/curator/faultlatch", "b");
        latchA.start();
        latchA.await();
        latchB.start();
        stage.becomes("two participants again", 2, () -> waiting("/curator/faultlatch"));
        SharedCount count = new SharedCount(a, "/curator/faultcount", 1);
        count.start();
        BlockingQueue<Integer> counted = new LinkedBlockingQueue<>();
        count.addListener(new SharedCountListener() {
            @Override
            public void countHasChanged(SharedCountReader reader, int now) {
                counted.add(now);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {
            }
        });
        SharedCount other = new SharedCount(b, "/curator/faultcount", 1);
        other.start();
        b.create().forPath("/curator/followed", bytes("0"));
        CuratorCache cache = CuratorCache.build(a, "/curator/followed");
        cache.start();
        stage.eventually("cache before", () -> cache.get("/curator/followed").isPresent());
        PersistentNode kept = new PersistentNode(a, CreateMode.EPHEMERAL, false, "/curator/faultkept", bytes("k"));
        kept.start();
        kept.waitForInitialCreate(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
        long created = b.checkExists().forPath("/curator/faultkept").getCzxid();
        long idOfA = session(a);
        long idOfB = session(b);

        stage.act("cut");
        until(statesOfA, ConnectionState.SUSPENDED);
        stage.eventually("a leader without a connection does not lead", () -> !latchA.hasLeadership());
        other.setCount(2);
        b.setData().forPath("/curator/followed", bytes("1"));
        b.create().forPath("/curator/followed/new", bytes("n"));
        stage.ok("its lock is still held", !theirs.acquire(50, TimeUnit.MILLISECONDS));
        stage.act("mend");
        until(statesOfA, ConnectionState.RECONNECTED);
        stage.same("same session after a cut", idOfA, session(a));
        stage.becomes("count after a cut", 2, count::getCount);
        stage.same("count's listener", 2, counted.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        stage.becomes("cache after a cut", "1", () -> text(cache.get("/curator/followed").get().getData()));
        stage.eventually("cache has what came meanwhile", () -> cache.get("/curator/followed/new").isPresent());
        stage.eventually("one leads after a cut", () -> latchA.hasLeadership() != latchB.hasLeadership());
        stage.same("ephemeral after a cut", created, b.checkExists().forPath("/curator/faultkept").getCzxid());

        for (String how : List.of("kill", "stop")) {
            stage.act(how);
            until(statesOfA, ConnectionState.SUSPENDED);
            until(statesOfB, ConnectionState.SUSPENDED);
            stage.act("start");
            until(statesOfA, ConnectionState.RECONNECTED);
            until(statesOfB, ConnectionState.RECONNECTED);
            stage.same(how + ": same session", idOfA, session(a));
            stage.same(how + ": same session of the other", idOfB, session(b));
            stage.same(how + ": ephemeral", created, b.checkExists().forPath("/curator/faultkept").getCzxid());
            stage.ok(how + ": the lock is still held", mine.isAcquiredInThisProcess() && !theirs.acquire(50, TimeUnit.MILLISECONDS));
            stage.eventually(how + ": one leads", () -> latchA.hasLeadership() != latchB.hasLeadership());
            b.setData().forPath("/curator/followed", bytes(how));
            stage.becomes(how + ": cache", how, () -> text(cache.get("/curator/followed").get().getData()));
            other.setCount(how.hashCode());
            stage.becomes(how + ": count", how.hashCode(), count::getCount);
        }
        mine.release();
        stage.ok("the lock is free", theirs.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
        theirs.release();
        kept.close();
        cache.close();
        count.close();
        other.close();
        latchA.close();
        stage.eventually("the last one leads", latchB::hasLeadership);
        latchB.close();
    }
}
