package org.svisor.model;

import java.util.Map;
import org.svisor.Fault;

/** What became of one process, where a call was made for several. */
public final class ExecutionStatus extends Struct {
    /** @param fields what came */
    public ExecutionStatus(Map<String, Object> fields) {
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

    /** @return SUCCESS, or why it was not done */
    public Fault status() {
        return coded("status", Fault::ofCode);
    }

    /** @return OK, or what the fault is about */
    public String description() {
        return text("description");
    }

    /** @return whether it was done */
    public boolean isSuccess() {
        return status() == Fault.SUCCESS;
    }
}
