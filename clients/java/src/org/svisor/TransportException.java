package org.svisor;

/** No answer came: nobody listens there, the connection broke, or the time was over. Whether the call was made is not known. */
public final class TransportException extends SvisorException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what was tried, and what happened
     * @param cause   what was behind it, or null
     */
    public TransportException(String message, Throwable cause) {
        super(message, cause);
    }
}
