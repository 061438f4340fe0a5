package org.svisor.model;

import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What a node has used lately. */
public final class HostHistory extends Measurements {
    /** @param fields what came */
    public HostHistory(Map<String, Object> fields) {
        super(fields);
    }

    /** @return when the periods ended, in seconds since the first measurement */
    public List<Double> times() {
        return reals("times");
    }

    /** @return per cent, a list for each processor; that of their average comes first */
    public List<List<Double>> cpu() {
        return each("cpu", HostHistory::numbers);
    }

    private static List<Double> numbers(Object list) {
        return new ProcessHistory(Collections.singletonMap("cpu", list)).cpu();
    }

    /** @return per cent */
    public List<Double> mem() {
        return reals("mem");
    }

    /** @return by interface: times, received, sent */
    public Map<String, Object> netIo() {
        return map("net_io");
    }

    /** @return by device: times, read, written */
    public Map<String, Object> diskIo() {
        return map("disk_io");
    }

    /** @return by mount point: times, used */
    public Map<String, Object> diskUsage() {
        return map("disk_usage");
    }
}
