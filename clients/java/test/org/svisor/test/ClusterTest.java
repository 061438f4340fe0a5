package org.svisor.test;

import static org.svisor.test.Checks.equal;
import static org.svisor.test.Checks.isTrue;
import static org.svisor.test.Checks.refused;
import static org.svisor.test.Checks.test;
import static org.svisor.test.Checks.thrown;
import static org.svisor.test.Checks.waitFor;
import static org.svisor.test.Keys.check;

import java.lang.reflect.Method;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;

import org.svisor.Call;
import org.svisor.CallResult;
import org.svisor.Fault;
import org.svisor.HttpStatusException;
import org.svisor.RemoteMethod;
import org.svisor.SupervisorMethods;
import org.svisor.SupvisorsMethods;
import org.svisor.SvisorClient;
import org.svisor.SvisorMethods;
import org.svisor.SystemMethods;
import org.svisor.events.EventSubscriber;
import org.svisor.events.EventType;
import org.svisor.model.ConciliationStrategy;
import org.svisor.model.DeathCause;
import org.svisor.model.DeathCertificate;
import org.svisor.model.ExecutionStatus;
import org.svisor.model.LogLevel;
import org.svisor.model.LogTail;
import org.svisor.model.ProcessInfo;
import org.svisor.model.ProcessState;
import org.svisor.model.StartingStrategy;
import org.svisor.model.SupvisorsState;

/**
 * Every method, on three real nodes. tests/integration/java_client.py starts them, with the programs that are named here. Which methods were called is
 * read from the log of the client; which keys an answer has, by {@link Keys}.
 */
public final class ClusterTest {
    private static final Set<String> CALLED = new TreeSet<>();
    private static final List<Class<?>> FAMILIES = List.of(SupervisorMethods.class, SystemMethods.class, SupvisorsMethods.class,
            SvisorMethods.class);
    private static SvisorClient one;
    private static SvisorClient three;
    /** The local instance's processes, the cluster. */
    private static SupervisorMethods supervisor;
    private static SupvisorsMethods supvisors;

    private ClusterTest() {
    }

