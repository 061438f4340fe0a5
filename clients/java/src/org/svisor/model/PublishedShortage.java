package org.svisor.model;

import java.util.Map;

/** The event {@code resource}: a process of the publishing instance, or a group, ran short of something. */
public final class PublishedShortage extends ResourceEvent {
    /** @param fields what came */
    public PublishedShortage(Map<String, Object> fields) {
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
