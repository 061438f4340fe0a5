package org.svisor.model;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The events {@code published} and {@code missed}: how many events there were by header, or were lost. */
public final class EventCounts extends Struct {
    /** @param fields what came */
    public EventCounts(Map<String, Object> fields) {
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

    /** @return counts the events {@code published}; empty: {@code missed} */
    public OptionalLong serial() {
        return optionalNumber("serial");
    }

    /** @return when counting began, in seconds since 1970; another one means another svisord; empty: {@code missed} */
    public Optional<Double> since() {
        return has("since") ? Optional.of(real("since")) : Optional.empty();
    }

    /** @return how many, by header */
    public Map<String, Long> counts() {
        return mapped("counts", value -> ((Number) value).longValue());
    }
}
