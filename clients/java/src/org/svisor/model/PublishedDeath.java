package org.svisor.model;

import java.util.Map;

/** The event {@code death}: a run of a process of the publishing instance has ended. It comes without the last lines of output. */
public final class PublishedDeath extends DeathCertificate {
    /** @param fields what came */
    public PublishedDeath(Map<String, Object> fields) {
        super(fields);
    }

    /** @return identifier of the instance that publishes */
    public String identifier() {
        return text("identifier");
    }

    /** @return its nickname */
    public String nickIdentifier() {
        return text("nick_identifier");
    }

    /** @return seconds of its monotonic clock */
    public double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return counts the events under this header; a gap is what was lost */
    public long serial() {
        return number("serial");
    }
}
