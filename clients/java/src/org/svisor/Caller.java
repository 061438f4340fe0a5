package org.svisor;

/** What the generated classes ask for a call. */
interface Caller {
    /** What may be done about a call whose answer does not come. */
    enum Kind {
        /** Changes nothing: it can be made again. */
        QUERY,
        /** Changes something: it is made once. */
        COMMAND,
        /** As COMMAND, and the server may take its time. */
        LONG_COMMAND
    }

    Object call(Kind kind, String method, Object... parameters);
}
