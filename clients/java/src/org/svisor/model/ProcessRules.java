package org.svisor.model;

import java.util.List;
import java.util.Map;

/** The rules of a process. */
public final class ProcessRules extends Struct {
    /** @param fields what came */
    public ProcessRules(Map<String, Object> fields) {
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

    /** @return where it may run */
    public List<String> identifiers() {
        return texts("identifiers");
    }

    /** @return its place when the application starts; 0: it is not started with it */
    public int startSequence() {
        return integer("start_sequence");
    }

    /** @return its place when the application stops */
    public int stopSequence() {
        return integer("stop_sequence");
    }

    /** @return whether the application fails without it */
    public boolean required() {
        return flag("required");
    }

    /** @return whether the start of the application waits for its end */
    public boolean waitExit() {
        return flag("wait_exit");
    }

    /** @return what it is expected to load, in percent */
    public int expectedLoading() {
        return integer("expected_loading");
    }

    /** @return what becomes of the application when it cannot be started */
    public StartingFailureStrategy startingFailureStrategy() {
        return choice("starting_failure_strategy", StartingFailureStrategy.class);
    }

    /** @return what becomes of the application when it is lost */
    public RunningFailureStrategy runningFailureStrategy() {
        return choice("running_failure_strategy", RunningFailureStrategy.class);
    }
}
