package org.svisor.model;

import java.util.Locale;

/** How much a daemon's own log tells, from the least to the most. */
public enum LogLevel {
    /** Only what ends the daemon. */
    CRITICAL,
    /** What has failed. */
    ERROR,
    /** What may fail. */
    WARN,
    /** What happens. */
    INFO,
    /** How it happens. */
    DEBUG,
    /** Every step. */
    TRACE,
    /** Every word. */
    BLATHER;

    /** @return the name on the wire */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
