package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What a host and each of its processes used in the last period that has ended. */
public final class Usage extends Measurements {
    /** @param fields what came */
    public Usage(Map<String, Object> fields) {
        super(fields);
    }

    /** @return seconds since 1970, of that host */
    public double now() {
        return real("now");
    }

    /** @return the option {@code stats_periods}, in seconds */
    public List<Double> periods() {
        return reals("periods");
    }

    /** @return whether the processor time of processes is in per cent of one processor, and not of all */
    public boolean irixMode() {
        return flag("irix_mode");
    }

    /** @return {@code cpu} and {@code mem} of the host in per cent; empty before the first period is over */
    public Map<String, Object> host() {
        return map("host");
    }

    /** @return for each process that was measured, by namespec, a list of two: cpu and mem in per cent */
    public Map<String, Object> processes() {
        return map("processes");
    }
}
