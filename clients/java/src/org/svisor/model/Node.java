package org.svisor.model;

import java.util.Map;

/** Who is in the cluster, and why somebody is not. */
public final class Node extends InstanceSummary {
    /** @param fields what came */
    public Node(Map<String, Object> fields) {
        super(fields);
    }

    /** @return what it thinks of the cluster; empty: it is not heard */
    public String fsmStatename() {
        return text("fsm_statename");
    }

    /** @return whether it is Master */
    public boolean isMaster() {
        return flag("is_master");
    }

    /** @return whether it is the one that was asked */
    public boolean isLocal() {
        return flag("is_local");
    }

    /** @return its version */
    public String version() {
        return text("version");
    }

    /** @return what brought it into its state, in words */
    public String why() {
        return text("why");
    }
}
