import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The scenario's side of the conversation with the Go test that started it: wishes go out as DO lines, and each check that
 * holds is an OK line. The first one that does not hold ends the program.
 */
final class Stage {
    /** How long anything may take on a busy machine before it counts as never happening. */
    static final long PATIENCE_MS = 90_000;

    /** Where the client under test connects, and where the onlooker does. */
    final String proxied;
    final String direct;

    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    private int checks;

    Stage(String[] args) {
        proxied = args[args.length - 2];
        direct = args[args.length - 1];
    }

    /** Something that has no value and may throw. */
    interface Step {
        void run() throws Exception;
    }

    /** Plays the scenario and ends the process. */
    static void play(Stage stage, Step scenario) {
        try {
            scenario.run();
            say("PASS " + stage.checks + " checks");
            System.out.flush();
            System.exit(0);
        } catch (Throwable e) {
            e.printStackTrace();
            say("FAIL " + e);
            System.exit(1);
        }
    }

    private static synchronized void say(String line) {
        System.out.println(line.replace('\n', ' '));
        System.out.flush();
    }

    /** Asks the Go test for something and waits until it is done. */
    void act(String word) throws IOException {
        say("DO " + word);
        String answer = in.readLine();
        if (!("DONE " + word).equals(answer)) {
            throw new IOException(word + " was answered with " + answer);
        }
    }

    void ok(String what, boolean holds, Object... got) {
        if (!holds) {
            throw new AssertionError(what + ": got " + Arrays.deepToString(got));
        }
        checks++;
        say("OK " + what);
    }

    void same(String what, Object want, Object got) {
        ok(what, Objects.deepEquals(want, got), got, "want", want);
    }

    /** Checks that the call throws exactly this. */
    void fails(String what, Class<? extends Exception> want, Step call) {
        try {
            call.run();
        } catch (Exception e) {
            ok(what, e.getClass() == want, e);
            return;
        }
        ok(what, false, "no exception", "want " + want.getSimpleName());
    }

    /** Waits until the condition holds: only for what no event announces. */
    void eventually(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(what + ": never");
            }
            Thread.sleep(10);
        }
        checks++;
        say("OK " + what);
    }

    /** As eventually, with the value that was seen last in the complaint. */
    <T> void becomes(String what, T want, Supplier<T> value) throws Exception {
        Object[] last = new Object[1];
        try {
            eventually(what, () -> Objects.equals(want, last[0] = value.get()));
        } catch (AssertionError e) {
            throw new AssertionError(what + ": still " + last[0] + ", want " + want);
        }
    }
}
