/* What the readers of the sections share while one configuration is read. Private to config. */
#ifndef SV_CONFIG_LOADER_H
#define SV_CONFIG_LOADER_H

#include "base/map.h"
#include "config/expand.h"
#include "config/ini.h"
#include "config/load.h"
#include "config/value.h"

/* A growing array of pointers on the heap. */
struct sv_list {
    void **items;
    size_t count;
    size_t capacity;
};

struct sv_loader {
    const struct sv_config_host *host;
    const struct sv_config_overrides *overrides; /* NULL: none */
    struct sv_arena *arena;                      /* of the result */
    struct sv_arena scratch;
    struct sv_diag *diag;
    struct sv_ini ini;
    struct sv_scope environment;    /* ENV_*: of the daemon, then of [supervisord] environment */
    struct sv_map daemon_variables; /* [supervisord] environment: name -> value */
    const char *here;
    struct sv_list groups; /* struct sv_group_config */
    struct sv_map grouped; /* sections that a [group:x] names */
    size_t process_count;
    enum sv_severity error; /* what a bad value is: a warning where the daemon only looks on */
    bool is_muted;          /* warnings about a section were given with its first process */
    bool is_out_of_memory;
};

void sv_loader_done(struct sv_loader *loader);
/* Fills `environment` with the variables of the host. */
void sv_loader_init_environment(struct sv_loader *loader);
/* Reads one file into `ini`. False: it could not be read; reported with that severity. */
bool sv_loader_read(struct sv_loader *loader, const char *path, enum sv_severity severity);

void sv_loader_report(struct sv_loader *loader, enum sv_severity severity,
                      const struct sv_place *place, const char *format, ...) SV_PRINTF(4, 5);
/* Notes that memory is short when `pointer` is NULL. Returns it. */
void *sv_loader_check(struct sv_loader *loader, void *pointer);
void sv_loader_push(struct sv_loader *loader, struct sv_list *list, void *item);

/* The text of an option as written, or its default; NULL: neither. */
struct sv_value sv_loader_raw(struct sv_loader *loader, const struct sv_ini_section *section,
                              enum sv_option_id id);
/* Expands value->text. False: bad, reported, and the default stands in. `name` for the message. */
bool sv_loader_expand(struct sv_loader *loader, enum sv_option_id id, const char *name,
                      const struct sv_scope *scope, struct sv_value *value);
/* Converts value->text. False: bad, reported, and the default stands in. */
bool sv_loader_convert(struct sv_loader *loader, enum sv_option_id id, struct sv_value *value);
/* The three steps together. The text is NULL when the option has no value and no default. */
struct sv_value sv_loader_get(struct sv_loader *loader, const struct sv_ini_section *section,
                              enum sv_option_id id, const struct sv_scope *scope);

/* Adds the KEY=value pairs of value->text to `variables`; strings in the result's arena. */
bool sv_loader_pairs(struct sv_loader *loader, const struct sv_value *value,
                     struct sv_map *variables);
/* "KEY=value", NULL-terminated, sorted by key. */
const char *const *sv_loader_environment(struct sv_loader *loader, const struct sv_map *variables);
/* The files that match the glob patterns of a value: absolute, sorted, each once. None: reported.
 */
struct sv_name_list sv_loader_files(struct sv_loader *loader, const struct sv_value *value,
                                    const struct sv_scope *scope);
/* normalize(join(cwd, expand_user(path))) */
const char *sv_loader_normalize(struct sv_loader *loader, const char *path);

/* The x of [kind:x], stripped; NULL: no good name, reported. */
const char *sv_loader_section_name(struct sv_loader *loader, const struct sv_ini_section *section);

/* The readers, one file each. */
/* After sv_load_daemon(): the same struct. */
/* The mesh_ options of [svisor]. */
void sv_load_mesh(struct sv_loader *loader, const struct sv_ini_section *section,
                  const struct sv_scope *scope, struct sv_cluster_config *ret);
void sv_load_svisor(struct sv_loader *loader, struct sv_daemon_config *ret);
void sv_load_daemon(struct sv_loader *loader, const struct sv_config_overrides *overrides,
                    struct sv_daemon_config *ret);
void sv_load_http_servers(struct sv_loader *loader, struct sv_config *config);
void sv_load_rpcinterfaces(struct sv_loader *loader, struct sv_config *config);
/* After the HTTP servers and [svisor]. */
void sv_load_supvisors(struct sv_loader *loader, struct sv_config *config);
/* Fills the instances of supvisors_list; what they leave out comes from these ports. */
void sv_load_instances(struct sv_loader *loader, const struct sv_config *config,
                       const struct sv_value *list, uint16_t http_port,
                       struct sv_supvisors_config *ret);
void sv_load_ctlplugins(struct sv_loader *loader);
void sv_load_ctl(struct sv_loader *loader, struct sv_ctl_config *ret);
void sv_load_groups(struct sv_loader *loader, struct sv_config *config);
/* Appends the processes of one section to `processes` (struct sv_program_config). */
void sv_load_program(struct sv_loader *loader, const struct sv_ini_section *section,
                     enum sv_program_kind kind, const struct sv_group_config *group,
                     struct sv_list *processes);
/* The limits of a [program:x] or [group:x]; NULL: none. A program takes what it does not say from
 * `defaults`, the limits of its group. */
const struct sv_limits *sv_load_limits(struct sv_loader *loader,
                                       const struct sv_ini_section *section,
                                       const struct sv_scope *scope, bool is_group,
                                       const struct sv_limits *defaults);
/* Of a program's limits those that its directory must have, too, when it is a group of its own. */
const struct sv_limits *sv_load_shares(struct sv_loader *loader, const struct sv_limits *limits);
/* Readiness, liveness and watchdog of a process; NULL: it has none of them. */
const struct sv_health_config *sv_load_health(struct sv_loader *loader,
                                              const struct sv_ini_section *section,
                                              const struct sv_scope *scope);
/* The socket of a [fcgi-program:x]. */
void sv_load_fcgi_socket(struct sv_loader *loader, const struct sv_ini_section *section,
                         const char *program_name, struct sv_fcgi_socket *ret);
/* Warnings for sections and keys that nobody reads. */
void sv_load_unknown(struct sv_loader *loader);

#endif
