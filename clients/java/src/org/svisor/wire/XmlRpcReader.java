package org.svisor.wire;

import java.io.ByteArrayInputStream;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

import org.svisor.FaultException;
import org.svisor.ProtocolException;

/**
 * Answers in XML-RPC.
 *
 * <p>A value is a String, Boolean, Double, byte[], LocalDateTime (XML-RPC has no time zones), null, List or Map in the order of the document;
 * a whole number is an Integer if it fits, and a Long otherwise, whether it came as {@code int}, {@code i4} or {@code i8}.
 *
 * <p>No document type is accepted: so there are no entities to expand and nothing is fetched. Depth is bounded; the size is bounded by who
 * gives the bytes.
 */
public final class XmlRpcReader {
    private static final int DEPTH_MAX = 64;
    private static final DateTimeFormatter COMPACT = DateTimeFormatter.ofPattern("yyyyMMdd'T'HH:mm:ss");
    private static final XMLInputFactory FACTORY = factory();

    private final XMLStreamReader xml;
    private int depth;

    private XmlRpcReader(XMLStreamReader xml) {
        this.xml = xml;
    }

    /** Making readers is thread-safe, as long as nobody changes the properties. */
    private static XMLInputFactory factory() {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        return factory;
    }

    /**
     * @param body the document
     * @return the result
     * @throws FaultException    if the answer is a fault
     * @throws ProtocolException if it is no answer
     */
    public static Object response(byte[] body) {
        try {
            XMLStreamReader xml;
            synchronized (FACTORY) { // JDK 11 shares its pool of buffers unguarded
                xml = FACTORY.createXMLStreamReader(new ByteArrayInputStream(body));
            }
            Object result = new XmlRpcReader(xml).response();
            xml.close();
            return result;
        } catch (XMLStreamException | DateTimeParseException | IllegalArgumentException broken) {
            throw new ProtocolException("the answer is not XML-RPC: " + broken.getMessage(), broken);
        }
    }

    private Object response() throws XMLStreamException {
        if (xml.nextTag() != XMLStreamConstants.START_ELEMENT || !is("methodResponse"))
            throw wrong("methodResponse");
        xml.nextTag();
        Object result = null;
        if (is("fault")) {
            enter("value");
            Object fault = value();
            leave("fault");
            throw faultOf(fault);
        }
        require("params");
        enter("param");
        enter("value");
        result = value();
        leave("param");
        leave("params");
        leave("methodResponse");
        while (xml.next() != XMLStreamConstants.END_DOCUMENT)
            if (xml.isStartElement() || xml.isCharacters())
                throw wrong("the end of the document");
        return result;
    }

    private FaultException faultOf(Object value) {
        Map<?, ?> fields = value instanceof Map ? (Map<?, ?>) value : Map.of();
        if (!(fields.get("faultCode") instanceof Integer) || !(fields.get("faultString") instanceof String))
            throw new ProtocolException("a fault without faultCode and faultString: " + value);
        return new FaultException((Integer) fields.get("faultCode"), (String) fields.get("faultString"));
    }

    /** From {@code <value>} to {@code </value>}. */
    private Object value() throws XMLStreamException {
        StringBuilder untyped = new StringBuilder();
        while (true) {
            int event = xml.next();
            if (event == XMLStreamConstants.END_ELEMENT)
                return untyped.toString();
            if (event == XMLStreamConstants.START_ELEMENT)
                break;
            if (event == XMLStreamConstants.CHARACTERS || event == XMLStreamConstants.CDATA
                    || event == XMLStreamConstants.SPACE)
                untyped.append(xml.getText());
            else if (event != XMLStreamConstants.COMMENT && event != XMLStreamConstants.PROCESSING_INSTRUCTION)
                throw wrong("a value");
        }
        if (!untyped.toString().isBlank())
            throw wrong("no text before an element");
        Object typed = typed(xml.getLocalName());
        leave("value");
        return typed;
    }

    private Object typed(String type) throws XMLStreamException {
        switch (type) {
        case "array":
            return array();
        case "struct":
            return struct();
        case "string":
            return xml.getElementText();
        case "int":
        case "i4":
        case "i8":
            return whole(xml.getElementText());
        case "boolean":
            return flag(xml.getElementText().trim());
        case "double":
            return Double.valueOf(xml.getElementText().trim());
        case "dateTime.iso8601":
            return date(xml.getElementText().trim());
        case "base64":
            return Base64.getDecoder().decode(xml.getElementText().replaceAll("\\s", ""));
        case "nil":
            leave("nil");
            return null;
        default:
            throw wrong("a type of XML-RPC");
        }
    }

    static Object whole(String text) {
        long number = Long.parseLong(text.trim());
        if (number == (int) number)
            return (int) number;
        return number;
    }

    private static Boolean flag(String text) {
        if (!text.equals("0") && !text.equals("1"))
            throw new ProtocolException("a boolean is 0 or 1, not " + text);
        return text.equals("1");
    }

    private static LocalDateTime date(String text) {
        return text.contains("-") ? LocalDateTime.parse(text) : LocalDateTime.parse(text, COMPACT);
    }

    private List<Object> array() throws XMLStreamException {
        deeper();
        List<Object> values = new ArrayList<>();
        enter("data");
        while (xml.nextTag() == XMLStreamConstants.START_ELEMENT) {
            require("value");
            values.add(value());
        }
        leave("array");
        depth--;
        return Collections.unmodifiableList(values);
    }

    private Map<String, Object> struct() throws XMLStreamException {
        deeper();
        Map<String, Object> members = new LinkedHashMap<>();
        while (xml.nextTag() == XMLStreamConstants.START_ELEMENT) {
            require("member");
            enter("name");
            String name = xml.getElementText();
            enter("value");
            members.put(name, value());
            leave("member");
        }
        depth--;
        return Collections.unmodifiableMap(members);
    }

    private void deeper() {
        if (++depth > DEPTH_MAX)
            throw new ProtocolException("an answer more than " + DEPTH_MAX + " deep");
    }

    private boolean is(String name) {
        return xml.getLocalName().equals(name);
    }

    private void require(String name) {
        if (!xml.isStartElement() || !is(name))
            throw wrong("<" + name + ">");
    }

    private void enter(String name) throws XMLStreamException {
        xml.nextTag();
        require(name);
    }

    private void leave(String name) throws XMLStreamException {
        if (xml.nextTag() != XMLStreamConstants.END_ELEMENT || !is(name))
            throw wrong("</" + name + ">");
    }

    private ProtocolException wrong(String expected) {
        return new ProtocolException(
                "the answer is not XML-RPC: line " + xml.getLocation().getLineNumber() + ": expected " + expected);
    }
}
