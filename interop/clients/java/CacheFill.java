import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.cache.TreeCacheEvent;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Fills a cache of a tree as often as it is told to, and says how long each filling took. Arguments: the server, the tree's root. Each
 * line of the standard input is answered by one with nanoseconds and the number of znodes.
 */
final class CacheFill {
    public static void main(String[] args) throws Exception {
        CuratorFramework c = CuratorFrameworkFactory.newClient(args[0], 60_000, 15_000, new ExponentialBackoffRetry(100, 5));
        c.start();
        c.blockUntilConnected();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        while (in.readLine() != null) {
            CountDownLatch full = new CountDownLatch(1);
            int[] count = new int[1]; // events come one after the other
            long begin = System.nanoTime();
            try (TreeCache cache = new TreeCache(c, args[1])) {
                cache.getListenable().addListener((client, event) -> {
                    if (event.getType() == TreeCacheEvent.Type.NODE_ADDED) {
                        count[0]++;
                    } else if (event.getType() == TreeCacheEvent.Type.INITIALIZED) {
                        full.countDown();
                    }
                });
                cache.start();
                full.await();
                System.out.println(System.nanoTime() - begin + " " + count[0]);
            }
        }
        c.close();
    }
}
