package org.svisor.model;

import java.util.Map;

/** A process of one instance, as another one knows it. */
public final class InnerProcess extends LocalProcess {
    /** @param fields what came */
    public InnerProcess(Map<String, Object> fields) {
        super(fields);
    }

    /** @return when that was heard, in seconds of the monotonic clock of the instance that was asked */
    public double localMtime() {
        return real("local_mtime");
    }

    /** @return when something happened to it last, on the monotonic clock of its instance */
    public double eventTime() {
        return real("event_time");
    }

    /** @return how long it has been running, in seconds */
    public double uptime() {
        return real("uptime");
    }

    /** @return whether it has crashed or ended unexpectedly */
    public boolean hasCrashed() {
        return flag("has_crashed");
    }
}
