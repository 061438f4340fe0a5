package org.svisor.model;

import java.util.Map;

/** What state a daemon is in. */
public final class DaemonState extends Struct {
    /** @param fields what came */
    public DaemonState(Map<String, Object> fields) {
        super(fields);
    }

    /** @return 1 for RUNNING, 2 for FATAL */
    public int statecode() {
        return integer("statecode");
    }

    /** @return RUNNING or FATAL */
    public String statename() {
        return text("statename");
    }
}
