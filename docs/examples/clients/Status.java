import java.net.URI;

import org.svisor.Fault;
import org.svisor.FaultException;
import org.svisor.SvisorClient;
import org.svisor.model.Node;
import org.svisor.model.ProcessInfo;

/**
 * The processes of a daemon, or of its whole cluster, and what a refusal looks like.
 *
 * <pre>java -cp build/svisor-client.jar docs/examples/clients/Status.java http://alice:secret@127.0.0.1:9001</pre>
 */
public class Status {
    public static void main(String[] arguments) {
        SvisorClient client = SvisorClient.builder(URI.create(arguments[0])).build();

        for (ProcessInfo process : client.supervisor().getAllProcessInfo())
            System.out.printf("%-24s %-9s %s%n", process.namespec(), process.state(), process.description());

        try {
            for (Node node : client.svisor().getNodes())
                System.out.printf("%-24s %-9s %s%n", node.nickIdentifier(), node.state(), node.isMaster() ? "Master" : "");
        } catch (FaultException refusal) {
            if (refusal.fault() != Fault.UNKNOWN_METHOD)
                throw refusal;
            System.out.println("not in a cluster");
        }

        try {
            client.supervisor().startProcess("no-such-program");
        } catch (FaultException refusal) {
            System.out.println("refused with " + refusal.fault() + ": " + refusal.detail());
        }
    }
}
