package org.svisor.model;

import java.util.Map;

/** A process of one instance. */
public class LocalProcess extends Struct {
    /** @param fields what came */
    public LocalProcess(Map<String, Object> fields) {
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

    /** @return its state */
    public ProcessState state() {
        return coded("state", ProcessState::ofCode);
    }

    /** @return name of its state */
    public String statename() {
        return text("statename");
    }

    /** @return when it was started last, in seconds since 1970; 0: never */
    public long start() {
        return number("start");
    }

    /** @return when it ended last, in seconds since 1970; 0: never */
    public long stop() {
        return number("stop");
    }

    /** @return the time of that instance, in seconds since 1970 */
    public long now() {
        return number("now");
    }

    /** @return its process id; 0: it does not run */
    public int pid() {
        return integer("pid");
    }

    /** @return the state in words, as supervisorctl shows it */
    public String description() {
        return text("description");
    }

    /** @return why it could not be started; empty: it could */
    public String spawnerr() {
        return text("spawnerr");
    }

    /** @return whether its last end was expected */
    public boolean expected() {
        return flag("expected");
    }

    /** @return {@link #start} on the monotonic clock of that instance */
    public double startMonotonic() {
        return real("start_monotonic");
    }

    /** @return {@link #stop} on the monotonic clock of that instance */
    public double stopMonotonic() {
        return real("stop_monotonic");
    }

    /** @return {@link #now} on the monotonic clock of that instance */
    public double nowMonotonic() {
        return real("now_monotonic");
    }

    /** @return what was added to its command line */
    public String extraArgs() {
        return text("extra_args");
    }

    /** @return how long it must stay up to count as RUNNING */
    public int startsecs() {
        return integer("startsecs");
    }

    /** @return how long it may take to end */
    public int stopwaitsecs() {
        return integer("stopwaitsecs");
    }

    /** @return its number among those of its program, from 0 */
    public int processIndex() {
        return integer("process_index");
    }

    /** @return the x of its {@code [program:x]} */
    public String programName() {
        return text("program_name");
    }

    /** @return whether nobody may start it */
    public boolean disabled() {
        return flag("disabled");
    }

    /** @return whether it has a log of standard output */
    public boolean hasStdout() {
        return flag("has_stdout");
    }

    /** @return whether it has a log of standard error */
    public boolean hasStderr() {
        return flag("has_stderr");
    }
}
