package org.svisor.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A network interface of a host. */
public final class NetworkInterface extends Struct {
    /** @param fields what came */
    public NetworkInterface(Map<String, Object> fields) {
        super(fields);
    }

    /** @return the name that its address has */
    public String hostName() {
        return text("host_name");
    }

    /** @return other names of it */
    public List<String> aliases() {
        return texts("aliases");
    }

    /** @return its addresses */
    public List<String> ipv4Addresses() {
        return texts("ipv4_addresses");
    }

    /** @return its name, address and netmask */
    public Optional<NicInfo> nicInfo() {
        return has("nic_info") ? Optional.of(struct("nic_info", NicInfo::new)) : Optional.empty();
    }

    @SuppressWarnings("unchecked") // the readers make no other maps
    static NetworkInterface of(Object fields) {
        return new NetworkInterface((Map<String, Object>) fields);
    }
}
