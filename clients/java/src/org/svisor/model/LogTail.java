package org.svisor.model;

import java.util.List;

import org.svisor.ProtocolException;

/** What a log has had added to it. */
public final class LogTail {
    private final String text;
    private final long offset;
    private final boolean isOverflow;

    /** @param values what came: text, offset, overflow */
    public LogTail(List<Object> values) {
        boolean fits = values.size() == 3 && values.get(0) instanceof String && values.get(1) instanceof Number
                && values.get(2) instanceof Boolean;
        if (!fits)
            throw new ProtocolException("a tail of a log is [text, offset, overflow], not " + values);
        text = (String) values.get(0);
        offset = ((Number) values.get(1)).longValue();
        isOverflow = (Boolean) values.get(2);
    }

    /** @return what was added; bytes that XML cannot carry are replaced */
    public String text() {
        return text;
    }

    /** @return what to call with the next time */
    public long offset() {
        return offset;
    }

    /** @return whether more was added than was asked for; then {@link #text} is the end of it */
    public boolean isOverflow() {
        return isOverflow;
    }

    @Override
    public String toString() {
        return "LogTail(" + offset + (isOverflow ? ", overflow: " : ": ") + text + ")";
    }
}
