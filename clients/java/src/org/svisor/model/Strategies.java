package org.svisor.model;

import java.util.Map;

/** The strategies that all instances of a cluster must share. */
public final class Strategies extends Struct {
    /** @param fields what came */
    public Strategies(Map<String, Object> fields) {
        super(fields);
    }

    /** @return whether a lost instance is shut out */
    public boolean autoFencing() {
        return flag("auto-fencing");
    }

    /** @return how instances are chosen for a start */
    public StartingStrategy starting() {
        return choice("starting", StartingStrategy.class);
    }

    /** @return what becomes of processes that run more than once */
    public ConciliationStrategy conciliation() {
        return choice("conciliation", ConciliationStrategy.class);
    }

    /** @return what becomes of the cluster when instances are missing */
    public SupvisorsFailureStrategy supvisorsFailure() {
        return choice("supvisors_failure", SupvisorsFailureStrategy.class);
    }
}
