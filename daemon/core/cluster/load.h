/*
 * Instances as the commander sees them, the nodes that they share, and what they have to carry.
 *
 * A load is in per cent, by what the rules expect (expected_loading), never by what is measured. A
 * node carries at most 100; an instance has no limit of its own.
 */
#ifndef SV_CORE_LOAD_H
#define SV_CORE_LOAD_H

#include "core/cluster/cluster.h"
#include "core/cluster/model.h"

#define SV_NODE_LOAD_MAX 100

struct sv_site {
    sv_instance_place node; /* the first instance on the same node */
    enum sv_instance_state state;
};

/* As they are in this step. Names are borrowed. The zero value is freed by done() too. */
struct sv_sites {
    const struct sv_instance_names *names;
    struct sv_site *items;
    sv_instance_place count;
    sv_instance_place local;
};

void sv_sites_init(struct sv_sites *sites, const struct sv_cluster *cluster);
void sv_sites_done(struct sv_sites *sites);
/* What an instance is called in sentences: its nickname. */
const char *sv_site_name(const struct sv_sites *sites, sv_instance_place place);

/* What is carried now, and what is on its way. The zero value is freed by done() too. */
struct sv_loads {
    uint32_t *instance; /* by place */
    uint32_t *node;     /* by sv_site.node */
};
void sv_loads_init(struct sv_loads *loads, const struct sv_model *model,
                   const struct sv_sites *sites);
void sv_loads_done(struct sv_loads *loads);
void sv_loads_add(struct sv_loads *loads, const struct sv_sites *sites, sv_instance_place place,
                  uint32_t percent);

#endif
