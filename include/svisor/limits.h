/* Every bound of svisor: the number, its unit, and the reason for it. */
#ifndef SVISOR_LIMITS_H
#define SVISOR_LIMITS_H

/* Configuration. */
#define SV_CONFIG_FILE_BYTES_MAX                                                                   \
    (16u << 20)                     /* a hundred thousand long lines; more is not a configuration */
#define SV_CONFIG_FILES_MAX    1000 /* [include] may match this many */
#define SV_CONFIG_SECTIONS_MAX 50000
#define SV_CONFIG_KEYS_MAX     10000      /* per section */
#define SV_EXPANSION_BYTES_MAX (1u << 20) /* one expanded value; stops %(a)s bombs */
#define SV_NUMPROCS_MAX        10000
#define SV_PROCESSES_MAX       100000 /* per daemon */
#define SV_ARGV_MAX            4096   /* words in one command */
#define SV_INSTANCES_MAX       10000  /* of a cluster: ten times what is simulated */

/* Rules of applications. */
#define SV_RULES_FILE_BYTES_MAX (4u << 20) /* one XML file; a program takes 200 bytes */
#define SV_RULES_ELEMENTS_MAX   100000     /* applications, programs, models and aliases together */
#define SV_RULES_NAMES_MAX                                                                         \
    1000000 /* identifiers in all lists, after aliases: ten for each of SV_PROCESSES_MAX */
#define SV_RULES_FAULTS_MAX       50 /* told of one file */
#define SV_RULES_MODELS_MAX       2  /* behind one another: Supvisors' bound */
#define SV_FORMULA_BYTES_MAX      4096
#define SV_FORMULA_OPERATIONS_MAX 512 /* operands, operators and calls */
#define SV_FORMULA_DEPTH_MAX      64  /* parentheses, calls and operators that wait */

/* Decisions of a cluster. */
#define SV_REFUSALS_TOLD_MAX 8 /* instances that a sentence names; the rest is counted */

/* Cluster. */
#define SV_COMMANDS_MAX 100000 /* under way from one instance: one for each process */
#define SV_COMMAND_LOG_LENGTH                                                                      \
    256 /* commands of one instance that are known when they come again                            \
         */
#define SV_SIGHT_PAUSE_NS                                                                          \
    UINT64_C(50000)         /* for each instance: 0.4 ms with 8, 50 ms with 1,000 (docs/mesh.md) */
#define SV_SIGHT_RUNS_MAX 4 /* told while it changes: at rest there are one or two */
#define SV_CLOCK_MARGIN_PERCENT                                                                    \
    25 /* two clocks, each up to 10 % wrong: 1.1 / 0.9 = 1.22 (docs/mesh.md) */
#define SV_CLOCK_MARGIN_NS UINT64_C(100000000) /* to notice a deadline and kill: 1 ms, usually */

/* Output of programs. */
#define SV_OUTPUT_TURN_BYTES_MAX                                                                   \
    (256u << 10) /* one descriptor, one turn of the loop: FACTS of docs/kernel.md, pipe of 1 MB */
#define SV_OUTPUT_LINES_TURN_BYTES_MAX                                                             \
    (16u << 10) /* the same where each line is a datagram: 16,000 empty ones take 15 ms */
#define SV_OUTPUT_PIPE_BYTES      (1u << 20) /* F_SETPIPE_SZ, where the user's pipe quota allows */
#define SV_STDIN_BUFFER_BYTES_MAX (1u << 20) /* waiting for a program that does not read */
#define SV_SYSLOG_LINE_BYTES_MAX  8192
#define SV_CAPTURE_BYTES_MAX                                                                       \
    (16u << 20) /* one capture of a program; it is held in memory and sent as one event */
#define SV_LOG_FOLLOW_BYTES_MAX (256 << 10) /* in one answer: 342 KB of base64 */
#define SV_LOG_FOLLOW_FILES_MAX 20   /* older files to look into: twice logfile_backups' default */
#define SV_LAST_BYTES_MAX       1024 /* kept in memory per channel that has no readable log file */

