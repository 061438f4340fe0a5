package org.svisor.model;

import java.util.Map;

/** What was measured on a node, over one of its {@code stats_periods}; docs/statistics.md says what the numbers mean. */
public abstract class Measurements extends Struct {
    /** @param fields what came */
    Measurements(Map<String, Object> fields) {
        super(fields);
    }

    /** @return the one of {@code stats_periods} that this is about, in seconds */
    public final double targetPeriod() {
        return real("target_period");
    }

    /** @return how many processors the node has; 0: it was not measured yet */
    public final int cores() {
        return integer("cores");
    }
}
