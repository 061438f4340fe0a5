package org.svisor.model;

import java.util.Map;

/** What a process used in one period: the event {@code pstats}. */
public final class ProcessStatistics extends PeriodStatistics {
    /** @param fields what came */
    public ProcessStatistics(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its name; {@code supervisord}: the daemon itself */
    public String namespec() {
        return text("namespec");
    }

    /** @return its process id */
    public int pid() {
        return integer("pid");
    }

    /** @return processor use in percent of one core */
    public double cpu() {
        return real("cpu");
    }
}
