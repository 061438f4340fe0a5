package org.svisor.model;

import java.util.Map;

/** The state of an application; also the event {@code application}. */
public final class ApplicationInfo extends Struct {
    /** @param fields what came */
    public ApplicationInfo(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of the application */
    public String applicationName() {
        return text("application_name");
    }

    /** @return whether it has rules */
    public boolean managed() {
        return flag("managed");
    }

    /** @return when it was so, in seconds of the monotonic clock of the instance that was asked */
    public double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return its state */
    public ApplicationState state() {
        return coded("statecode", ApplicationState::ofCode);
    }

    /** @return name of its state */
    public String statename() {
        return text("statename");
    }

    /** @return whether a process that it requires is missing */
    public boolean majorFailure() {
        return flag("major_failure");
    }

    /** @return whether another process is missing */
    public boolean minorFailure() {
        return flag("minor_failure");
    }
}
