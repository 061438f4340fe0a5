package org.svisor;

import java.util.Map;
import java.util.Optional;

/** What became of one {@link Call} of {@link SystemMethods#multicall}. */
public final class CallResult {
    private final Object value;
    private final FaultException fault;

    CallResult(Object raw) {
        Map<?, ?> fields = raw instanceof Map ? (Map<?, ?>) raw : Map.of();
        boolean isFault = fields.size() == 2 && fields.get("faultCode") instanceof Integer
                && fields.get("faultString") instanceof String;
        fault = isFault ? new FaultException((Integer) fields.get("faultCode"), (String) fields.get("faultString")) : null;
        value = isFault ? null : raw;
    }

    /**
     * @return the result as it came: String, Integer, Long, Double, Boolean, byte[], LocalDateTime, List, Map or null;
     *         the classes of {@code org.svisor.model} are made of such maps
     * @throws FaultException if the call was refused
     */
    public Object value() {
        if (fault != null)
            throw fault;
        return value;
    }

    /** @return the fault, if the call was refused */
    public Optional<FaultException> fault() {
        return Optional.ofNullable(fault);
    }
}
