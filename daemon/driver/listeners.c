/*
 * Event listeners: what they say on stdout becomes events of the core, what the core delivers goes
 * to their stdin. The protocol itself is wire/listener.h, the decisions are core/local/pool.h.
 */
#include "driver/internal.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

static const char *const state_names[] = {
    [SV_LISTENER_ACKNOWLEDGED] = "ACKNOWLEDGED",
    [SV_LISTENER_READY] = "READY",
    [SV_LISTENER_BUSY] = "BUSY",
    [SV_LISTENER_UNKNOWN] = "UNKNOWN",
};

static void log_state(const struct sv_unit *unit, enum sv_listener_state from,
                      enum sv_listener_state to)
{
    sv_log_debug("%s: %s -> %s", unit->config->name, state_names[from], state_names[to]);
}

static struct sv_event event_of(const struct sv_unit *unit, enum sv_listener_token token)
{
    struct sv_event event = {.process = unit->id};
    switch (token) {
    case SV_TOKEN_READY:
        event.kind = SV_EVENT_LISTENER_READY;
        break;
    case SV_TOKEN_RESULT:
        event.kind = SV_EVENT_LISTENER_RESULT;
        /* Supervisor's default result handler: anything but OK is a rejection. */
        event.is_ok = strcmp(sv_str_text(&unit->parser->result), "OK") == 0;
        if (event.is_ok)
            sv_log_debug("%s: event was processed", unit->config->name);
        else
            sv_log_warn("%s: event was rejected", unit->config->name);
        break;
    case SV_TOKEN_BROKEN:
    case SV_TOKEN_MORE:
        event.kind = SV_EVENT_LISTENER_BROKEN;
        break;
    }
    return event;
}

static const enum sv_listener_state next_states[] = {
    [SV_TOKEN_READY] = SV_LISTENER_READY,
    [SV_TOKEN_RESULT] = SV_LISTENER_ACKNOWLEDGED,
    [SV_TOKEN_BROKEN] = SV_LISTENER_UNKNOWN,
};

/* The READY of an adopted run may be a BUSY that nobody wrote down: core/local/pool.c. */
static enum sv_listener_state state_to_hear_in(const struct sv_unit *unit,
                                               enum sv_listener_state state)
{
    bool is_adopted = unit->run && unit->run->is_adopted;
    return is_adopted && state == SV_LISTENER_READY ? SV_LISTENER_BUSY : state;
}

void sv_listener_heard(struct sv_unit *unit, const char *data, size_t length)
{
    struct sv_driver *driver = unit->driver;
    sv_process_id id = unit->id;
    sv_listener_parser_feed(unit->parser, data, length);
    for (;;) {
        struct sv_process_view view;
        /* Each token changes the state in which the next one is read, and may even remove the unit.
         */
        if (!sv_core_process(driver->core, id, &view) || sv_driver_unit(driver, id) != unit)
            return;
        enum sv_listener_token token =
            sv_listener_parser_next(unit->parser, state_to_hear_in(unit, view.listener_state));
        if (token == SV_TOKEN_MORE)
            return;
        log_state(unit, view.listener_state, next_states[token]);
        sv_driver_feed(driver, event_of(unit, token));
    }
}

void sv_listener_deliver(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_blob *blob = action->deliver.blob;
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    struct sv_envelope envelope = {
        .server = driver->options.config->daemon.identifier,
        .serial = action->deliver.serial,
        .pool = action->deliver.group_name,
        .pool_serial = action->deliver.pool_serial,
        .type = action->deliver.type,
        .payload = blob->data,
        .payload_length = blob->length,
    };
    sv_envelope_encode(&envelope, &bytes);
    sv_blob_unref(blob);
    if (!unit || !unit->run)
        return; /* its end is on the way, and gives the event back */
    int r = unit->run->input && sv_str_ok(&bytes)
                ? sv_input_write(unit->run->input, sv_str_text(&bytes), bytes.length)
                : -EPIPE;
    if (r == 0) {
        log_state(unit, SV_LISTENER_READY, SV_LISTENER_BUSY);
        return;
    }
    sv_log_warn("%s: event %llu could not be delivered: %s", unit->config->name,
                (unsigned long long)action->deliver.serial, sv_errno_text(r));
    sv_driver_feed(driver,
                   (struct sv_event){.kind = SV_EVENT_LISTENER_BROKEN, .process = unit->id});
}
