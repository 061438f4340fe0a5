package org.svisor.model;

import java.util.Map;

/** The host of an instance. */
public final class HostNetwork extends Struct {
    /** @param fields what came */
    public HostNetwork(Map<String, Object> fields) {
        super(fields);
    }

    /** @return the identity of the machine */
    public String machineId() {
        return text("machine_id");
    }

    /** @return its full name */
    public String fqdn() {
        return text("fqdn");
    }

    /** @return its network interfaces by name; each instance knows its own, and an empty map means that another one was asked */
    public Map<String, NetworkInterface> addresses() {
        return mapped("addresses", NetworkInterface::of);
    }
}
