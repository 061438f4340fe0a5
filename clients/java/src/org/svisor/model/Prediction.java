package org.svisor.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where a process would start. */
public final class Prediction extends Struct {
    /** @param fields what came */
    public Prediction(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of its application */
    public String applicationName() {
        return text("application_name");
    }

    /** @return name of the process */
    public String processName() {
        return text("process_name");
    }

    /** @return the state that it would come to */
    public ProcessState state() {
        return choice("state", ProcessState.class);
    }

    /** @return why it would not start; empty: it would */
    public String forcedReason() {
        return text("forced_reason");
    }

    /** @return identifiers of the instances where it would run */
    public List<String> runningIdentifiers() {
        return texts("running_identifiers");
    }

    /** @return identifiers of the instances where it would be started, also if it ends then; of svisor.predict… only */
    public Optional<List<String>> startedIdentifiers() {
        return has("started_identifiers") ? Optional.of(texts("started_identifiers")) : Optional.empty();
    }

    /** @return why it would be started there, or nowhere; of svisor.predict… only */
    public Optional<String> why() {
        return optionalText("why");
    }
}
