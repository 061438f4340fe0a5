package org.svisor.model;

import java.util.Map;

/** Who is in the cluster, and why somebody is not. */
public final class Node extends Struct {
    /** @param fields what came */
    public Node(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its identifier, {@code host:port} */
    public String identifier() {
        return text("identifier");
    }

    /** @return its nickname */
    public String nickIdentifier() {
        return text("nick_identifier");
    }

    /** @return name of its node */
    public String nodeName() {
        return text("node_name");
    }

    /** @return its HTTP port */
    public int port() {
        return integer("port");
    }

    /** @return its state */
    public InstanceState state() {
        return coded("statecode", InstanceState::ofCode);
    }

    /** @return name of its state */
    public String statename() {
        return text("statename");
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

    /** @return the sum of what its processes are expected to load, in percent */
    public int loading() {
        return integer("loading");
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
