package org.svisor.model;

import java.util.Map;

/** What is collected of statistics. */
public final class StatisticsStatus extends Struct {
    /** @param fields what came */
    public StatisticsStatus(Map<String, Object> fields) {
        super(fields);
    }

    /** @return whether the node's are */
    public boolean hostStats() {
        return flag("host_stats");
    }

    /** @return whether those of processes are */
    public boolean processStats() {
        return flag("process_stats");
    }

    /** @return seconds from one sample to the next */
    public double collectingPeriod() {
        return real("collecting_period");
    }
}
