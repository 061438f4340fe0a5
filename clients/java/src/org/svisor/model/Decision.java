package org.svisor.model;

import java.util.Map;

/** The event {@code mesh}: what the cluster has decided or found out. */
public final class Decision extends Struct {
    /** @param fields what came */
    public Decision(Map<String, Object> fields) {
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

    /** @return info, warn, error or critical */
    public String level() {
        return text("level");
    }

    /** @return what it is, for people: the words may change */
    public String text() {
        return text("text");
    }
}
