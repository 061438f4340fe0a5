/**
 * A client of svisord: its remote methods over XML-RPC, and its events over WebSocket. It needs nothing but the JDK.
 */
module org.svisor {
    requires java.xml;
    requires transitive java.net.http;

    exports org.svisor;
    exports org.svisor.events;
    exports org.svisor.model;
}
