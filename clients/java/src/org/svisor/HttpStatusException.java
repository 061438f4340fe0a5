package org.svisor;

/** The server answered, but not to the call: 401 for a wrong name or password, 413 for a call that is too large. */
public final class HttpStatusException extends SvisorException {
    private static final long serialVersionUID = 1L;

    /** As the server sent it. */
    private final int status;

    /**
     * @param message what was tried, and what came back
     * @param status  the HTTP status
     */
    public HttpStatusException(String message, int status) {
        super(message, null);
        this.status = status;
    }

    /** @return the HTTP status */
    public int status() {
        return status;
    }
}
