package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What a node used in one period: the event {@code hstats}. */
public final class HostStatistics extends Struct {
    /** @param fields what came */
    public HostStatistics(Map<String, Object> fields) {
        super(fields);
    }

    /** @return identifier of the instance */
    public String identifier() {
        return text("identifier");
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

    /** @return processor use in percent: the average, then each core */
    public List<Double> cpu() {
        return reals("cpu");
    }

    /** @return memory use in percent */
    public double mem() {
        return real("mem");
    }

    /** @return kbit/s received and sent, by network interface */
    public Map<String, List<Double>> netIo() {
        return mapped("net_io", Struct::pair);
    }

    /** @return kbit/s read and written, by device */
    public Map<String, List<Double>> diskIo() {
        return mapped("disk_io", Struct::pair);
    }

    /** @return use in percent, by mount point */
    public Map<String, Double> diskUsage() {
        return mapped("disk_usage", value -> ((Number) value).doubleValue());
    }
}
