import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.StandardLockInternalsDriver;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.data.Stat;

/** Curator's contenders in the lines of line_test.go, which says what the arguments are and what is printed. */
final class Contender {
    private final String kind;
    private final String path;
    private final int rounds;
    private final CuratorFramework client;

    private Contender(String address, int timeoutMs, String spec) throws Exception {
        String[] parts = spec.split(":");
        kind = parts[0];
        path = parts[1];
        rounds = Integer.parseInt(parts[2]);
        client = CuratorFrameworkFactory.builder().connectString(address).sessionTimeoutMs(timeoutMs).connectionTimeoutMs(60_000)
            .retryPolicy(new RetryNTimes(5, 100)).build();
        client.start();
        client.blockUntilConnected();
    }

    public static void main(String[] args) throws Exception {
        List<Contender> all = new ArrayList<>();
        for (int i = 2; i < args.length; i++) {
            all.add(new Contender(args[0], Integer.parseInt(args[1]), args[i]));
        }
        say("READY");
        System.in.read();
        List<Thread> threads = new ArrayList<>();
        for (Contender c : all) {
            Thread t = new Thread(c::run);
            t.start();
            threads.add(t);
        }
        for (Thread t : threads) {
            t.join();
        }
        for (Contender c : all) {
            c.client.close();
        }
        System.exit(0);
    }

    private static synchronized void say(String line) {
        System.out.println(line.replace('\n', ' '));
        System.out.flush();
    }

    private void run() {
        try {
            contend();
            say("PASS " + kind + " " + path);
        } catch (Throwable e) {
            e.printStackTrace();
            say("FAIL " + kind + " " + path + ": " + e);
        }
    }

    /** What is done while something is held: nobody may be here who should not, and the counter counts everybody. */
    private void section(String as) throws Exception {
        String inside = client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/inside" + path + "/" + as + "-curator-");
        List<String> there = client.getChildren().forPath("/inside" + path);
        long alone = there.stream().filter(name -> as.equals("x") || name.startsWith("x")).count() - (as.equals("x") ? 1 : 0);
        if (alone > 0 || as.equals("s") && there.size() > 2) {
            throw new AssertionError("not the only one: " + there);
        }
        if (as.equals("x")) {
            Stat stat = new Stat();
            byte[] count = client.getData().storingStatIn(stat).forPath("/count" + path);
            int n = Integer.parseInt(new String(count, StandardCharsets.UTF_8)) + 1;
            client.setData().withVersion(stat.getVersion()).forPath("/count" + path, String.valueOf(n).getBytes(StandardCharsets.UTF_8));
        }
        say("IN " + kind + " " + path);
        if (rounds == 0) {
            Thread.sleep(Long.MAX_VALUE); // until somebody kills the process
        }
        client.delete().forPath(inside);
    }

    private void contend() throws Exception {
        int times = Math.max(1, rounds);
        switch (kind) {
            case "mutex":
                mutex(new InterProcessMutex(client, path), times);
                return;
            case "mutex-by-number": // its own names, but everybody's are sorted by their numbers
                mutex(new InterProcessMutex(client, path, new StandardLockInternalsDriver() {
                    @Override
                    public String fixForSorting(String name, String lockName) {
                        return name.substring(Math.max(0, name.length() - 10));
                    }
                }), times);
                return;
            case "selector":
                selector(times);
                return;
            case "latch":
                for (int i = 0; i < times; i++) {
                    try (LeaderLatch latch = new LeaderLatch(client, path, "curator")) {
                        latch.start();
                        latch.await();
                        section("x");
                    }
                }
                return;
            case "readwrite":
                InterProcessReadWriteLock both = new InterProcessReadWriteLock(client, path);
                for (int i = 0; i < times; i++) {
                    InterProcessMutex one = i % 2 == 0 ? both.readLock() : both.writeLock();
                    one.acquire();
                    section(i % 2 == 0 ? "r" : "x");
                    one.release();
                }
                return;
            case "semaphore":
                InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, path, 2);
                for (int i = 0; i < times; i++) {
                    Lease lease = semaphore.acquire();
                    section("s");
                    semaphore.returnLease(lease);
                }
                return;
            default:
                throw new IllegalArgumentException(kind);
        }
    }

    private void mutex(InterProcessMutex lock, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            lock.acquire();
            section("x");
            lock.release();
        }
    }

    private void selector(int times) throws Exception {
        ExecutorService terms = Executors.newSingleThreadExecutor();
        CountDownLatch left = new CountDownLatch(times);
        Throwable[] wrong = new Throwable[1];
        LeaderSelector selector = new LeaderSelector(client, path, terms, new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework c) {
                try {
                    section("x");
                } catch (Throwable e) {
                    wrong[0] = e;
                }
                left.countDown();
            }
        });
        selector.setId("curator");
        selector.start();
        for (long want = times; want > 0; want--) {
            while (!selector.requeue()) {
                Thread.sleep(1); // it is still in its last term
            }
            while (left.getCount() >= want) {
                Thread.sleep(1);
            }
        }
        terms.submit(() -> { }).get(); // the last term has ended, and the office is given up
        selector.close();
        terms.shutdown();
        if (wrong[0] != null) {
            throw new Exception(wrong[0]);
        }
    }
}
