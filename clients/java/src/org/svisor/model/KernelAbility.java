package org.svisor.model;

import java.util.Map;

/** Something that svisord can use of the kernel, and whether it does. */
public final class KernelAbility extends Struct {
    /** @param fields what came */
    public KernelAbility(Map<String, Object> fields) {
        super(fields);
    }

    /** @return its name */
    public String name() {
        return text("name");
    }

    /** @return whether it is in use */
    public boolean active() {
        return flag("active");
    }

    /** @return what it is good for */
    public String gives() {
        return text("gives");
    }

    /** @return why it is not in use; empty: it is */
    public String missing() {
        return text("missing");
    }

    /** @return what to do about that; empty: it is in use */
    public String remedy() {
        return text("remedy");
    }

    /** @return more about it; may be empty */
    public String detail() {
        return text("detail");
    }
}
