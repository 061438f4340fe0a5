package org.svisor.model;

import java.util.List;
import java.util.Map;

/** The state of a process over all instances; also the event {@code process}. */
public final class ClusterProcess extends Struct {
    /** @param fields what came */
    public ClusterProcess(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of its application */
    public String applicationName() {
        return text("application_name");
    }

    /** @return name of the process */
    public String processName() {
        return text("process_name");
    }

    /** @return when it was so, in seconds of the monotonic clock of the instance that was asked */
    public double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return its state */
    public ProcessState state() {
        return coded("statecode", ProcessState::ofCode);
    }

    /** @return name of its state */
    public String statename() {
        return text("statename");
    }

    /** @return whether its last end was expected */
    public boolean expectedExit() {
        return flag("expected_exit");
    }

    /** @return when something happened to it last, in seconds of the monotonic clock of the instance that was asked */
    public double lastEventMtime() {
        return real("last_event_mtime");
    }

    /** @return where it runs */
    public List<String> identifiers() {
        return texts("identifiers");
    }

    /** @return what was added to its command line */
    public String extraArgs() {
        return text("extra_args");
    }

    /** @return {@code application:process} */
    public String namespec() {
        return applicationName() + ":" + processName();
    }
}
