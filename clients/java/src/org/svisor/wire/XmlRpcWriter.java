package org.svisor.wire;

import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import java.util.Map;

import org.svisor.Call;

/**
 * Calls as XML-RPC. XML cannot carry every text: control characters and lone surrogates are refused here, with their place, instead of
 * becoming a document that the server refuses.
 */
public final class XmlRpcWriter {
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyyMMdd'T'HH:mm:ss");

    private final StringBuilder out = new StringBuilder();

    private XmlRpcWriter() {
    }

    /**
     * @param method     name of the method
     * @param parameters its parameters
     * @return the document
     * @throws IllegalArgumentException for what XML-RPC has no form for
     */
    public static byte[] call(String method, Object... parameters) {
        XmlRpcWriter writer = new XmlRpcWriter();
        writer.out.append("<?xml version=\"1.0\"?>\n<methodCall><methodName>");
        writer.text(method);
        writer.out.append("</methodName><params>");
        for (Object parameter : parameters) {
            writer.out.append("<param>");
            writer.value(parameter);
            writer.out.append("</param>");
        }
        writer.out.append("</params></methodCall>\n");
        return writer.out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void value(Object value) {
        out.append("<value>");
        if (value == null)
            out.append("<nil/>");
        else if (value instanceof String || value instanceof Enum)
            element("string", value.toString());
        else if (value instanceof Boolean)
            element("boolean", (Boolean) value ? "1" : "0");
        else if (value instanceof Number)
            number((Number) value);
        else if (value instanceof byte[])
            element("base64", Base64.getEncoder().encodeToString((byte[]) value));
        else if (value instanceof LocalDateTime)
            element("dateTime.iso8601", DATE.format((LocalDateTime) value));
        else if (value instanceof Call)
            struct(Map.of("methodName", ((Call) value).method(), "params", ((Call) value).parameters()));
        else if (value instanceof List)
            array((List<?>) value);
        else if (value instanceof Map)
            struct((Map<?, ?>) value);
        else
            throw new IllegalArgumentException("XML-RPC has no form for a " + value.getClass().getName());
        out.append("</value>");
    }

    private void number(Number value) {
        double real = value.doubleValue();
        if (value instanceof Double || value instanceof Float) {
            if (Double.isNaN(real) || Double.isInfinite(real))
                throw new IllegalArgumentException("XML-RPC has no form for " + value);
            element("double", new java.math.BigDecimal(value.toString()).toPlainString());
        } else if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            boolean isSmall = value.longValue() == value.intValue();
            element(isSmall ? "int" : "i8", value.toString());
        } else {
            throw new IllegalArgumentException("XML-RPC has no form for a " + value.getClass().getName());
        }
    }

    private void array(List<?> values) {
        out.append("<array><data>");
        for (Object item : values)
            value(item);
        out.append("</data></array>");
    }

    private void struct(Map<?, ?> members) {
        out.append("<struct>");
        for (Map.Entry<?, ?> member : members.entrySet()) {
            out.append("<member>");
            element("name", (String) member.getKey());
            value(member.getValue());
            out.append("</member>");
        }
        out.append("</struct>");
    }

    private void element(String name, String text) {
        out.append('<').append(name).append('>');
        text(text);
        out.append("</").append(name).append('>');
    }

    private void text(String text) {
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int point = text.codePointAt(at);
            if (point == '&')
                out.append("&amp;");
            else if (point == '<')
                out.append("&lt;");
            else if (point == '>')
                out.append("&gt;");
            else if (point == '\r') // a reader of XML turns it into \n otherwise
                out.append("&#13;");
            else if (isXml(point))
                out.appendCodePoint(point);
            else
                throw new IllegalArgumentException(String.format("XML cannot carry U+%04X, at %d of the text", point, at));
        }
    }

    private static boolean isXml(int point) {
        return point == '\t' || point == '\n' || (point >= 0x20 && point < 0xD800) || (point >= 0xE000 && point < 0xFFFE)
                || point >= 0x10000;
    }
}
