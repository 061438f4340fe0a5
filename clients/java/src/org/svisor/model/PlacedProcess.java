package org.svisor.model;

import java.util.List;
import java.util.Map;

/** Where one process of an application is, and why. */
public final class PlacedProcess extends Struct {
    /** @param fields what came */
    public PlacedProcess(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of the process */
    public String processName() {
        return text("process_name");
    }

    /** @return its state */
    public ProcessState state() {
        return choice("statename", ProcessState.class);
    }

    /** @return nicknames of the instances where it runs */
    public List<String> runningOn() {
        return texts("running_on");
    }

    /** @return nicknames of the instances where it may run */
    public List<String> mayRunOn() {
        return texts("may_run_on");
    }

    /** @return what its rule says of that, as written */
    public List<String> identifiers() {
        return texts("identifiers");
    }

    /** @return what it is expected to load, in percent */
    public int expectedLoading() {
        return integer("expected_loading");
    }

    /** @return the last decision about it, in words */
    public String why() {
        return text("why");
    }
}
