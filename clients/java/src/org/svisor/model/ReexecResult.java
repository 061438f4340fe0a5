package org.svisor.model;

import java.util.Map;

/** What {@code svisor.reexec} has done. */
public final class ReexecResult extends Struct {
    /** @param fields what came */
    public ReexecResult(Map<String, Object> fields) {
        super(fields);
    }

    /** @return the version that made place */
    public String version() {
        return text("version");
    }

    /** @return the version that runs now */
    public String newVersion() {
        return text("new_version");
    }
}
