package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What the instance that was asked thinks of the cluster; also the event {@code supvisors}. */
public final class StateModes extends CommonStateModes {
    /** @param fields what came */
    public StateModes(Map<String, Object> fields) {
        super(fields);
    }

    /** @return identifiers of the instances that have something to start */
    public List<String> startingJobs() {
        return texts("starting_jobs");
    }

    /** @return identifiers of the instances that have something to stop */
    public List<String> stoppingJobs() {
        return texts("stopping_jobs");
    }
}
