package org.svisor;

/** A call, or an event, that went wrong; its subclasses say how. */
public class SvisorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what went wrong, in words
     * @param cause   what was behind it, or null
     */
    public SvisorException(String message, Throwable cause) {
        super(message, cause);
    }
}
