/*
 * The table below the paragraph of `why`: what the certificate has, in the order of this table, and
 * nothing for what is not known. Keys: include/svisor/deaths.def.
 */
#include "death.h"

#include <string.h>

#include "ctl.h"
#include "explain.h"
#include "namespec.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_TIME, KIND_MS, KIND_US, KIND_BYTES, KIND_PERCENT };

static const struct {
    const char *label;
    const char *key;
    enum kind kind;
} rows[] = {
    {"run", "run", KIND_NUMBER},
    {"pid", "pid", KIND_NUMBER},
    {"cause", "cause", KIND_TEXT},
    {"started", "started_ms", KIND_TIME},
    {"ended", "ended_ms", KIND_TIME},
    {"lived", "lived_ms", KIND_MS},
    {"exit code", "exit_code", KIND_NUMBER},
    {"signal", "signal_name", KIND_TEXT},
    {"failed at", "stage", KIND_TEXT},
    {"error", "error_name", KIND_TEXT},
    {"asked by svisord", "reason", KIND_TEXT},
    {"sent by svisord", "stop_signal_name", KIND_TEXT},
    {"sent to it", "sender_signal_name", KIND_TEXT},
    {"  by pid", "sender_pid", KIND_NUMBER},
    {"  command", "sender_command", KIND_TEXT},
    {"  uid", "sender_uid", KIND_NUMBER},
    {"  user", "sender_user", KIND_TEXT},
    {"  program", "sender_program", KIND_TEXT},
    {"  unit", "sender_unit", KIND_TEXT},
    {"  cgroup", "sender_cgroup", KIND_TEXT},
    {"  before the end", "sender_before_ms", KIND_MS},
    {"OOM victim", "oom_victim", KIND_NUMBER},
    {"  command", "oom_command", KIND_TEXT},
    {"  limit of", "oom_cgroup", KIND_TEXT},
    {"  limit", "oom_limit_bytes", KIND_BYTES},
    {"  at most used", "oom_usage_bytes", KIND_BYTES},
    {"CPU, user", "user_us", KIND_US},
    {"CPU, system", "system_us", KIND_US},
    {"CPU, cgroup", "cpu_us", KIND_US},
    {"memory, process", "max_rss_bytes", KIND_BYTES},
    {"memory, cgroup", "memory_peak_bytes", KIND_BYTES},
    {"page faults", "minor_faults", KIND_NUMBER},
    {"  with reading", "major_faults", KIND_NUMBER},
    {"most processes", "pids_peak", KIND_NUMBER},
    {"forked", "forks", KIND_NUMBER},
    {"pressure, CPU", "cpu_pressure", KIND_PERCENT},
    {"pressure, memory", "memory_pressure", KIND_PERCENT},
    {"pressure, I/O", "io_pressure", KIND_PERCENT},
    {"received", "rx_bytes", KIND_BYTES},
    {"  packets", "rx_packets", KIND_NUMBER},
    {"sent", "tx_bytes", KIND_BYTES},
    {"  packets", "tx_packets", KIND_NUMBER},
    {"left behind", "strays", KIND_NUMBER},
    {"  now", "strays_end", KIND_TEXT},
};

static void say_row(const char *label, enum kind kind, const json_t *value)
{
    struct sv_str text = {0};
    json_int_t number = json_integer_value(value);

    switch (kind) {
    case KIND_TEXT:
        sv_str_add(&text, json_is_string(value) ? json_string_value(value) : "?");
        break;
    case KIND_NUMBER:
        sv_str_addf(&text, "%lld", (long long)number);
        break;
    case KIND_TIME:
        sv_add_time(&text, number / 1000);
        sv_str_addf(&text, ".%03d", (int)(number % 1000));
        break;
    case KIND_MS:
        sv_str_addf(&text, "%.3f s", (double)number / 1e3);
        break;
    case KIND_US:
        sv_str_addf(&text, "%.6f s", (double)number / 1e6);
        break;
    case KIND_BYTES:
        sv_str_addf(&text, "%.1f MiB", (double)number / (1024 * 1024));
        break;
    case KIND_PERCENT:
        sv_str_addf(&text, "%.2f %%", (double)number / 100);
        break;
    }
    sv_say("  %-18s%s", label, sv_str_text(&text));
    sv_str_done(&text);
}

void sv_say_death(const json_t *death)
{
    const json_t *lines = json_object_get(death, "tail");
    json_t *line;
    size_t i;

    for (i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        const json_t *value = json_object_get(death, rows[i].key);

        if (value)
            say_row(rows[i].label, rows[i].kind, value);
    }
    if (json_array_size(lines))
        sv_say("Its last lines on %s:", sv_text_of(death, "tail_channel"));
    json_array_foreach(lines, i, line)
        sv_say("  | %s", json_is_string(line) ? json_string_value(line) : "");
}
