package org.svisor.test;

import java.util.Objects;
import java.util.function.BooleanSupplier;

import org.svisor.Fault;
import org.svisor.FaultException;
import org.svisor.SvisorException;

/** A test program in a few lines: one line for each sentence, and an exit status. */
final class Checks {
    /** Something that may throw. */
    interface Work {
        void run() throws Exception;
    }

    private static final int WAIT_MS_MAX = 20_000;
    private static int failedCount;

    private Checks() {
    }

    static void test(String sentence, Work work) {
        long begin = System.nanoTime();
        try {
            work.run();
            System.out.println("ok - " + sentence + ", " + (System.nanoTime() - begin) / 1_000_000 + " ms");
        } catch (Exception | AssertionError failure) {
            failedCount++;
            System.out.println("not ok - " + sentence);
            failure.printStackTrace(System.out);
        }
    }

    static void equal(Object actual, Object expected, String what) {
        if (!Objects.deepEquals(actual, expected))
            throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }

    static void isTrue(boolean condition, String text) {
        if (!condition)
            throw new AssertionError(text);
    }

    static <E extends Exception> E thrown(Class<E> type, Work work) throws Exception {
        try {
            work.run();
        } catch (Exception failure) {
            if (type.isInstance(failure))
                return type.cast(failure);
            throw failure;
        }
        throw new AssertionError("no " + type.getSimpleName());
    }

    /** The server must refuse, and for this reason. */
    static void refused(Fault fault, Work work) throws Exception {
        equal(thrown(FaultException.class, work).fault(), fault, "fault");
    }

    /** While a server restarts it does not answer: that counts as "not yet". */
    static void waitFor(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + WAIT_MS_MAX * 1_000_000L;
        while (true) {
            try {
                if (condition.getAsBoolean())
                    return;
            } catch (SvisorException notYet) {
                isTrue(System.nanoTime() < end, "waited in vain for " + what + ": " + notYet);
            }
            isTrue(System.nanoTime() < end, "waited in vain for " + what);
            Thread.sleep(10);
        }
    }

    static void finish() {
        System.exit(failedCount > 0 ? 1 : 0);
    }
}