/* Listeners. */
#define SV_LISTENER_RESULT_BYTES_MAX (1u << 20)
#define SV_LISTENER_LINE_BYTES_MAX   256    /* of a RESULT line; a number needs 20 */
#define SV_LISTENER_BUFFER_MAX       100000 /* events; the option buffer_size may not ask for more */
#define SV_EVENTS_REMEMBERED_BYTES_MAX                                                             \
    (8u << 20) /* of buffered events, over all pools, in the journal: it holds 64 MB. What is      \
                  beyond dies with svisord */
#define SV_CURSORS_MAX 1024 /* listener processes whose deliveries are exact over a SIGKILL */

/* Descriptors. */
#define SV_DESCRIPTORS_RESERVED                                                                    \
    64 /* not for pipes of programs: connections, logs, cgroups; a quarter where the limit is low  \
        */

/* HTTP and XML-RPC. */
#define SV_HTTP_BODY_BYTES_MAX          (4u << 20)
#define SV_HTTP_CONNECTIONS_MAX         12000 /* idle ones cost 32 KB each at most, measured */
#define SV_HTTP_IDLE_TIMEOUT_SECONDS    300
#define SV_HTTP_STREAM_BUFFER_BYTES_MAX (1u << 20)
#define SV_SERVED_FILE_BYTES_MAX                                                                   \
    (1u << 20) /* an icon, a style sheet: of 100 KB at most, as a rule */
#define SV_XMLRPC_DEPTH_MAX  64
#define SV_XMLRPC_VALUES_MAX 100000 /* values in one call */
#define SV_XMLRPC_RESPONSE_VALUES_MAX                                                              \
    4000000 /* values in one answer, for svctl: 20 for each of SV_PROCESSES_MAX, twice */
#define SV_MULTICALL_MAX   10000 /* calls in one system.multicall */
#define SV_REST_FIELDS_MAX 16    /* names in one query: four times what a method takes */
#define SV_OPERATIONS_MAX  1000  /* calls of REST that were answered with 202 */
#define SV_OPERATIONS_BYTES_MAX                                                                    \
    (16u << 20) /* of their results together; the oldest are forgotten first */
#define SV_OPERATION_KEPT_SECONDS                                                                  \
    600                            /* after its end: whoever polls once a minute has ten tries     \
                                    */
#define SV_CALLS_WAITING_MAX 20000 /* calls that wait for a process, over all connections */
#define SV_CALL_MEMBERS_MAX                                                                        \
    200000 /* processes that all waiting calls together are about: each process twice */

/* Life beyond the daemon. */
#define SV_KEEPER_LONELY_SECONDS                                                                   \
    3600                           /* without a daemon: then the keeper gives the programs up      \
                                    */
#define SV_KEEPER_PATIENCE_MS 1000 /* for its answer, which takes 0.02; then it may be stopped */
#define SV_KEEPER_WAITS_MAX   10   /* so often; then it is killed */
#define SV_TRIAL_SECONDS      10   /* for a new svisord to say that it can run; it takes 0.02 */
#define SV_TRIAL_OUTPUT_BYTES_MAX                                                                  \
    4096 /* kept of what it says: the rest of a long list of mistakes helps nobody */
#define SV_QUIT_ANSWER_MS 500 /* at the end, for what was answered to leave */
#define SV_REEXEC_ANSWER_MS                                                                        \
    1000 /* for the last answers to leave before the exec; a local client needs none of it */
#define SV_JOURNAL_BYTES_MAX (64u << 20) /* more was not written by svisord */
#define SV_JOURNAL_REWRITE_BYTES                                                                   \
    (256u << 10) /* grown by this much, it is written anew; RSS counts it */

