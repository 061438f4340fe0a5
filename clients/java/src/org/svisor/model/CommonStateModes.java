package org.svisor.model;

import java.util.Map;

/** What an instance thinks of the cluster; the subclasses differ in how they tell of starts and stops. */
public abstract class CommonStateModes extends Struct {
    /** @param fields what came */
    CommonStateModes(Map<String, Object> fields) {
        super(fields);
    }

    /** @return identifier of the instance, {@code host:port} */
    public String identifier() {
        return text("identifier");
    }

    /** @return its nickname */
    public String nickIdentifier() {
        return text("nick_identifier");
    }

    /** @return when it was so, in seconds of the monotonic clock of the instance that was asked */
    public double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return its state */
    public SupvisorsState state() {
        return coded("fsm_statecode", SupvisorsState::ofCode);
    }

    /** @return name of that state */
    public String fsmStatename() {
        return text("fsm_statename");
    }

    /** @return whether instances are missing */
    public boolean degradedMode() {
        return flag("degraded_mode");
    }

    /** @return whether instances may come that are in no list */
    public boolean discoveryMode() {
        return flag("discovery_mode");
    }

    /** @return identifier of the Master; empty: there is none */
    public String masterIdentifier() {
        return text("master_identifier");
    }

    /** @return the state of every instance, as this one sees it, by identifier */
    public Map<String, InstanceState> instanceStates() {
        return mapped("instance_states", name -> InstanceState.valueOf((String) name));
    }
}
