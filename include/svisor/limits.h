/* Every bound of svisor: the number, its unit, and the reason for it. */
#ifndef SVISOR_LIMITS_H
#define SVISOR_LIMITS_H

/* Configuration. */
#define SV_CONFIG_FILE_BYTES_MAX  (16u << 20) /* a hundred thousand long lines; more is not a configuration */
#define SV_CONFIG_FILES_MAX       1000        /* [include] may match this many */
#define SV_CONFIG_SECTIONS_MAX    50000
#define SV_CONFIG_KEYS_MAX        10000 /* per section */
#define SV_EXPANSION_BYTES_MAX    (1u << 20) /* one expanded value; stops %(a)s bombs */
#define SV_NUMPROCS_MAX           10000
#define SV_PROCESSES_MAX          100000 /* per daemon */
#define SV_ARGV_MAX               4096   /* words in one command */

/* Output of programs. */
#define SV_OUTPUT_TURN_BYTES_MAX  (256u << 10) /* one descriptor, one turn of the loop: FACTS of docs/kernel.md, pipe of 1 MB */
#define SV_OUTPUT_PIPE_BYTES      (1u << 20)   /* F_SETPIPE_SZ, where the user's pipe quota allows */
#define SV_STDIN_BUFFER_BYTES_MAX (1u << 20)   /* waiting for a program that does not read */
#define SV_SYSLOG_LINE_BYTES_MAX  8192

/* Listeners. */
#define SV_LISTENER_RESULT_BYTES_MAX (1u << 20)
#define SV_LISTENER_BUFFER_MAX       100000 /* events; the option buffer_size may not ask for more */

/* HTTP and XML-RPC. */
#define SV_HTTP_BODY_BYTES_MAX      (4u << 20)
#define SV_HTTP_CONNECTIONS_MAX     12000 /* idle ones cost 32 KB each at most, measured */
#define SV_HTTP_IDLE_TIMEOUT_SECONDS 300
#define SV_HTTP_STREAM_BUFFER_BYTES_MAX (1u << 20)
#define SV_XMLRPC_DEPTH_MAX         64
#define SV_XMLRPC_VALUES_MAX        100000 /* values in one call */
#define SV_MULTICALL_MAX            10000  /* calls in one system.multicall */
#define SV_CALLS_WAITING_MAX        20000  /* calls that wait for a process, over all connections */

/* Life of a process. */
#define SV_SPAWNS_PER_TURN_MAX 32 /* then the loop looks at its other sources */

#endif
