package org.svisor.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How an instance is reached. */
public final class NetworkInfo extends Struct {
    /** @param fields what came */
    public NetworkInfo(Map<String, Object> fields) {
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

    /** @return its host, as the list of instances names it */
    public String hostId() {
        return text("host_id");
    }

    /** @return its HTTP port */
    public int httpPort() {
        return integer("http_port");
    }

    /** @return other names that it shares with instances of its kind */
    public List<String> stereotypes() {
        return texts("stereotypes");
    }

    /** @return its host; empty: it has not been heard yet */
    public Optional<HostNetwork> network() {
        return has("network") ? Optional.of(struct("network", HostNetwork::new)) : Optional.empty();
    }
}
