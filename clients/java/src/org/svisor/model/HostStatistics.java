package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What a node used in one period: the event {@code hstats}. */
public final class HostStatistics extends PeriodStatistics {
    /** @param fields what came */
    public HostStatistics(Map<String, Object> fields) {
        super(fields);
    }

    /** @return processor use in percent: the average, then each core */
    public List<Double> cpu() {
        return reals("cpu");
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
