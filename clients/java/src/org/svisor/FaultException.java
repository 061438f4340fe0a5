package org.svisor;

/**
 * The server understood the call and says no.
 *
 * <pre>{@code
 * try {
 *     client.supervisor().startProcess("web");
 * } catch (FaultException refusal) {
 *     if (refusal.fault() != Fault.ALREADY_STARTED)
 *         throw refusal;
 * }
 * }</pre>
 */
public final class FaultException extends SvisorException {
    private static final long serialVersionUID = 1L;

    /** As the server sent it. */
    private final int code;
    /** As the server sent it. */
    private final String text;

    /**
     * @param code its number
     * @param text what the server says: the name of the fault, and behind a colon what it is about
     */
    public FaultException(int code, String text) {
        super(text, null);
        this.code = code;
        this.text = text;
    }

    /** @return which fault it is; {@link Fault#OTHER} for a number that this version of the client does not know */
    public Fault fault() {
        return Fault.ofCode(code).orElse(Fault.OTHER);
    }

    /** @return its number, as the server sent it */
    public int code() {
        return code;
    }

    /** @return what it is about: the text without the name of the fault */
    public String detail() {
        int colon = text.indexOf(": ");
        return colon < 0 ? "" : text.substring(colon + 2);
    }
}
