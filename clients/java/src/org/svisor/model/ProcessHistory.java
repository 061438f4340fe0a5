package org.svisor.model;

import java.util.List;
import java.util.Map;

/** What the present run of a process has used lately. */
public final class ProcessHistory extends Measurements {
    /** @param fields what came */
    public ProcessHistory(Map<String, Object> fields) {
        super(fields);
    }

    /** @return whether {@link #cpu} is in per cent of one processor, and not of all */
    public boolean irixMode() {
        return flag("irix_mode");
    }

    /** @return when the periods ended, in seconds since the first measurement of the run */
    public List<Double> times() {
        return reals("times");
    }

    /** @return per cent */
    public List<Double> cpu() {
        return reals("cpu");
    }

    /** @return per cent */
    public List<Double> mem() {
        return reals("mem");
    }

    /** @return the last measurement; what the node does not tell has no key */
    public Map<String, Object> last() {
        return map("last");
    }
}
