/* The structs that methods answer and events carry: the same keys, made in one place. New
 * references; NULL without memory. */
#ifndef SV_API_SUPVISORS_STRUCTS_H
#define SV_API_SUPVISORS_STRUCTS_H

#include "api/supvisors/cluster_call.h"

/* get_supvisors_state() */
json_t *sv_cluster_state_json(const struct sv_api_cluster *cluster);
/* get_instance_info() */
json_t *sv_cluster_instance_json(const struct sv_api_cluster *cluster,
                                 const struct sv_instance_view *view);
/* get_application_info(), get_application_rules() */
json_t *sv_cluster_application_json(const struct sv_api_cluster *cluster,
                                    const struct sv_application_view *view);
json_t *sv_cluster_application_rules_json(const struct sv_api_cluster *cluster,
                                          const struct sv_application_view *view);
/* get_process_info(), get_process_rules() */
json_t *sv_cluster_process_json(const struct sv_api_cluster *cluster,
                                const struct sv_cluster_process_view *view);
json_t *sv_cluster_process_rules_json(const struct sv_api_cluster *cluster,
                                      const struct sv_cluster_process_view *view);
/* get_local_process_info() */
json_t *sv_cluster_copy_json(const struct sv_api_cluster *cluster, const struct sv_copy_view *copy);
/* The same of a row, by the clocks of its instance. */
json_t *sv_cluster_row_json(const struct sv_mesh_process *row, uint64_t now_ns,
                            int64_t now_wall_ns);

#endif
