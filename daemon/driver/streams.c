/* What a run writes and reads: from its pipes to the sinks, the listeners and the events. */
#include "base/error.h"
#include "driver/internal.h"

static void on_data(void *user, enum sv_channel which, const char *data, size_t length)
{
    struct sv_run *run = user;
    struct sv_unit *unit = run->unit;
    if (run->checks)
        sv_checks_heard(run, which, data, length);
    if (unit->parser && which == SV_STDOUT)
        sv_listener_heard(unit, data, length);
    else
        sv_notice_output(unit, run, which, data, length);
}

static void on_captured(void *user, enum sv_channel which, const char *data, size_t length)
{
    struct sv_run *run = user;
    sv_notice_capture(run->unit, run, which, data, length);
}

static void on_closed(void *user, enum sv_channel which)
{
    (void)which;
    sv_run_output_closed(user);
}

int sv_run_open_streams(struct sv_run *run, struct sv_pipes *pipes)
{
    struct sv_unit *unit = run->unit;
    struct sv_loop *loop = unit->driver->loop;
    struct sv_output_callbacks callbacks = {.user = run,
                                            .data = on_data,
                                            .captured = on_captured,
                                            .closed = on_closed,
                                            .is_heard_first = unit->parser != NULL};
    int *fds[] = {[SV_STDOUT] = &pipes->stdout_fd, [SV_STDERR] = &pipes->stderr_fd};
    for (int c = 0; c < 2; c++) {
        if (*fds[c] < 0)
            continue;
        int r =
            sv_output_new(loop, sv_steal_fd(fds[c]), unit->sinks[c], &callbacks, &run->outputs[c]);
        if (r < 0)
            return error_trace(r);
        run->open_outputs++;
    }
    return pipes->stdin_fd < 0 ? 0 : sv_input_new(loop, sv_steal_fd(&pipes->stdin_fd), &run->input);
}
