package org.svisor.events;

import java.util.Map;

import org.svisor.model.ApplicationInfo;
import org.svisor.model.ClusterProcess;
import org.svisor.model.Decision;
import org.svisor.model.EventCounts;
import org.svisor.model.HostStatistics;
import org.svisor.model.InstanceInfo;
import org.svisor.model.ProcessEvent;
import org.svisor.model.ProcessStatistics;
import org.svisor.model.PublishedDeath;
import org.svisor.model.PublishedShortage;
import org.svisor.model.StateModes;

/**
 * Who hears events. Every method does nothing unless it is overridden. They are called one at a time, in the order of the events, on a thread of
 * the subscriber; while one of them works, nothing more is read, so that a listener that is slow has the server wait and not this memory grow.
 */
public interface EventListener {
    /**
     * State and modes of the publishing instance have changed.
     *
     * @param state what they are now
     */
    default void onSupvisors(StateModes state) {
    }

    /**
     * An instance has changed, or its heartbeat came.
     *
     * @param instance what it is now
     */
    default void onInstance(InstanceInfo instance) {
    }

    /**
     * An application has changed.
     *
     * @param application what it is now
     */
    default void onApplication(ApplicationInfo application) {
    }

    /**
     * Something has happened to a process in one instance.
     *
     * @param event what it was
     */
    default void onProcessEvent(ProcessEvent event) {
    }

    /**
     * A process has changed, over all instances.
     *
     * @param process what it is now
     */
    default void onProcess(ClusterProcess process) {
    }

    /**
     * A period of the statistics of a host is over.
     *
     * @param statistics what was used in it
     */
    default void onHostStatistics(HostStatistics statistics) {
    }

    /**
     * A period of the statistics of a process is over.
     *
     * @param statistics what was used in it
     */
    default void onProcessStatistics(ProcessStatistics statistics) {
    }

    /**
     * A run of a process of the publishing instance has ended.
     *
     * @param death why
     */
    default void onDeath(PublishedDeath death) {
    }

    /**
     * A process of the publishing instance, or a group, ran short of something.
     *
     * @param shortage of what
     */
    default void onShortage(PublishedShortage shortage) {
    }

    /**
     * The cluster has decided or found out something.
     *
     * @param decision what it is, in words
     */
    default void onDecision(Decision decision) {
    }

    /**
     * How many events there were, for those who count them.
     *
     * @param counts how many, by header
     */
    default void onPublished(EventCounts counts) {
    }

    /**
     * This subscriber did not read for a while, and events were lost. Ask for the present state.
     *
     * @param counts how many, by header
     */
    default void onMissed(EventCounts counts) {
    }

    /**
     * An event of a server that is newer than this client.
     *
     * @param header its header
     * @param body   its body as it came
     */
    default void onOther(String header, Map<String, Object> body) {
    }

    /** The connection stands. Nothing is repeated of what happened before: ask for it now. */
    default void onConnected() {
    }

    /**
     * The connection is gone; the subscriber makes a new one.
     *
     * @param reason what ended it, in words
     */
    default void onDisconnected(String reason) {
    }

    /**
     * A message could not be understood, or a method of this listener threw. The subscriber goes on with the next one.
     *
     * @param problem what went wrong
     */
    default void onProblem(RuntimeException problem) {
        System.getLogger("org.svisor.events").log(System.Logger.Level.WARNING, "an event was not handled", problem);
    }
}