/* Life of a process. */
#define SV_QUICK_ENDS_MAX      10 /* restarts without a pause of a program that always ends at once */
#define SV_QUICK_END_SECONDS   1u /* an end this soon after its start is such a quick one */
#define SV_SPAWNS_PER_TURN_MAX 32 /* then the loop looks at its other sources */
#define SV_KILL_WAIT_SECONDS                                                                       \
    10 /* after SIGKILL: dying takes milliseconds unless stuck in the kernel */
#define SV_RESTART_DELAY_SECONDS_MAX                                                               \
    86400 /* without restart_delay_max: doubled 17 times from a second */
#define SV_RESCAN_PAUSE_NS                                                                         \
    100000000u /* after a loss of eBPF records, before every run is looked at again: once a storm  \
                */
#define SV_SHUTDOWN_REPORT_SECONDS 3 /* "waiting for … to die", as often as Supervisor says it */
#define SV_SPAWNERR_BYTES_MAX      4096 /* kept of why a program could not be started */

/* Mesh: messages between instances. */
#define SV_MESH_MESSAGE_BYTES_MAX                                                                  \
    (16u << 20) /* a snapshot of SV_PROCESSES_MAX processes at 130 bytes each, measured */
#define SV_MESH_TEXT_BYTES_MAX                                                                     \
    (64u << 10) /* one text: extra arguments are the longest, and people type them */
#define SV_MESH_MEMORY_BASE_BYTES                                                                  \
    (64u << 10)                    /* what unpacking may take, and for each byte of the message: */
#define SV_MESH_MEMORY_PER_BYTE 24 /* the shortest row of a process has 25 bytes and needs 500 */
#define SV_BEACON_BYTES_MAX     1400 /* one datagram that no network cuts into pieces */
#define SV_MESH_KEY_FILE_BYTES_MAX                                                                 \
    (4u << 20) /* of keys that are trusted: 10,000 instances with their names need 1 MB */
#define SV_MESH_STEREOTYPES_MAX 1000 /* of one instance */
#define SV_MESH_ADDRESSES_MAX   64   /* of one instance that are told; the first ones */

/* Calls that are relayed to another instance. Of each at most one part is under way: 1 MB of all of
 * them, which 100 Mbit/s carry in 80 ms, and a heartbeat may be 0.9 s late. */
#define SV_RELAY_PARAMS_BYTES_MAX (32u << 10) /* of JSON, in one message */
#define SV_RELAY_PART_BYTES       (32u << 10) /* of a result */
#define SV_RELAY_RESULT_BYTES_MAX (1u << 20)  /* of JSON: 2,000 rows of getAllProcessInfo */
#define SV_RELAY_CALLS_MAX        512         /* from here to all others, and from all others */
#define SV_RELAY_INSTANCE_MAX     32          /* of them, to and from one instance */
#define SV_RELAY_WAITS_NS         UINT64_C(1000000000) /* between two words that a call goes on */
#define SV_RELAY_PATIENCE_NS                                                                       \
    UINT64_C(3000000000) /* without one, beyond suspect_after, until a call counts as gone */

/* Published events. */
#define SV_EVENTS_WAITING_MAX                                                                      \
    4096 /* messages for one subscriber: a start of 1,000 programs is as many, of 500 bytes */
#define SV_EVENTS_WAITING_BYTES_MAX (4u << 20) /* of them, for one WebSocket; shared by all */
#define SV_EVENTS_CLIENTS_MAX                                                                      \
    1000 /* WebSockets, and as many streams; each takes 32 KB, and what it did not read */
#define SV_EVENTS_KEPT_SECONDS                                                                     \
    600 /* for streams that may be resumed, after the last one has ended */
#define SV_EVENTS_REQUEST_BYTES_MAX      4096 /* one message of such a client, which is thrown away */
#define SV_EVENTS_SUBSCRIPTION_BYTES_MAX 256 /* one message of a subscriber: a header has 11 */
#define SV_EVENTS_KEEPALIVE_SECONDS      20  /* of silence, then the kernel asks, three times */
#define SV_EVENTS_PERIOD_NS                                                                        \
    UINT64_C(5000000000) /* every instance again: Supvisors' clients know that period */

