package org.svisor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** One of the calls of {@link SystemMethods#multicall}. */
public final class Call {
    private final String method;
    private final List<Object> parameters;

    private Call(String method, List<Object> parameters) {
        this.method = method;
        this.parameters = parameters;
    }

    /**
     * @param method     name of the method, such as {@code supervisor.getProcessInfo}
     * @param parameters its parameters: text, numbers, booleans, enums, lists and maps of them
     * @return the call
     */
    public static Call of(String method, Object... parameters) {
        return new Call(method, Collections.unmodifiableList(new ArrayList<>(Arrays.asList(parameters))));
    }

    /** @return name of the method */
    public String method() {
        return method;
    }

    /** @return its parameters */
    public List<Object> parameters() {
        return parameters;
    }
}
