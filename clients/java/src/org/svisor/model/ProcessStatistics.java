package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What a process used in one period: the event {@code pstats}. */
public final class ProcessStatistics extends Struct {
    /** @param fields what came */
    public ProcessStatistics(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its name; {@code supervisord}: the daemon itself */
    public String namespec() {
        return text("namespec");
    }

    /** @return identifier of the instance */
    public String identifier() {
        return text("identifier");
    }

    /** @return its process id */
    public int pid() {
        return integer("pid");
    }

    /** @return when it was computed, in seconds of the monotonic clock of the instance that was asked */
    public double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return the period that was asked for, in seconds */
    public double targetPeriod() {
        return real("target_period");
    }

    /** @return its begin and its end, in seconds since the first sample */
    public List<Double> period() {
        return reals("period");
    }

    /** @return processor use in percent of one core */
    public double cpu() {
        return real("cpu");
    }

    /** @return memory use in percent */
    public double mem() {
        return real("mem");
    }
}