/* The model of the dashboard. */
#define SV_LIVE_CLIENTS_MAX   200   /* pages that are open; each as a WebSocket of events */
#define SV_LIVE_SNAPSHOTS_MAX 4     /* written at the same time: each holds 60 bytes for each row */
#define SV_LIVE_SLICE_ROWS    32    /* of a snapshot in one turn of the loop: under 1 ms */
#define SV_LIVE_BATCH_BYTES   65536 /* of them go out together */
#define SV_LIVE_FLUSH_ROWS    256   /* that have changed, likewise */
#define SV_LIVE_TIMELINE_MAX  1000  /* records of the timeline in a snapshot */
#define SV_LIVE_CONFLICTS_MAX 1000  /* that are named: nobody settles more by hand */
#define SV_LIVE_BEAT_NS       UINT64_C(5000000000) /* pages hear at least so often that we are there */

/* The timeline. */
#define SV_NEWS_ITEMS_MAX          100 /* told to other instances in one message: those of a turn */
#define SV_TIMELINE_RECORDS_MAX    2000 /* kept: some 600 KB, at most 3 MB */
#define SV_TIMELINE_TEXT_BYTES_MAX 512  /* a sentence or two */
#define SV_TIMELINE_NAME_BYTES_MAX 256  /* likewise an identifier */
/* Of its file; a longer one keeps its last lines, some 8,000. */
#define SV_TIMELINE_FILE_BYTES_MAX  (4 << 20)
#define SV_TIMELINE_FILE_BYTES_KEPT (2 << 20)

/* systemd. */
#define SV_SYSTEMD_WAIT_SECONDS                                                                    \
    10 /* for an answer over D-Bus, at the start; a booting machine needs one or two */
#define SV_STATUS_PERIOD_MS 1000 /* between two status lines: a thousand starts are one or two */

/* Death certificates. */
#define SV_DEATH_RECORD_BYTES_MAX                                                                  \
    (16u << 10) /* one of them in the file: all texts at their longest take 8 KB */
#define SV_DEATH_HISTORY_MAX    1000 /* kept for one process */
#define SV_DEATH_TAIL_LINES_MAX 20   /* of its last output */
#define SV_DEATH_TAIL_BYTES_MAX 4096
#define SV_DEATH_TAILS_MAX      3 /* the newest ones of a process keep their last output in memory */
#define SV_DEATH_FILE_BYTES_MAX                                                                    \
    (64u                                                                                           \
     << 20) /* read at the start: ten certificates of 10,000 programs; what is beyond is older */
#define SV_DEATH_STRAYS_MAX  1000 /* counted of what a run leaves behind */
#define SV_DEATH_SIGNALS_MAX 4    /* different signals of which the senders are kept for one run */

/* Readiness and liveness. */
#define SV_PROBE_WORDS_BYTES_MAX 256 /* kept of what a probe said: a line for people */
#define SV_PROBE_OUTPUT_BYTES_MAX                                                                  \
    (64u << 10) /* read of one run of an exec probe; the rest is dropped */
#define SV_PROBE_CHILDREN_MAX                                                                      \
    32 /* check commands alive at one moment, over all programs; the others wait for their turn */
#define SV_PROBE_WAIT_TOLD_NS    UINT64_C(600000000000) /* between two lines in the log about that */
#define SV_PROBE_HTTP_BYTES_MAX  256 /* of an answer's first line; "HTTP/1.1 200 OK" needs 15 */
#define SV_READY_ATTEMPT_SECONDS 10  /* one probe of ready=; then the next one may do better */
#define SV_READY_PAUSE_NS_MIN    UINT64_C(20000000) /* after the first failed one; it doubles */
#define SV_READY_PAUSE_NS_MAX    UINT64_C(1000000000)
#define SV_PROBE_GRID_NS         UINT64_C(10000000) /* probes begin on it, so that their wake-ups join */
#define SV_PATTERN_BYTES_MAX     4096               /* of a regular expression */
#define SV_PATTERN_DEPTH_MAX     64                 /* parentheses in parentheses */
#define SV_PATTERN_STEPS_MAX     10000 /* of one search: 0.1 ms; a sane pattern needs a hundred */
#define SV_PATTERN_HEAP_KIB_MAX  256
#define SV_PATTERN_COSTLY_LINES_MAX                                                                \
    10 /* then the pattern is not looked for any more in this run                                  \
        */
