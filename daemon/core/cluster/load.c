#include "core/cluster/load.h"

#include <stdlib.h>

#include "core/cluster/internal.h"

void sv_sites_done(struct sv_sites *sites)
{
    free(sites->items);
    *sites = (struct sv_sites){0};
}

const char *sv_site_name(const struct sv_sites *sites, sv_instance_place place)
{
    return sites->names[place].nick;
}

void sv_loads_init(struct sv_loads *loads, const struct sv_model *model,
                   const struct sv_sites *sites)
{
    loads->instance = sv_allocate(sites->count, sizeof(*loads->instance));
    loads->node = sv_allocate(sites->count, sizeof(*loads->node));
    for (sv_instance_place i = 0; i < sites->count && i < model->load_count; i++)
        sv_loads_add(loads, sites, i, model->loads[i]);
}

void sv_loads_done(struct sv_loads *loads)
{
    free(loads->instance);
    free(loads->node);
    *loads = (struct sv_loads){0};
}

void sv_loads_add(struct sv_loads *loads, const struct sv_sites *sites, sv_instance_place place,
                  uint32_t percent)
{
    loads->instance[place] += percent;
    loads->node[sites->items[place].node] += percent;
}
