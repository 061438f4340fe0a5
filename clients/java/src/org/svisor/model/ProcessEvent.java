package org.svisor.model;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Something has happened to a process in one instance: the event {@code event}. Four kinds of it have different fields:
 * <ul>
 * <li>it has come to a state: all but {@link #process};
 * <li>its state was forced, because no instance could run it: no {@link #disabled};
 * <li>it was disabled or enabled: {@link #process}, and what that has;
 * <li>it was removed: the state DELETED, and nothing more.
 * </ul>
 */
public final class ProcessEvent extends Struct {
    /** @param fields what came */
    public ProcessEvent(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of its application */
    public String group() {
        return text("group");
    }

    /** @return name of the process */
    public String name() {
        return text("name");
    }

    /** @return the state that it has come to */
    public ProcessState state() {
        return coded("state", ProcessState::ofCode);
    }

    /** @return identifier of the instance; an empty text: the state was forced, with no instance in mind */
    public Optional<String> identifier() {
        return optionalText("identifier");
    }

    /** @return its nickname */
    public Optional<String> nickIdentifier() {
        return optionalText("nick_identifier");
    }

    /** @return the time of that instance, in seconds since 1970 */
    public Optional<Double> now() {
        return has("now") ? Optional.of(real("now")) : Optional.empty();
    }

    /** @return the same on its monotonic clock */
    public Optional<Double> nowMonotonic() {
        return has("now_monotonic") ? Optional.of(real("now_monotonic")) : Optional.empty();
    }

    /** @return the same on the monotonic clock of the instance that tells */
    public Optional<Double> eventMtime() {
        return has("event_mtime") ? Optional.of(real("event_mtime")) : Optional.empty();
    }

    /** @return its process id */
    public OptionalLong pid() {
        return optionalNumber("pid");
    }

    /** @return whether its end was expected */
    public Optional<Boolean> expected() {
        return optionalFlag("expected");
    }

    /** @return why it could not be started; an empty text: it could */
    public Optional<String> spawnerr() {
        return optionalText("spawnerr");
    }

    /** @return what was added to its command line */
    public Optional<String> extraArgs() {
        return optionalText("extra_args");
    }

    /** @return whether nobody may start it */
    public Optional<Boolean> disabled() {
        return optionalFlag("disabled");
    }

    /** @return the process in its instance, after it was disabled or enabled; empty: it is an event of another kind */
    public Optional<LocalProcess> process() {
        return has("program_name") ? Optional.of(new LocalProcess(fields())) : Optional.empty();
    }
}
