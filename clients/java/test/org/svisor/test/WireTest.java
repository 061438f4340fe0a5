package org.svisor.test;

import static org.svisor.test.Checks.equal;
import static org.svisor.test.Checks.isTrue;
import static org.svisor.test.Checks.test;
import static org.svisor.test.Checks.thrown;

import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

import org.svisor.Call;
import org.svisor.FaultException;
import org.svisor.ProtocolException;
import org.svisor.model.ResourceEvent;
import org.svisor.model.StartingStrategy;
import org.svisor.wire.JsonReader;
import org.svisor.wire.XmlRpcReader;
import org.svisor.wire.XmlRpcWriter;

/** Bytes to values and back, without a server: what every type is, and what is refused. */
public final class WireTest {
    private WireTest() {
    }

    private static Object read(String document) {
        return XmlRpcReader.response(document.getBytes(StandardCharsets.UTF_8));
    }

    private static Object value(String value) {
        return read("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>" + value + "</param>\n</params>\n</methodResponse>\n");
    }

    private static void refusedXml(String document) throws Exception {
        thrown(ProtocolException.class, () -> read(document));
    }

    private static void refusedJson(String text) throws Exception {
        thrown(ProtocolException.class, () -> JsonReader.parse(text));
    }

    private static void everyType() {
        equal(value("<value><string> a &lt;&#13; b\n</string></value>"), " a <\r b\n", "a string");
        equal(value("<value>plain</value>"), "plain", "a string without a type");
        equal(value("<value/>"), "", "nothing in it");
        equal(value("<value><int>-7</int></value>"), -7, "int");
        equal(value("<value><i4> +7 </i4></value>"), 7, "i4");
        equal(value("<value><i8>2147483648</i8></value>"), 2147483648L, "i8");
        equal(value("<value><i8>5</i8></value>"), 5, "a small i8");
        equal(value("<value><boolean>1</boolean></value>"), true, "boolean");
        equal(value("<value><double>-1.5e3</double></value>"), -1500.0, "double");
        equal(value("<value><nil/></value>"), null, "nil");
        equal(value("<value><base64>aGVs\nbG8=</base64></value>"), "hello".getBytes(StandardCharsets.UTF_8), "base64");
        equal(value("<value><dateTime.iso8601>20261123T01:02:03</dateTime.iso8601></value>"), LocalDateTime.of(2026, 11, 23, 1, 2, 3),
                "dateTime");
        equal(value("<value> <array><data> <value>a</value>\n<value><struct><member><name>k</name><value><int>1</int></value></member>"
                + "</struct></value></data></array></value>"), List.of("a", Map.of("k", 1)), "nested");
    }

    private static void hostile() throws Exception {
        refusedXml("<!DOCTYPE x [<!ENTITY a 'b'>]><methodResponse><params><param><value>&a;</value></param></params></methodResponse>");
        refusedXml("<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/hostname'>]><methodResponse><params><param><value>&a;</value></param>"
                + "</params></methodResponse>");
        refusedXml("<methodResponse><params><param><value><array><data>".repeat(1) + "<value><array><data>".repeat(5000));
        refusedXml("");
        refusedXml("{}");
        refusedXml("<html><body>an error</body></html>");
        refusedXml("<methodResponse><params><param><value><int>1</value></param></params></methodResponse>");
        refusedXml("<methodResponse><params><param><value>a</value></param></params></methodResponse><more/>");
        for (String bad : List.of("<int>1x</int>", "<int>9999999999999999999</int>", "<boolean>2</boolean>", "<double>one</double>",
                "<dateTime.iso8601>now</dateTime.iso8601>", "<base64>?</base64>", "<thing/>", "text<int>1</int>", "<int>1</int>text",
                "<struct><member><value>1</value></member></struct>"))
            thrown(ProtocolException.class, () -> value("<value>" + bad + "</value>"));
    }

    private static void faults() throws Exception {
        String fault = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>%d</int></value></member><member>"
                + "<name>faultString</name><value><string>BAD_NAME: web</string></value></member></struct></value></fault></methodResponse>";
        FaultException known = thrown(FaultException.class, () -> read(String.format(fault, 10)));
        equal(known.fault().name() + known.code() + known.detail(), "BAD_NAME10web", "a fault");
        equal(thrown(FaultException.class, () -> read(String.format(fault, 4711))).fault().name(), "OTHER", "one from the future");
        refusedXml("<methodResponse><fault><value>no</value></fault></methodResponse>");
    }

    private static void written() throws Exception {
        String call = new String(XmlRpcWriter.call("a.b", "x<&>\r", StartingStrategy.CONFIG, 1, 1L << 40, 1e-3, true, null,
                new byte[] {1, 2}, LocalDateTime.of(2026, 1, 2, 3, 4, 5), List.of(Call.of("c"))), StandardCharsets.UTF_8);
        for (String part : List.of("<methodName>a.b</methodName>", "<string>x&lt;&amp;&gt;&#13;</string>", "<string>CONFIG</string>",
                "<int>1</int>", "<i8>1099511627776</i8>", "<double>0.001</double>", "<boolean>1</boolean>", "<nil/>", "<base64>AQI=</base64>",
                "<dateTime.iso8601>20260102T03:04:05</dateTime.iso8601>", "<name>methodName</name><value><string>c</string></value>"))
            isTrue(call.contains(part), part + " in " + call);
        for (Object bad : new Object[] {"\u0000", "\uD800", "\u001b[1m", Double.NaN, new Object()})
            thrown(IllegalArgumentException.class, () -> XmlRpcWriter.call("a.b", bad));
    }

    private static void json() throws Exception {
        equal(JsonReader.parse(" [\"a\\u00e9\\n\\/\", {\"k\": -1.5e1, \"l\": []}, true, false, null, 12, 4294967296] "),
                java.util.Arrays.asList("a\u00e9\n/", Map.of("k", -15.0, "l", List.of()), true, false, null, 12, 4294967296L), "JSON");
        for (String bad : List.of("", "[", "[1,]", "{\"a\"}", "{a:1}", "01", "1.", "-", "\"a", "\"\\x\"", "\"\\u12\"", "nul", "[1] 2", "\"\t\"",
                "[".repeat(100_000)))
            refusedJson(bad);
    }

    /** The example of docs/resources.md: a real one needs limits that this machine may not have. */
    @SuppressWarnings("unchecked")
    private static void resourceEvent() {
        Keys.check(new ResourceEvent((Map<String, Object>) JsonReader.parse("{\"resource\":\"MEMORY_MAX\",\"text\":\"its memory reached memory_max, "
                + "512.0 MiB, 41 times within 1.0 s\",\"count\":41,\"first_ms\":1795361453000,\"last_ms\":1795361454000,\"group\":\"web\","
                + "\"name\":\"web\",\"run\":3,\"pid\":815,\"limit_bytes\":536870912,\"usage_bytes\":536866816}")));
    }

    /** @param arguments none */
    public static void main(String[] arguments) {
        test("every type of XML-RPC is read", WireTest::everyType);
        test("a document that is broken, too deep or has a document type is refused", WireTest::hostile);
        test("a fault has a name, a number and a detail", WireTest::faults);
        test("what XML cannot carry is refused before it is sent", WireTest::written);
        test("JSON is read, and nothing else", WireTest::json);
        test("a resource event has a method for each key", WireTest::resourceEvent);
        Checks.finish();
    }
}
