package org.svisor.model;

import java.util.List;
import java.util.Map;

/** Where the processes of an application are, and why. */
public final class Placement extends Struct {
    /** @param fields what came */
    public Placement(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of the application */
    public String applicationName() {
        return text("application_name");
    }

    /** @return its state */
    public ApplicationState state() {
        return choice("statename", ApplicationState.class);
    }

    /** @return whether it has rules */
    public boolean managed() {
        return flag("managed");
    }

    /** @return how instances are chosen */
    public StartingStrategy startingStrategy() {
        return choice("starting_strategy", StartingStrategy.class);
    }

    /** @return over how much of the cluster it may spread */
    public Distribution distribution() {
        return choice("distribution", Distribution.class);
    }

    /** @return its processes */
    public List<PlacedProcess> processes() {
        return structs("processes", PlacedProcess::new);
    }
}
