package org.svisor.model;

import java.util.Map;

/** What one instance thinks of the cluster. */
public final class InstanceStateModes extends CommonStateModes {
    /** @param fields what came */
    public InstanceStateModes(Map<String, Object> fields) {
        super(fields);
    }

    /** @return whether it has something to start */
    public boolean startingJobs() {
        return flag("starting_jobs");
    }

    /** @return whether it has something to stop */
    public boolean stoppingJobs() {
        return flag("stopping_jobs");
    }
}
