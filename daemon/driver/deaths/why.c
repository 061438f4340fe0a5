/* `svctl why`: what is known of a process and of its last end, as one record and one paragraph. */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"

#include <string.h>

#include "base/names.h"
#include "wire/xmlrpc.h"

enum { LAST_OUTPUT_BYTES = 2048, NS_PER_SECOND = 1000000000 };

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

/* The certificate of the last end, or null; a new reference. */
static json_t *last_end_of(struct sv_driver *driver, const struct sv_unit *unit)
{
    json_t *rows = sv_deaths_json(driver, unit, 0);
    json_t *last = json_array_size(rows) > 0 ? json_incref(json_array_get(rows, 0)) : json_null();
    json_decref(rows);
    return last;
}

/* What the checks of the present run have found, and what the program says of itself. */
static void describe_health(const struct sv_unit *unit, const struct sv_process_view *view,
                            struct sv_str *text)
{
    const struct sv_health_config *health = unit->config->health;
    bool is_waiting = health && health->ready.kind != SV_PROBE_NONE &&
                      view->state == SV_PROCESS_STARTING && view->pid != 0;
    if (is_waiting)
        sv_str_addf(text, " It is not ready yet (%s)%s%s.", health->ready.text,
                    *view->probe_text ? ": " : "", view->probe_text);
    else if (*view->probe_text && !strstr(sv_str_text(text), view->probe_text))
        sv_str_addf(text, " The last check that failed: %s.", view->probe_text);
    if (unit->status_text && *unit->status_text)
        sv_str_addf(text, view->pid != 0 ? " It says: %s." : " It last said: %s.",
                    unit->status_text);
}

static void add_text(struct sv_unit *unit, const struct sv_process_view *view, const json_t *last,
                     struct sv_str *text)
{
    const char *summary = json_string_value(json_object_get(last, "summary"));
    sv_str_addf(text, "%s is %s: %s.", unit->config->name, sv_process_state_name(view->state),
                sv_reason_text(view->reason));
    if (summary)
        sv_str_addf(text, " %s", summary);
    else if (view->spawnerr[0])
        sv_str_addf(text, " %s.", view->spawnerr);
    describe_health(unit, view, text);
    sv_network_describe(unit, text);
    sv_resources_describe(unit, view->run, text);
}

void sv_why_text(struct sv_unit *unit, const struct sv_process_view *view, struct sv_str *text)
{
    json_t *last = last_end_of(unit->driver, unit);
    add_text(unit, view, last, text);
    json_decref(last);
}

json_t *sv_why(struct sv_driver *driver, sv_process_id id)
{
    struct sv_process_view view;
    struct sv_unit *unit = sv_driver_unit(driver, id);
    if (!unit || !sv_core_process(driver->core, id, &view))
        return NULL;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    json_t *last = last_end_of(driver, unit);
    add_text(unit, &view, last, &text);
    if (!sv_str_ok(&text)) {
        json_decref(last);
        return NULL;
    }
    const char *status = unit->status_text ? unit->status_text : "";
    return json_pack(
        "{s:s, s:s, s:i, s:s, s:s, s:o?, s:i, s:i, s:I, s:I, s:I, s:o?, s:o?, s:o?, "
        "s:o?, s:o?, s:o?, s:o?}",
        "name", unit->config->name, "group", unit->group->config->name, "state", (int)view.state,
        "statename", sv_process_state_name(view.state), "reason", sv_reason_name(view.reason),
        "text", sv_wire_string(sv_str_text(&text), text.length), "run", (int)view.run, "pid",
        (int)view.pid, "started", (json_int_t)(view.started_wall_ns / NS_PER_SECOND), "stopped",
        (json_int_t)(view.stopped_wall_ns / NS_PER_SECOND), "next_start",
        (json_int_t)(view.next_start_wall_ns / NS_PER_SECOND), "spawnerr",
        sv_wire_string(view.spawnerr, strlen(view.spawnerr)), "last_end", last, "last_output",
        last_output_of(unit), "status_text", sv_wire_string(status, strlen(status)), "probe_text",
        sv_wire_string(view.probe_text, strlen(view.probe_text)), "resources",
        sv_resources_json(unit), "network", sv_network_json(unit));
}
