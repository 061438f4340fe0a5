/*
 * Event listeners: what they say on stdout becomes events of the core, what the core delivers goes
 * to their stdin. The protocol itself is wire/listener.h, the decisions are core/local/pool.h.
 */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

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

/*
 * What an adopted run says may be an echo (core/local/pool.c), or an answer to an event that nobody
 * wrote down: it is read as what it is, and the core knows what it means.
 */
static enum sv_listener_state state_to_hear_in(const struct sv_unit *unit,
                                               enum sv_listener_state state)
{
    bool is_adopted = unit->run && unit->run->is_adopted;
    if (!is_adopted || (state != SV_LISTENER_READY && state != SV_LISTENER_ACKNOWLEDGED))
        return state;
    switch (sv_listener_parser_foresee(unit->parser)) {
    case SV_TOKEN_READY:
    case SV_TOKEN_MORE:
        return SV_LISTENER_ACKNOWLEDGED;
    case SV_TOKEN_RESULT:
        return SV_LISTENER_BUSY;
    case SV_TOKEN_BROKEN:
        break;
    }
    return state;
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
        sv_handover_note(driver, id); /* what follows from it may have to wait */
    }
}

void sv_listener_render(const struct sv_unit *unit, const struct sv_event_view *event,
                        struct sv_str *ret_bytes)
{
    struct sv_envelope envelope = {
        .server = unit->driver->options.config->daemon.identifier,
        .serial = event->serial,
        .pool = unit->group->config->name,
        .pool_serial = event->pool_serial,
        .type = event->type,
        .payload = event->blob->data,
        .payload_length = event->blob->length,
    };
    sv_envelope_encode(&envelope, ret_bytes);
}

/*
 * In this order: what it has said leaves the pipe, so that the next daemon takes it for no answer
 * to this event; it is BUSY with it, none of it is sent; it is sent, and counted as it goes.
 */
static int send(struct sv_unit *unit, const struct sv_event_view *event)
{
    struct sv_run *run = unit->run;
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    sv_listener_render(unit, event, &bytes);
    if (!run->input || !sv_str_ok(&bytes))
        return -EPIPE;
    if (run->outputs[SV_STDOUT])
        sv_output_settle(run->outputs[SV_STDOUT]);
    int64_t *cursor = sv_backlog_cursor(unit);
    if (cursor)
        *cursor = 0;
    sv_handover_note(unit->driver, unit->id);
    return cursor ? sv_input_send(run->input, sv_str_text(&bytes), bytes.length, cursor)
                  : sv_input_write(run->input, sv_str_text(&bytes), bytes.length);
}

void sv_listener_deliver(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    struct sv_event_view event;
    bool is_held = sv_core_held_event(driver->core, action->process, &event) &&
                   event.pool_serial == action->deliver.pool_serial;
    sv_blob_unref(action->deliver.blob); /* the core has it, if the listener is still to get it */
    if (unit)
        unit->undelivered_count--;
    if (!unit || !unit->run || unit->run->number != action->run || !is_held)
        return; /* it was given back, or its end is on the way, and gives it back */
    int r = send(unit, &event);
    if (r == 0) {
        log_state(unit, SV_LISTENER_READY, SV_LISTENER_BUSY);
        return;
    }
    sv_log_warn("%s: event %llu could not be delivered: %s", unit->config->name,
                (unsigned long long)action->deliver.serial, sv_errno_text(r));
    sv_driver_feed(driver,
                   (struct sv_event){.kind = SV_EVENT_LISTENER_BROKEN, .process = unit->id});
}

void sv_listener_adopt(struct sv_unit *unit, const struct sv_journal_entry *entry)
{
    sv_backlog_resume(unit, entry->cursor);
    /* Before anything is delivered: behind it, an echo could not be told from an answer. */
    if (unit->run->outputs[SV_STDOUT])
        sv_output_drain(unit->run->outputs[SV_STDOUT]);
}
