package org.svisor.wire;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.svisor.ProtocolException;

/**
 * JSON (RFC 8259), for the bodies of events; the JDK has no reader of it. Values are those of {@link XmlRpcReader}. Depth is bounded; the size is
 * bounded by who gives the text.
 */
public final class JsonReader {
    private static final int DEPTH_MAX = 64;

    private final String text;
    private int at;
    private int depth;

    private JsonReader(String text) {
        this.text = text;
    }

    /**
     * @param text one JSON value, and nothing behind it
     * @return String, Integer, Long, Double, Boolean, List, Map or null
     * @throws ProtocolException if it is not JSON
     */
    public static Object parse(String text) {
        JsonReader reader = new JsonReader(text);
        Object value = reader.value();
        reader.skipBlanks();
        if (reader.at != text.length())
            throw reader.wrong("the end");
        return value;
    }

    private Object value() {
        switch (next()) {
        case '{':
            return object();
        case '[':
            return array();
        case '"':
            return string();
        case 't':
            return word("true", Boolean.TRUE);
        case 'f':
            return word("false", Boolean.FALSE);
        case 'n':
            return word("null", null);
        default:
            return number();
        }
    }

    private void skipBlanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0)
            at++;
    }

    /** The next character that counts; it stays where it is. */
    private char next() {
        skipBlanks();
        if (at == text.length())
            throw wrong("more");
        return text.charAt(at);
    }

    private void take(char wanted) {
        if (next() != wanted)
            throw wrong("'" + wanted + "'");
        at++;
    }

    /** After an item: true for a comma, false for the end. */
    private boolean more(char end) {
        char found = next();
        if (found != ',' && found != end)
            throw wrong("',' or '" + end + "'");
        at++;
        return found == ',';
    }

    private void deeper() {
        if (++depth > DEPTH_MAX)
            throw new ProtocolException("JSON more than " + DEPTH_MAX + " deep");
    }

    private Map<String, Object> object() {
        deeper();
        Map<String, Object> members = new LinkedHashMap<>();
        take('{');
        boolean isMore = next() != '}';
        at += isMore ? 0 : 1;
        while (isMore) {
            if (next() != '"')
                throw wrong("a name");
            String name = string();
            take(':');
            members.put(name, value());
            isMore = more('}');
        }
        depth--;
        return Collections.unmodifiableMap(members);
    }

    private List<Object> array() {
        deeper();
        List<Object> values = new ArrayList<>();
        take('[');
        boolean isMore = next() != ']';
        at += isMore ? 0 : 1;
        while (isMore) {
            values.add(value());
            isMore = more(']');
        }
        depth--;
        return Collections.unmodifiableList(values);
    }

    private String string() {
        take('"');
        StringBuilder out = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"')
                return out.toString();
            if (c < ' ')
                throw wrong("no control character in a text");
            out.append(c == '\\' ? escaped() : c);
        }
        throw wrong("the end of a text");
    }

    private char escaped() {
        char c = at < text.length() ? text.charAt(at++) : ' ';
        int place = "\"\\/bfnrt".indexOf(c);
        if (place >= 0)
            return "\"\\/\b\f\n\r\t".charAt(place);
        if (c != 'u' || at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9a-fA-F]{4}"))
            throw wrong("an escape of JSON");
        at += 4;
        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
    }

    private Object word(String word, Object meaning) {
        if (!text.startsWith(word, at))
            throw wrong(word);
        at += word.length();
        return meaning;
    }

    private Object number() {
        int begin = at;
        while (at < text.length() && "+-0123456789.eE".indexOf(text.charAt(at)) >= 0)
            at++;
        String digits = text.substring(begin, at);
        if (!digits.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?"))
            throw wrong("a value");
        try {
            return digits.matches("-?[0-9]+") ? XmlRpcReader.whole(digits) : Double.valueOf(digits);
        } catch (NumberFormatException tooLarge) {
            return Double.valueOf(digits);
        }
    }

    private ProtocolException wrong(String expected) {
        return new ProtocolException("not JSON: expected " + expected + " at character " + at);
    }
}
