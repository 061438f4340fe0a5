package org.svisor.model;

import java.util.Map;

/** Name, address and netmask of a network interface. */
public final class NicInfo extends Struct {
    /** @param fields what came */
    public NicInfo(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its name */
    public String nicName() {
        return text("nic_name");
    }

    /** @return its address */
    public String ipv4Address() {
        return text("ipv4_address");
    }

    /** @return its netmask */
    public String netmask() {
        return text("netmask");
    }
}
