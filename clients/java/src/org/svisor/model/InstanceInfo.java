package org.svisor.model;

import java.util.Map;

/** What is known of an instance; also the event {@code instance}. */
public final class InstanceInfo extends InstanceSummary {
    /** @param fields what came */
    public InstanceInfo(Map<String, Object> fields) {
        super(fields);
    }

    /** @return whether a process of it has crashed or ended unexpectedly */
    public boolean processFailure() {
        return flag("process_failure");
    }

    /** @return how many heartbeats it has sent */
    public long remoteSequenceCounter() {
        return number("remote_sequence_counter");
    }

    /** @return its time at its last heartbeat, in seconds since 1970 */
    public double remoteTime() {
        return real("remote_time");
    }

    /** @return the same on its monotonic clock */
    public double remoteMtime() {
        return real("remote_mtime");
    }

    /** @return how many heartbeats the instance that was asked had sent then */
    public long localSequenceCounter() {
        return number("local_sequence_counter");
    }

    /** @return when that heartbeat came, in seconds since 1970 */
    public double localTime() {
        return real("local_time");
    }

    /** @return the same on the monotonic clock of the instance that was asked */
    public double localMtime() {
        return real("local_mtime");
    }
}
