package org.svisor.model;

import java.util.Map;

/** The two names of an instance. */
public final class InstanceId extends Struct {
    /** @param fields what came */
    public InstanceId(Map<String, Object> fields) {
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
}