    private static Logger listen() {
        Logger logger = Logger.getLogger("org.svisor");
        logger.setLevel(Level.FINE);
        logger.setUseParentHandlers(false);
        logger.addHandler(new Handler() {
            @Override
            public void publish(LogRecord call) {
                CALLED.add((String) call.getParameters()[0]);
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() {
            }
        });
        return logger; // java.util.logging itself does not hold it
    }

    private static boolean isIn(SvisorClient client, SupvisorsState state) {
        return client.supvisors().getSupvisorsState().state() == state;
    }

    private static void operation(SvisorClient client) throws InterruptedException {
        waitFor(client + " in OPERATION", () -> isIn(client, SupvisorsState.OPERATION));
    }

    private static ProcessState stateOf(String namespec) {
        return supervisor.getProcessInfo(namespec).state();
    }

    private static List<String> placesOf(String namespec) {
        return check(supvisors.getProcessInfo(namespec)).get(0).identifiers();
    }

    private static void aboutMethods(Set<String> oldNames) {
        Set<String> ours = new TreeSet<>(oldNames);
        for (Class<?> family : FAMILIES)
            for (Method method : family.getMethods())
                ours.add(method.getAnnotation(RemoteMethod.class).value());
        equal(ours, new TreeSet<>(one.system().listMethods()), "the methods of the server");
        isTrue(one.system().methodHelp("supervisor.getState").contains("@return struct"), "the help of getState");
        equal(one.system().methodSignature("supervisor.getState"), List.of("struct"), "the signature of getState");
        List<CallResult> results = one.system().multicall(List.of(Call.of("supervisor.getAPIVersion"),
                Call.of("supervisor.getProcessInfo", "nobody"), Call.of("supvisors.get_application_info", "shop")));
        equal(results.get(0).value(), "3.0", "the first result");
        equal(results.get(1).fault().orElseThrow().fault(), Fault.BAD_NAME, "the second");
        isTrue(results.get(2).fault().isEmpty(), "the third is no fault");
        equal(one.call("supervisor.getAPIVersion"), "3.0", "an untyped call");
    }

    private static void aboutDaemon() throws Exception {
        equal(supervisor.getAPIVersion(), "3.0", "version of the interface");
        equal(supervisor.getSupervisorVersion(), "4.2.5", "version of Supervisor");
        isTrue(supervisor.getIdentification().startsWith("s1"), supervisor.getIdentification());
        isTrue(supervisor.getPID() > 1, "a pid");
        equal(check(supervisor.getState()).statename(), "RUNNING", "the state");
        isTrue(supervisor.readLog(-100, 0).length() > 10, "a part of the log");
        isTrue(supervisor.clearLog(), "the log is cleared");
        equal(supervisor.reloadConfig().added(), List.of(), "groups that are new");
        isTrue(supervisor.sendRemoteCommEvent("kind", "data"), "an event is sent");
        isTrue(supervisor.removeProcessGroup("bad"), "a group out of use");
        refused(Fault.BAD_NAME, () -> supervisor.getProcessInfo("bad"));
        isTrue(supervisor.addProcessGroup("bad"), "the group in use");
        refused(Fault.ALREADY_ADDED, () -> supervisor.addProcessGroup("bad"));
    }

    private static void ownProcesses() throws Exception {
        ProcessInfo echo = check(supervisor.getProcessInfo("echo"));
        equal(echo.namespec() + echo.state(), "echoRUNNING", "echo");
        isTrue(check(supervisor.getAllProcessInfo()).stream().anyMatch(one -> one.namespec().equals("shop:db")), "db among all");
        check(supervisor.getAllConfigInfo());
        refused(Fault.ALREADY_STARTED, () -> supervisor.startProcess("echo"));
        equal(supervisor.stopProcess("echo"), List.of(), "the end of one process");
        equal(supervisor.startProcess("echo", true), List.of(), "the start of one process");
        List<ExecutionStatus> stopped = check(supervisor.stopProcess("echo:*", true));
        equal(stopped.get(0).status(), Fault.SUCCESS, "the end of all of a group");
        check(supervisor.startProcessGroup("echo"));
        check(supervisor.stopProcessGroup("echo", true));
        check(supervisor.startProcess("echo:*"));
        equal(supervisor.signalProcess("echo", "CONT"), List.of(), "a signal");
        refused(Fault.BAD_SIGNAL, () -> supervisor.signalProcess("echo", "NONSENSE"));
        isTrue(check(supervisor.signalProcessGroup("echo", "SIGCONT")).get(0).isSuccess(), "a signal to a group");
        check(supervisor.signalAllProcesses("18"));
    }

    private static void logs() throws Exception {
        String text = "a <b> & \u00e9\u4e16\ud83d\ude00\r\n";
        isTrue(supervisor.sendProcessStdin("echo", text), "the input is taken");
        waitFor("the echo", () -> supervisor.readProcessStdoutLog("echo", 0, 0).equals(text));
        LogTail tail = supervisor.tailProcessStdoutLog("echo", 0, 1000);
        equal(tail.text(), text, "the tail");
        equal(tail.offset(), (long) text.getBytes("UTF-8").length, "the offset");
        equal(supervisor.readProcessStderrLog("echo", 0, 0), "", "standard error");
        equal(supervisor.tailProcessStderrLog("echo", 0, 10).text(), "", "its tail");
        isTrue(supervisor.clearProcessLogs("echo"), "the logs are cleared");
        equal(supervisor.readProcessStdoutLog("echo", 0, 0), "", "the log");
        check(supervisor.clearAllProcessLogs());
        refused(Fault.BAD_ARGUMENTS, () -> supervisor.readProcessStdoutLog("echo", 0, -1));
    }

    private static void clusterState() {
        equal(supvisors.getApiVersion(), "0.19", "version of the interface");
        equal(check(supvisors.getSupvisorsState()).instanceStates().size(), 3, "instances");
        equal(check(supvisors.getAllInstancesStateModes()).size(), 3, "instances");
        equal(check(supvisors.getInstanceStateModes("s2")).get(0).nickIdentifier(), "s2", "nickname");
        equal(check(supvisors.getMasterIdentifier()).orElseThrow().nickIdentifier(), "s1", "the Master");
        equal(check(supvisors.getStrategies()).conciliation(), ConciliationStrategy.USER, "the option");
        isTrue(supvisors.enableHostStatistics(true), "switched on");
        isTrue(supvisors.enableProcessStatistics(true), "switched on");
        isTrue(supvisors.updateCollectingPeriod(0.5), "another period");
        equal(check(supvisors.getStatisticsStatus()).collectingPeriod(), 0.5, "the period");
        equal(check(supvisors.getAllInstancesInfo()).size(), 3, "instances");
        check(supvisors.getInstanceInfo("s3"));
        isTrue(!check(supvisors.getNetworkInfo("s1")).network().orElseThrow().addresses().isEmpty(), "an address");
        check(supvisors.getNetworkInfo("s2"));
        check(supvisors.getAllApplicationsInfo());
        isTrue(check(supvisors.getApplicationInfo("shop")).managed(), "shop has rules");
        isTrue(check(supvisors.getApplicationRules("shop")).startingStrategy().isPresent(), "a rule");
        isTrue(check(supvisors.getApplicationRules("echo")).startSequence().isEmpty(), "no rule");
        check(supvisors.getAllProcessInfo());
        check(supvisors.getProcessRules("shop:*"));
        equal(supvisors.getConflicts(), List.of(), "conflicts");
        check(supvisors.getAllLocalProcessInfo());
        check(supvisors.getLocalProcessInfo("echo"));
        check(supvisors.getAllInnerProcessInfo("s2"));
        check(supvisors.getInnerProcessInfo("s2", "shop:db"));
        isTrue(supvisors.changeLogLevel(LogLevel.DEBUG), "the level");
    }

    private static void applications() throws Exception {
        waitFor("shop to run", () -> placesOf("shop:db").size() == 1 && placesOf("shop:web").size() == 1);
        refused(Fault.ALREADY_STARTED, () -> supvisors.startApplication(StartingStrategy.CONFIG, "shop"));
        refused(Fault.NOT_MANAGED, () -> supvisors.stopApplication("echo"));
        isTrue(supvisors.stopApplication("shop"), "shop stops");
        equal(check(supvisors.testStartApplication(StartingStrategy.LESS_LOADED, "shop")).size(), 2, "predictions");
        check(supvisors.testStartProcess(StartingStrategy.MOST_LOADED, "shop:db"));
        isTrue(supvisors.startApplication(StartingStrategy.CONFIG, "shop", true), "shop starts");
        isTrue(!check(one.svisor().predictApplication(StartingStrategy.LESS_LOADED, "shop")).get(0).why().orElse("").isEmpty(), "why there");
        equal(check(one.svisor().predictProcess(StartingStrategy.LESS_LOADED, "shop:db")).get(0).startedIdentifiers().orElseThrow().size(), 1, "a place");
        isTrue(supvisors.restartApplication(StartingStrategy.CONFIG, "shop"), "shop restarts");
        isTrue(supvisors.stopProcess("shop:web"), "web stops");
        isTrue(supvisors.startProcess(StartingStrategy.LOCAL, "shop:web"), "web starts");
        isTrue(supvisors.restartProcess(StartingStrategy.CONFIG, "shop:web", "", true), "web restarts");
        refused(Fault.BAD_NAME, () -> supvisors.startProcess(StartingStrategy.CONFIG, "shop:nobody"));
        isTrue(supvisors.stopProcess("shop:db"), "db, which is required, stops");
        isTrue(supvisors.restartSequence(), "what is missing is started");
        equal(placesOf("shop:db").size(), 1, "copies of db");
    }

    private static void programs() throws Exception {
        equal(supvisors.startAnyProcess(StartingStrategy.LOCAL, "^work:"), "work:work_00", "which one");
        isTrue(supvisors.stopProcess("work:work_00"), "it stops");
        isTrue(supvisors.startArgs("work:work_00", "more", true), "it starts with an argument");
        isTrue(supvisors.updateNumprocs("work", 2), "two of them");
        waitFor("the second", () -> stateOf("work:work_01") == ProcessState.STOPPED);
        isTrue(supvisors.updateNumprocs("work", 1, true, false), "one of them");
        isTrue(supvisors.disable("work"), "disabled");
        refused(Fault.DISABLED, () -> supervisor.startProcess("work:work_00"));
        isTrue(supvisors.enable("work"), "enabled");
        refused(Fault.BAD_SUPVISORS_STATE, () -> supvisors.endSync());
    }

    private static void deaths() throws Exception {
        supervisor.startProcess("bad");
        waitFor("its end", () -> !one.svisor().getDeathCertificates("bad").isEmpty());
        DeathCertificate certificate = check(one.svisor().getDeathCertificate("bad"));
        equal(certificate.cause(), DeathCause.EXITED, "the cause");
        equal(certificate.exitCode().orElse(-1), 3L, "the exit code");
        equal(certificate.tail(), List.of("last words"), "what it said");
        check(one.svisor().getDeathCertificates("bad"));
        equal(new String(check(one.svisor().followLog("bad", "stderr")).bytes(), StandardCharsets.UTF_8), "last words\n", "its log");
        check(one.svisor().why("bad")).lastEnd().orElseThrow();
        check(one.svisor().why("work:work_00"));
        check(one.svisor().getResourceEvents("bad"));
        check(one.svisor().getNetworkCounters("bad"));
        isTrue(check(one.svisor().getTimeline()).stream().anyMatch(
            record -> record.kind().equals("death") && record.processName().orElse("").equals("bad")), "its end in the timeline");
        isTrue(check(one.svisor().getHostStatistics()).cpu().size() > 1, "processors");
        equal(check(one.svisor().getUsage(0)).targetPeriod(), 1.0, "the period");
        equal(check(one.svisor().getProcessStatistics("work:work_00", 0)).targetPeriod(), 1.0, "the period");
        supervisor.startProcess("stubborn");
        supervisor.signalProcess("stubborn", "KILL");
        waitFor("its end", () -> stateOf("stubborn") == ProcessState.EXITED);
        waitFor("its certificate", () -> !one.svisor().getDeathCertificates("stubborn").isEmpty());
        equal(check(one.svisor().getDeathCertificate("stubborn", 0)).signal().orElse(0), 9L, "the signal");
    }

    private static void clusterOfSvisor() {
        equal(check(one.svisor().getNodes()).size(), 3, "nodes");
        equal(one.svisor().relay("s2", "supervisor.getAPIVersion", List.of()), "3.0", "a method of another instance");
        equal(check(one.svisor().getPlacement("shop")).processes().size(), 2, "processes");
        isTrue(!check(one.svisor().getKernelReport()).isEmpty(), "abilities");
        isTrue(one.svisor().getVersion().contains("."), "the version");
    }

    private static void conflicts() throws Exception {
        String elsewhere = placesOf("shop:db").get(0);
        SvisorClient other = elsewhere.equals(three.uri().getRawAuthority()) ? one : three;
        refused(Fault.BAD_SUPVISORS_STATE, () -> supvisors.conciliate(ConciliationStrategy.SENICIDE));
        refused(Fault.BAD_SUPVISORS_STATE, () -> one.svisor().conciliate(ConciliationStrategy.SENICIDE, "shop:db"));
        other.supervisor().startProcess("shop:db");
        waitFor("the conflict", () -> isIn(one, SupvisorsState.CONCILIATION));
        equal(check(supvisors.getConflicts()).get(0).namespec(), "shop:db", "the conflict");
        isTrue(supvisors.conciliate(ConciliationStrategy.SENICIDE), "it is ended");
        operation(one);
    }

    private static void allProcesses() throws Exception {
        isTrue(supvisors.stopApplication("shop"), "shop stops");
        check(three.supervisor().stopAllProcesses());
        check(three.supervisor().startAllProcesses(true));
        check(three.supervisor().stopAllProcesses(true));
        waitFor("node 1 to hear of it", () -> placesOf("shop:db").isEmpty() && placesOf("shop:web").isEmpty());
        // What was stopped on purpose as a whole is not missing.
        refused(Fault.ABNORMAL_TERMINATION, () -> supvisors.restartSequence());
    }

    /** By now everything has happened; what the subscriber has not heard yet is on its way. */
    private static void events(EventsTest.Ear ear) throws Exception {
        Set<String> wanted = new TreeSet<>(Set.of("supvisors", "instance", "application", "process", "event RUNNING told", "event DELETED",
                "event STOPPED disabled or enabled", "hstats", "pstats", "death", "mesh", "published"));
        waitFor("events: heard " + ear.headers, () -> ear.headers.containsAll(wanted) || !ear.problems.isEmpty());
        equal(ear.problems, List.of(), "problems");
        equal(ear.ends, List.of(), "ends of the connection");
    }

    private static void ends() throws Exception {
        check(three.svisor().reexec());
        operation(three);
        int before = three.supervisor().getPID();
        isTrue(three.supervisor().restart(), "a daemon restarts");
        waitFor("it to be back", () -> three.supervisor().getState().statecode() == 1 && three.supervisor().getPID() == before
                && isIn(three, SupvisorsState.OPERATION));
        operation(one);
        isTrue(supvisors.restart(), "the cluster restarts");
        waitFor("it to stop", () -> !isIn(one, SupvisorsState.OPERATION));
        operation(one);
        operation(three);
        isTrue(three.supervisor().shutdown(), "a daemon ends");
        waitFor("it to be missed", () -> supvisors.getInstanceInfo("s3").get(0).statename().matches("FAILED|STOPPED"));
        operation(one);
        isTrue(supvisors.shutdown(), "the cluster ends");
    }

    private static void everything() {
        Set<String> missing = new TreeSet<>();
        for (Class<?> family : FAMILIES)
            for (Method method : family.getMethods())
                missing.add(method.getAnnotation(RemoteMethod.class).value());
        missing.removeAll(CALLED);
        isTrue(missing.isEmpty(), "never called: " + missing);
        System.out.println("# " + CALLED.size() + " methods called, classes checked: " + String.join(" ", Keys.seen()));
    }

    /** @param arguments URI of the first and the third node, name, password, old names of methods, with commas between, URI of the events of the first */
    public static void main(String[] arguments) {
        Logger logger = listen();
        one = SvisorClient.builder(URI.create(arguments[0])).credentials(arguments[2], arguments[3]).build();
        three = SvisorClient.builder(URI.create(arguments[1])).credentials(arguments[2], arguments[3]).build();
        supervisor = one.supervisor();
        supvisors = one.supvisors();
        Set<String> oldNames = Arrays.stream(arguments[4].split(",")).collect(Collectors.toCollection(TreeSet::new));
        EventsTest.Ear ear = new EventsTest.Ear();
        EventSubscriber subscriber = EventSubscriber.builder(URI.create(arguments[5]), ear).types(EventType.values()).start();
        test("a wrong password is told", () -> equal(thrown(HttpStatusException.class,
                () -> SvisorClient.builder(one.uri()).credentials("x", "y").build().supervisor().getPID()).status(), 401, "status"));
        test("the cluster is in operation", () -> operation(one));
        test("the methods are those of the server", () -> aboutMethods(oldNames));
        test("the daemon", ClusterTest::aboutDaemon);
        test("processes of one daemon", ClusterTest::ownProcesses);
        test("logs", ClusterTest::logs);
        test("the state of the cluster", ClusterTest::clusterState);
        test("applications", ClusterTest::applications);
        test("programs", ClusterTest::programs);
        test("deaths", ClusterTest::deaths);
        test("what svisor adds about the cluster", ClusterTest::clusterOfSvisor);
        test("conflicts", ClusterTest::conflicts);
        test("all processes", ClusterTest::allProcesses);
        test("events", () -> events(ear));
        subscriber.close();
        test("the ends of daemons and clusters", ClusterTest::ends);
        test("every method was called", ClusterTest::everything);
        logger.setLevel(Level.OFF);
        Checks.finish();
    }
}
