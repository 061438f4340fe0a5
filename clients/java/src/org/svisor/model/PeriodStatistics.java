package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What was used in one period, as the events {@code hstats} and {@code pstats} tell it. */
public abstract class PeriodStatistics extends Struct {
    /** @param fields what came */
    PeriodStatistics(Map<String, Object> fields) {
        super(fields);
    }

    /** @return identifier of the instance */
    public final String identifier() {
        return text("identifier");
    }

    /** @return when it was computed, in seconds of the monotonic clock of the instance that was asked */
    public final double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return the period that was asked for, in seconds */
    public final double targetPeriod() {
        return real("target_period");
    }

    /** @return its begin and its end, in seconds since the first sample */
    public final List<Double> period() {
        return reals("period");
    }

    /** @return memory use in percent */
    public final double mem() {
        return real("mem");
    }
}
