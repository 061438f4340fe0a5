package org.svisor.model;

import java.util.Map;

/** An instance, where it is and how it does; the subclasses differ in what else they tell. */
public abstract class InstanceSummary extends Struct {
    /** @param fields what came */
    InstanceSummary(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its identifier, {@code host:port} */
    public final String identifier() {
        return text("identifier");
    }

    /** @return its nickname */
    public final String nickIdentifier() {
        return text("nick_identifier");
    }

    /** @return name of its node */
    public final String nodeName() {
        return text("node_name");
    }

    /** @return its HTTP port */
    public final int port() {
        return integer("port");
    }

    /** @return its state */
    public final InstanceState state() {
        return coded("statecode", InstanceState::ofCode);
    }

    /** @return name of its state */
    public final String statename() {
        return text("statename");
    }

    /** @return the sum of what its processes are expected to load, in percent */
    public final int loading() {
        return integer("loading");
    }
}
