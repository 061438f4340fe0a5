/* A local process as the other instances hear of it: port/mesh.h, struct sv_mesh_process. */
#include "driver/internal.h"

enum { SECOND_NS = 1000000000 };

/* A point in wall time on the monotonic clock, as well as it is known. 0 stays 0. */
static uint64_t monotonic_of(int64_t wall_ns)
{
    int64_t age_ns = sv_wall_ns() - wall_ns;
    uint64_t now_ns = sv_now_ns();
    if (wall_ns == 0)
        return 0;
    if (age_ns <= 0)
        return now_ns;
    return (uint64_t)age_ns < now_ns ? now_ns - (uint64_t)age_ns : 1;
}

bool sv_driver_row(struct sv_driver *driver, sv_process_id process, struct sv_str *scratch,
                   struct sv_mesh_process *ret_row)
{
    const struct sv_unit *unit = sv_driver_unit(driver, process);
    struct sv_process_view view;
    if (!unit || !sv_core_process(driver->core, process, &view))
        return false;
    sv_str_clear(scratch);
    sv_api_describe_process(&view, sv_wall_ns() / SECOND_NS, scratch);
    *ret_row = (struct sv_mesh_process){
        .application = unit->group->config->name,
        .name = unit->config->name,
        .state = view.state,
        .pid = view.pid,
        .is_expected = view.state != SV_PROCESS_EXITED || view.reason == SV_REASON_EXIT_EXPECTED,
        .is_fenced =
            view.reason == SV_REASON_KEEPER_GRACE || view.reason == SV_REASON_KEEPER_DEADLINE,
        .is_disabled = view.is_disabled,
        .has_stdout = unit->sinks[SV_STDOUT] != NULL,
        .has_stderr = unit->sinks[SV_STDERR] != NULL,
        .spawnerr = view.spawnerr,
        .description = sv_str_text(scratch),
        .extra_arguments = unit->extra_arguments ? unit->extra_arguments : "",
        .program_name = unit->config->program,
        .process_index = unit->config->index,
        .startsecs = unit->config->startsecs,
        .stopwaitsecs = unit->config->stopwaitsecs,
        .start_wall_ns = view.started_wall_ns,
        .stop_wall_ns = view.stopped_wall_ns,
        .start_ns = monotonic_of(view.started_wall_ns),
        .stop_ns = monotonic_of(view.stopped_wall_ns),
        .event_ns = sv_now_ns(),
    };
    return true;
}
