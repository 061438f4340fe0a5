package org.svisor.model;

import java.util.Map;

/** The state of a process, as {@code supervisor.getProcessInfo} tells it. */
public final class ProcessInfo extends Struct {
    /** @param fields what came */
    public ProcessInfo(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of the process */
    public String name() {
        return text("name");
    }

    /** @return name of its group */
    public String group() {
        return text("group");
    }

    /** @return when it was started last, in seconds since 1970; 0: never */
    public long start() {
        return number("start");
    }

    /** @return when it ended last, in seconds since 1970; 0: never */
    public long stop() {
        return number("stop");
    }

    /** @return the time of the answer, in seconds since 1970 */
    public long now() {
        return number("now");
    }

    /** @return its state */
    public ProcessState state() {
        return coded("state", ProcessState::ofCode);
    }

    /** @return name of its state */
    public String statename() {
        return text("statename");
    }

    /** @return why it could not be started; empty: it could */
    public String spawnerr() {
        return text("spawnerr");
    }

    /** @return exit status of its last end; -1: it was ended by a signal */
    public int exitstatus() {
        return integer("exitstatus");
    }

    /** @return the same as {@link #stdoutLogfile}, for old clients */
    public String logfile() {
        return text("logfile");
    }

    /** @return path of its log of standard output; empty: it has none */
    public String stdoutLogfile() {
        return text("stdout_logfile");
    }

    /** @return path of its log of standard error; empty: it has none */
    public String stderrLogfile() {
        return text("stderr_logfile");
    }

    /** @return its process id; 0: it does not run */
    public int pid() {
        return integer("pid");
    }

    /** @return the state in words, as supervisorctl shows it */
    public String description() {
        return text("description");
    }

    /** @return the name that methods take: {@code name}, or {@code group:name} if the two differ */
    public String namespec() {
        return group().equals(name()) ? name() : group() + ":" + name();
    }
}