#define SV_NOTIFY_MESSAGE_BYTES_MAX 4096 /* systemd takes a page */
#define SV_NOTIFY_FIELDS_MAX        64   /* lines of one message */
#define SV_NOTIFY_STATUS_BYTES_MAX  256  /* of STATUS=, kept */
#define SV_NOTIFY_DESCRIPTORS_MAX   253 /* SCM_MAX_FD of the kernel: all that can come are closed */
#define SV_NOTIFY_TURN_MESSAGES_MAX 32  /* then the loop looks at its other sources */
#define SV_EXTEND_TIMEOUT_NS_MAX    UINT64_C(86400000000000) /* EXTEND_TIMEOUT_USEC; a day */

/* Shortages of resources. */
#define SV_RESOURCE_GATHER_NS    UINT64_C(1000000000)   /* a burst is told as one, so much later */
#define SV_RESOURCE_PAUSE_NS_MIN UINT64_C(10000000000)  /* between two of a kind and program */
#define SV_RESOURCE_PAUSE_NS_MAX UINT64_C(600000000000) /* it doubles while that goes on */
#define SV_RESOURCE_EVENTS_MAX   16 /* the newest ones of a process, or a group, are kept */
#define SV_PRESSURE_BOUNDS_MAX   6  /* cpu, memory and io, some and full of each */

/* [rpcinterface:supvisors]. */
#define SV_DISABILITIES_BYTES_MAX (4u << 20) /* disabilities_file: SV_PROCESSES_MAX long names */

/* Statistics. */
#define SV_STATISTICS_CPUS_MAX 8192 /* CONFIG_NR_CPUS of distributions */
#define SV_STATISTICS_DEVICES_MAX                                                                  \
    256 /* interfaces, disks and partitions, of each: the rest is not told                         \
         */
#define SV_STATISTICS_FILE_BYTES_MAX (1u << 20) /* one of /proc; a line of stat has 100 */
#define SV_STATISTICS_PIDS_MAX       256        /* processes of one program that are asked: 1 ms */
#define SV_STATISTICS_SLICE_MAX      32         /* programs in one turn of the loop: under 1 ms */
#define SV_STATISTICS_DETAILS_MAX    100        /* programs in one sample, in turn: 4 ms */
#define SV_STATISTICS_PERIOD_MIN     0.1        /* seconds; update_collecting_period */
#define SV_STATISTICS_PERIOD_MAX     3600.0
#define SV_STATISTICS_FRESH_NS                                                                     \
    UINT64_C(1000000000) /* /metrics answers with a sample that is no older, however many ask */
#define SV_STATISTICS_SCRAPES_MAX 16 /* requests that wait for the same sample */
#define SV_STATISTICS_LOOK_NS                                                                      \
    UINT64_C(30000000000) /* three questions of a page that asks the least often */

/* svctl. */
#define SV_CTL_ANSWER_BYTES_MAX                                                                    \
    (64u << 20) /* getAllProcessInfo of 40,000 programs; more is no answer */
#define SV_CTL_LINE_BYTES_MAX     (64u << 10) /* one line on standard input */
#define SV_CTL_LOG_LINE_BYTES_MAX (1u << 20)  /* `logs -f` prints a longer line in parts */
#define SV_CTL_STREAMS_MAX        256u        /* `logs -f`: one connection each */
#define SV_CTL_HISTORY_LINES_MAX  1000
#define SV_CTL_RECOVER_SECONDS    60 /* for the next daemon, when one died during a start or stop */

#endif
