package org.svisor.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The rules of an application. One that is not managed has none. */
public final class ApplicationRules extends Struct {
    /** @param fields what came */
    public ApplicationRules(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of the application */
    public String applicationName() {
        return text("application_name");
    }

    /** @return whether it has rules */
    public boolean managed() {
        return flag("managed");
    }

    /** @return over how much of the cluster it may spread */
    public Optional<Distribution> distribution() {
        return has("distribution") ? Optional.of(choice("distribution", Distribution.class)) : Optional.empty();
    }

    /** @return where it may run, when it is not distributed over all */
    public Optional<List<String>> identifiers() {
        return has("identifiers") ? Optional.of(texts("identifiers")) : Optional.empty();
    }

    /** @return its place when the cluster starts; 0: it is not started by itself */
    public OptionalLong startSequence() {
        return optionalNumber("start_sequence");
    }

    /** @return its place when the cluster stops */
    public OptionalLong stopSequence() {
        return optionalNumber("stop_sequence");
    }

    /** @return how instances are chosen */
    public Optional<StartingStrategy> startingStrategy() {
        return has("starting_strategy") ? Optional.of(choice("starting_strategy", StartingStrategy.class)) : Optional.empty();
    }

    /** @return what becomes of it when a required process cannot be started */
    public Optional<StartingFailureStrategy> startingFailureStrategy() {
        return has("starting_failure_strategy") ? Optional.of(choice("starting_failure_strategy", StartingFailureStrategy.class)) : Optional.empty();
    }

    /** @return what becomes of it when a process is lost */
    public Optional<RunningFailureStrategy> runningFailureStrategy() {
        return has("running_failure_strategy") ? Optional.of(choice("running_failure_strategy", RunningFailureStrategy.class)) : Optional.empty();
    }

    /** @return the formula of its operational status; an empty text: it has none */
    public Optional<String> statusFormula() {
        return optionalText("status_formula");
    }
}
