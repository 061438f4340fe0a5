package org.svisor.model;

import java.util.Base64;
import java.util.Map;

/** What was written to a log since the last call. */
public final class LogPiece extends Struct {
    /** @param fields what came */
    public LogPiece(Map<String, Object> fields) {
        super(fields);
    }

    /** @return the bytes as they were written; a character, or a line, may go on in the next piece */
    public byte[] bytes() {
        return Base64.getDecoder().decode(text("base64"));
    }

    /** @return what to call with the next time */
    public String cursor() {
        return text("cursor");
    }

    /** @return how many bytes are there already, behind these */
    public long behind() {
        return number("behind");
    }

    /** @return whether the log that the cursor stood in is gone; then {@link #bytes} are from the start of the new one */
    public boolean isGap() {
        return flag("is_gap");
    }
}
