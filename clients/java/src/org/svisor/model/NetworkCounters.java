package org.svisor.model;

import java.util.Map;
import java.util.OptionalLong;

/** What the present run of a process, and its group, sent and received; see {@code count_network} in svisord.conf(5). */
public final class NetworkCounters extends Struct {
    /** @param fields what came */
    public NetworkCounters(Map<String, Object> fields) {
        super(fields);
    }

    /** @return bytes that the run received, with headers; empty: it is not counted */
    public OptionalLong rxBytes() {
        return optionalNumber("rx_bytes");
    }

    /** @return packets that the run received; empty: it is not counted */
    public OptionalLong rxPackets() {
        return optionalNumber("rx_packets");
    }

    /** @return bytes that the run sent, with headers; empty: it is not counted */
    public OptionalLong txBytes() {
        return optionalNumber("tx_bytes");
    }

    /** @return packets that the run sent; empty: it is not counted */
    public OptionalLong txPackets() {
        return optionalNumber("tx_packets");
    }

    /** @return bytes that the group received, with headers; empty: it is not counted */
    public OptionalLong groupRxBytes() {
        return optionalNumber("group_rx_bytes");
    }

    /** @return packets that the group received; empty: it is not counted */
    public OptionalLong groupRxPackets() {
        return optionalNumber("group_rx_packets");
    }

    /** @return bytes that the group sent, with headers; empty: it is not counted */
    public OptionalLong groupTxBytes() {
        return optionalNumber("group_tx_bytes");
    }

    /** @return packets that the group sent; empty: it is not counted */
    public OptionalLong groupTxPackets() {
        return optionalNumber("group_tx_packets");
    }
}
