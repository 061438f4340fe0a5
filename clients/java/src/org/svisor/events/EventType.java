package org.svisor.events;

import java.util.Optional;

/** The headers under which events are published (docs/events.md). */
public enum EventType {
    /** State and modes of the publishing instance have changed. */
    SUPVISORS("supvisors", true),
    /** An instance has changed. */
    INSTANCE("instance", true),
    /** An application has changed. */
    APPLICATION("application", true),
    /** Something has happened to a process in one instance. */
    EVENT("event", true),
    /** A process has changed, over all instances. */
    PROCESS("process", true),
    /** Statistics of a host. */
    HSTATS("hstats", true),
    /** Statistics of a process. */
    PSTATS("pstats", true),
    /** A run of a process of the publishing instance has ended, and why. */
    DEATH("death", false),
    /** A process of the publishing instance, or a group, ran short of something. */
    RESOURCE("resource", false),
    /** What the cluster has decided or found out, in words. */
    MESH("mesh", false),
    /** How many events there were under each header: who counts sees what was lost. */
    PUBLISHED("published", false),
    /** What a subscriber that did not read has lost. */
    MISSED("missed", false);

    private final String header;
    private final boolean isClassic;

    EventType(String header, boolean isClassic) {
        this.header = header;
        this.isClassic = isClassic;
    }

    /** @return the header on the wire */
    public String header() {
        return header;
    }

    /** @return whether it is one of Supvisors' seven; the others are svisor's own, and must be asked for by name */
    public boolean isClassic() {
        return isClassic;
    }

    static Optional<EventType> ofHeader(Object header) {
        for (EventType type : values())
            if (type.header.equals(header))
                return Optional.of(type);
        return Optional.empty();
    }
}
