package org.svisor.model;

import java.util.List;
import java.util.Map;

/** The configuration of a process, as it was read last. Options that are not set are {@code none}. */
public final class ProgramConfig extends Struct {
    /** @param fields what came */
    public ProgramConfig(Map<String, Object> fields) {
        super(fields);
    }

    /** @return name of the process */
    public String name() {
        return text("name");
    }

    /** @return name of its group */
    public String group() {
        return text("group");
    }

    /** @return whether a group of that name is in use */
    public boolean inuse() {
        return flag("inuse");
    }

    /** @return the command line */
    public String command() {
        return text("command");
    }

    /** @return where it runs */
    public String directory() {
        return text("directory");
    }

    /** @return the user that it runs as */
    public String uid() {
        return fields().get("uid").toString();
    }

    /** @return whether it starts with the daemon */
    public boolean autostart() {
        return flag("autostart");
    }

    /** @return its priority */
    public int processPrio() {
        return integer("process_prio");
    }

    /** @return the priority of its group */
    public int groupPrio() {
        return integer("group_prio");
    }

    /** @return how long it must stay up to count as RUNNING */
    public int startsecs() {
        return integer("startsecs");
    }

    /** @return how often a failed start is tried again */
    public int startretries() {
        return integer("startretries");
    }

    /** @return exit codes that are expected */
    public List<Integer> exitcodes() {
        return integers("exitcodes");
    }

    /** @return the number of the signal that stops it */
    public int stopsignal() {
        return integer("stopsignal");
    }

    /** @return how long it may take to end after that */
    public int stopwaitsecs() {
        return integer("stopwaitsecs");
    }

    /** @return whether SIGKILL goes to its process group */
    public boolean killasgroup() {
        return flag("killasgroup");
    }

    /** @return whether standard error goes where standard output goes */
    public boolean redirectStderr() {
        return flag("redirect_stderr");
    }

    /** @return path of the log, {@code auto} or {@code none} */
    public String stdoutLogfile() {
        return text("stdout_logfile");
    }

    /** @return at which size the log is rotated; 0: never */
    public long stdoutLogfileMaxbytes() {
        return number("stdout_logfile_maxbytes");
    }

    /** @return how many old logs are kept */
    public int stdoutLogfileBackups() {
        return integer("stdout_logfile_backups");
    }

    /** @return how much is captured between the marks of PROCESS_COMMUNICATION; 0: none */
    public long stdoutCaptureMaxbytes() {
        return number("stdout_capture_maxbytes");
    }

    /** @return whether output becomes PROCESS_LOG events */
    public boolean stdoutEventsEnabled() {
        return flag("stdout_events_enabled");
    }

    /** @return whether output goes to syslog */
    public boolean stdoutSyslog() {
        return flag("stdout_syslog");
    }

    /** @return path of the log, {@code auto} or {@code none} */
    public String stderrLogfile() {
        return text("stderr_logfile");
    }

    /** @return at which size the log is rotated; 0: never */
    public long stderrLogfileMaxbytes() {
        return number("stderr_logfile_maxbytes");
    }

    /** @return how many old logs are kept */
    public int stderrLogfileBackups() {
        return integer("stderr_logfile_backups");
    }

    /** @return how much is captured between the marks of PROCESS_COMMUNICATION; 0: none */
    public long stderrCaptureMaxbytes() {
        return number("stderr_capture_maxbytes");
    }

    /** @return whether output becomes PROCESS_LOG events */
    public boolean stderrEventsEnabled() {
        return flag("stderr_events_enabled");
    }

    /** @return whether output goes to syslog */
    public boolean stderrSyslog() {
        return flag("stderr_syslog");
    }

    /** @return what it gets as SUPERVISOR_SERVER_URL */
    public String serverurl() {
        return text("serverurl");
    }
}
