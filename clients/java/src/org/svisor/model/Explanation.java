package org.svisor.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Why a process is in its state, and how it ended last. */
public final class Explanation extends Struct {
    /** @param fields what came */
    public Explanation(Map<String, Object> fields) {
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

    /** @return its state */
    public ProcessState state() {
        return coded("state", ProcessState::ofCode);
    }

    /** @return name of its state */
    public String statename() {
        return text("statename");
    }

    /** @return why it is in it, as a word that does not change */
    public String reason() {
        return text("reason");
    }

    /** @return the whole in plain words */
    public String text() {
        return text("text");
    }

    /** @return number of its last run; 0: there was none */
    public int run() {
        return integer("run");
    }

    /** @return its process id; 0: it does not run */
    public int pid() {
        return integer("pid");
    }

    /** @return when it was started last, in seconds since 1970; 0: never */
    public long started() {
        return number("started");
    }

    /** @return when it ended last, in seconds since 1970; 0: never */
    public long stopped() {
        return number("stopped");
    }

    /** @return when it will be started again, in seconds since 1970; 0: never */
    public long nextStart() {
        return number("next_start");
    }

    /** @return why it could not be started; empty: it could */
    public String spawnerr() {
        return text("spawnerr");
    }

    /** @return its last lines */
    public List<String> lastOutput() {
        return texts("last_output");
    }

    /** @return the certificate of its last end; empty: it has not ended yet */
    public Optional<DeathCertificate> lastEnd() {
        return has("last_end") ? Optional.of(struct("last_end", DeathCertificate::new)) : Optional.empty();
    }

    /** @return what it says of itself over sd_notify */
    public String statusText() {
        return text("status_text");
    }

    /** @return why a check of it failed last */
    public String probeText() {
        return text("probe_text");
    }

    /** @return what it ran short of lately */
    public List<ResourceEvent> resources() {
        return structs("resources", ResourceEvent::new);
    }

    /** @return what it sent and received */
    public NetworkCounters network() {
        return struct("network", NetworkCounters::new);
    }
}
