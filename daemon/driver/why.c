/* `svctl why`: what is known of a process and of its last end, as one record and one paragraph. */
#include "driver/internal.h"

#include <string.h>

#include "base/names.h"
#include "base/wait_status.h"
#include "wire/xmlrpc.h"

enum { LAST_OUTPUT_BYTES = 2048, NS_PER_SECOND = 1000000000 };

/* "It was killed by SIGTERM from pid 4711 (bash, uid 1000)." */
static void describe_end(const struct sv_end *end, struct sv_str *text)
{
    sv_str_addf(text, " Its last run, number %u (pid %d), ended: ", end->run, end->pid);
    sv_wait_describe(end->wait_status, text);
    if (end->was_oom_victim)
        sv_str_add(text, "; the OOM killer of the kernel chose it");
    else if (end->is_by_svisord)
        sv_str_add(text, "; svisord had sent it the signal");
    else if (end->sender.number != 0 && end->sender.number == sv_wait_signal(end->wait_status))
        sv_str_addf(text, "; the signal came from pid %d (%s, uid %u)", end->sender.pid,
                    end->sender.comm, end->sender.uid);
    sv_str_add_char(text, '.');
}

static json_t *sender_of(const struct sv_end *end)
{
    if (end->sender.number == 0)
        return json_null();
    return json_pack("{s:i, s:i, s:I, s:o?}", "signal", end->sender.number, "pid", end->sender.pid,
                     "uid", (json_int_t)end->sender.uid, "command",
                     sv_wire_string(end->sender.comm, strlen(end->sender.comm)));
}

static json_t *end_of(const struct sv_unit *unit)
{
    const struct sv_end *end = &unit->last_end;
    if (end->run == 0)
        return json_null();
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_wait_describe(end->wait_status, &text);
    return json_pack("{s:i, s:i, s:i, s:i, s:s, s:b, s:b, s:i, s:o?}", "run", (int)end->run, "pid",
                     end->pid, "exitstatus", sv_wait_exitstatus(end->wait_status), "signal",
                     sv_wait_signal(end->wait_status), "text", sv_str_text(&text), "by_svisord",
                     end->is_by_svisord, "oom", end->was_oom_victim, "forks", (int)end->fork_count,
                     "sender", sender_of(end));
}

static json_t *last_output_of(const struct sv_unit *unit)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    for (int c = SV_STDERR; c >= SV_STDOUT && bytes.length == 0; c--)
        if (unit->sinks[c])
            sv_sink_last_bytes(unit->sinks[c], LAST_OUTPUT_BYTES, &bytes);
    json_t *lines = json_array();
    const char *text = sv_str_text(&bytes);
    while (lines && *text) {
        size_t length = strcspn(text, "\n");
        json_array_append_new(lines, sv_wire_string(text, length));
        text += length + (text[length] == '\n');
    }
    return lines;
}

json_t *sv_why(struct sv_driver *driver, sv_process_id id)
{
    struct sv_process_view view;
    struct sv_unit *unit = sv_driver_unit(driver, id);
    if (!unit || !sv_core_process(driver->core, id, &view))
        return NULL;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "%s is %s: %s.", unit->config->name, sv_process_state_name(view.state),
                sv_reason_text(view.reason));
    if (view.spawnerr[0])
        sv_str_addf(&text, " %s.", view.spawnerr);
    if (unit->last_end.run != 0)
        describe_end(&unit->last_end, &text);
    if (!sv_str_ok(&text))
        return NULL;
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:o?, s:i, s:i, s:I, s:I, s:I, s:o?, s:o?, s:o?}",
                     "name", unit->config->name, "group", unit->group->config->name, "state",
                     (int)view.state, "statename", sv_process_state_name(view.state), "reason",
                     sv_reason_name(view.reason), "text",
                     sv_wire_string(sv_str_text(&text), text.length), "run", (int)view.run, "pid",
                     (int)view.pid, "started", (json_int_t)(view.started_wall_ns / NS_PER_SECOND),
                     "stopped", (json_int_t)(view.stopped_wall_ns / NS_PER_SECOND), "next_start",
                     (json_int_t)(view.next_start_wall_ns / NS_PER_SECOND), "spawnerr",
                     sv_wire_string(view.spawnerr, strlen(view.spawnerr)), "last_end", end_of(unit),
                     "last_output", last_output_of(unit));
}
