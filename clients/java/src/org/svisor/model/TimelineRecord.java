package org.svisor.model;

import java.util.Map;
import java.util.Optional;

/** Something that has happened, in words. */
public final class TimelineRecord extends Struct {
    /** @param fields what came */
    public TimelineRecord(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its serial, which grows by one */
    public int serial() {
        return integer("serial");
    }

    /** @return when it happened, in seconds since 1970 */
    public double at() {
        return real("at");
    }

    /** @return {@code info}, {@code warning} or {@code error} */
    public String level() {
        return text("level");
    }

    /** @return what it is about: {@code process}, {@code death}, {@code instance} and the like */
    public String kind() {
        return text("kind");
    }

    /** @return identifier of the instance that it happened to */
    public String identifier() {
        return text("identifier");
    }

    /** @return name of the application that it is about, if it is about one */
    public Optional<String> applicationName() {
        return optionalText("application_name");
    }

    /** @return name of the process that it is about, if it is about one */
    public Optional<String> processName() {
        return optionalText("process_name");
    }

    /** @return what has happened, in words */
    public String text() {
        return text("text");
    }
}
