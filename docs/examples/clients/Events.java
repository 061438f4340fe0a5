import java.net.URI;
import java.util.Map;

import org.svisor.events.EventListener;
import org.svisor.events.EventSubscriber;
import org.svisor.model.ApplicationInfo;
import org.svisor.model.ClusterProcess;

/**
 * What happens in a cluster, over WebSocket (event_link = WS).
 *
 * <pre>java -cp build/svisor-client.jar docs/examples/clients/Events.java ws://127.0.0.1:9002</pre>
 */
public class Events implements EventListener {
    public static void main(String[] arguments) throws InterruptedException {
        try (EventSubscriber subscriber = EventSubscriber.builder(URI.create(arguments[0]), new Events()).start()) {
            System.out.println("listening at " + subscriber.uri());
            Thread.currentThread().join(); // until somebody ends the program
        }
    }

    @Override
    public void onProcess(ClusterProcess process) {
        System.out.println("process " + process.namespec() + " " + process.state() + " on " + process.identifiers());
    }

    @Override
    public void onApplication(ApplicationInfo application) {
        System.out.println("application " + application.applicationName() + " " + application.state());
    }

    @Override
    public void onOther(String header, Map<String, Object> body) {
        System.out.println(header + " " + body);
    }

    @Override
    public void onDisconnected(String reason) {
        System.out.println("the connection is gone: " + reason);
    }
}
