package org.svisor;

/** What came back is not what the protocol promises: broken, too large, too deep, or a value of another type. */
public final class ProtocolException extends SvisorException {
    private static final long serialVersionUID = 1L;

    /** @param message what was expected, and what came */
    public ProtocolException(String message) {
        super(message, null);
    }

    /**
     * @param message what was expected, and what came
     * @param cause   what was behind it
     */
    public ProtocolException(String message, Throwable cause) {
        super(message, cause);
    }
}
