/*
 * [rpcinterface:supvisors]: the section of the cluster, with Supvisors 0.19 as model.
 *
 * Supvisors logs a bad value of most options and goes on with the default, so a file with one is a
 * file that works today: here it is a warning, with the same default. What stops Supvisors stops
 * svisord: an item of supvisors_list that names no host, a bad option of the log, no condition left
 * in synchro_options, no [inet_http_server].
 *
 * Supvisors expands %(here)s and %(host_node_name)s in lists of files only, and only in a file with
 * an [include] section; here they work in every option.
 */
#include "config/supvisors.h"

#include <string.h>

#include "config/loader.h"
#include "config/path.h"

struct reader {
    struct sv_loader *loader;
    const struct sv_ini_section *section;
    struct sv_scope scope;
};

/* A bad value is a warning, and the default is used. */
static struct sv_value get(struct reader *reader, enum sv_option_id id)
{
    enum sv_severity before = reader->loader->error;
    reader->loader->error = SV_SEVERITY_WARNING;
    struct sv_value value = sv_loader_get(reader->loader, reader->section, id, &reader->scope);
    reader->loader->error = before;
    return value;
}

/* A bad value is an error. */
static struct sv_value get_strictly(struct reader *reader, enum sv_option_id id)
{
    return sv_loader_get(reader->loader, reader->section, id, &reader->scope);
}

static const char *copy_text(struct reader *reader, const char *text)
{
    return text ? sv_loader_check(reader->loader, sv_arena_strdup(reader->loader->arena, text))
                : NULL;
}

static struct sv_name_list names(struct reader *reader, enum sv_option_id id)
{
    struct sv_name_list list = {0};
    struct sv_value value = get(reader, id);
    if (value.text && sv_names_split_unique(value.text, reader->loader->arena, &list) < 0)
        reader->loader->is_out_of_memory = true;
    return list;
}

static void read_discovery(struct reader *reader, struct sv_supvisors_config *ret)
{
    struct sv_value group = get(reader, SV_OPTION_SUPVISORS_multicast_group);
    ret->multicast_address = group.host;
    ret->multicast_port = group.host ? (uint16_t)group.integer : 0;
    ret->multicast_interface =
        copy_text(reader, get(reader, SV_OPTION_SUPVISORS_multicast_interface).host);
    ret->multicast_ttl = (uint8_t)get(reader, SV_OPTION_SUPVISORS_multicast_ttl).integer;
}

static void read_files(struct reader *reader, struct sv_supvisors_config *ret)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value rules = get(reader, SV_OPTION_SUPVISORS_rules_files);
    ret->has_rules_files = rules.text != NULL;
    ret->rules_files = sv_loader_files(loader, &rules, &reader->scope);
    struct sv_value css = get(reader, SV_OPTION_SUPVISORS_css_files);
    ret->css_files = sv_loader_files(loader, &css, &reader->scope);
    struct sv_value icon = get(reader, SV_OPTION_SUPVISORS_software_icon);
    struct sv_name_list icons = sv_loader_files(loader, &icon, &reader->scope);
    for (size_t i = 0; i < icons.count && !ret->software_icon; i++)
        if (!loader->host->is_directory(loader->host->user, icons.items[i]))
            ret->software_icon = icons.items[i];
    struct sv_value disabilities = get(reader, SV_OPTION_SUPVISORS_disabilities_file);
    if (disabilities.text && *disabilities.text)
        ret->disabilities_file = sv_loader_normalize(loader, disabilities.text);
}

static void read_strategies(struct reader *reader, struct sv_supvisors_config *ret)
{
    ret->auto_fence = get(reader, SV_OPTION_SUPVISORS_auto_fence).boolean;
    ret->synchro_timeout = (uint32_t)get(reader, SV_OPTION_SUPVISORS_synchro_timeout).integer;
    struct sv_value ticks = get(reader, SV_OPTION_SUPVISORS_inactivity_ticks);
    ret->inactivity_ticks = ticks.is_given ? (uint32_t)ticks.integer : 0;
    ret->supvisors_failure_strategy = (enum sv_supvisors_failure_strategy)get(
                                          reader, SV_OPTION_SUPVISORS_supvisors_failure_strategy)
                                          .integer;
    ret->starting_strategy =
        (enum sv_starting_strategy)get(reader, SV_OPTION_SUPVISORS_starting_strategy).integer;
    ret->conciliation_strategy =
        (enum sv_conciliation_strategy)get(reader, SV_OPTION_SUPVISORS_conciliation_strategy)
            .integer;
}

static void read_statistics(struct reader *reader, struct sv_statistics_config *ret)
{
    int64_t types = get(reader, SV_OPTION_SUPVISORS_stats_enabled).integer;
    ret->has_host = types & SV_STATISTICS_TYPE_HOST;
    ret->has_processes = types & SV_STATISTICS_TYPE_PROCESS;
    ret->collecting_period = get(reader, SV_OPTION_SUPVISORS_stats_collecting_period).real;
    struct sv_value periods = get(reader, SV_OPTION_SUPVISORS_stats_periods);
    ret->periods = periods.reals;
    ret->period_count = periods.real_count;
    ret->histo = (uint32_t)get(reader, SV_OPTION_SUPVISORS_stats_histo).integer;
    ret->irix_mode = get(reader, SV_OPTION_SUPVISORS_stats_irix_mode).boolean;
}

static void read_log(struct reader *reader, struct sv_supvisors_config *ret)
{
    static const enum sv_supvisors_log logs[] = {
        [SV_LOGFILE_WORD_FILE] = SV_SUPVISORS_LOG_FILE,
        [SV_LOGFILE_WORD_NONE] = SV_SUPVISORS_LOG_NONE,
        [SV_LOGFILE_WORD_AUTO] = SV_SUPVISORS_LOG_DAEMON,
        [SV_LOGFILE_WORD_SYSLOG] = SV_SUPVISORS_LOG_SYSLOG,
        [SV_LOGFILE_WORD_JOURNAL] = SV_SUPVISORS_LOG_JOURNAL,
    };
    struct sv_value file = get_strictly(reader, SV_OPTION_SUPVISORS_logfile);
    ret->log = logs[file.integer];
    if (ret->log == SV_SUPVISORS_LOG_FILE)
        ret->logfile = sv_loader_normalize(reader->loader, file.text);
    ret->logfile_maxbytes =
        (uint64_t)get_strictly(reader, SV_OPTION_SUPVISORS_logfile_maxbytes).integer;
    ret->logfile_backups =
        (uint32_t)get_strictly(reader, SV_OPTION_SUPVISORS_logfile_backups).integer;
    ret->loglevel = (enum sv_log_level)get_strictly(reader, SV_OPTION_SUPVISORS_loglevel).integer;
}

/* A condition that can never come true, or that always has, does not count. */
static void drop_condition(struct reader *reader, const struct sv_value *options,
                           enum sv_synchro_option condition, const char *why,
                           struct sv_supvisors_config *ret)
{
    uint32_t bit = UINT32_C(1) << condition;
    if (!(ret->synchro_options & bit))
        return;
    ret->synchro_options &= ~bit;
    if (options->is_given)
        sv_loader_report(reader->loader, SV_SEVERITY_WARNING, &options->place, "%s", why);
}

static void read_synchro(struct reader *reader, struct sv_supvisors_config *ret)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value options = get(reader, SV_OPTION_SUPVISORS_synchro_options);
    ret->synchro_options = (uint32_t)options.integer;
    if (ret->core_identifiers.count == 0)
        drop_condition(reader, &options, SV_SYNCHRO_OPTION_CORE,
                       "CORE does not count without core_identifiers; write those, or leave it "
                       "out",
                       ret);
    if (!ret->has_list)
        drop_condition(reader, &options, SV_SYNCHRO_OPTION_STRICT,
                       "STRICT does not count without supvisors_list; write that, or leave it out",
                       ret);
    if (ret->synchro_options == 0)
        sv_loader_report(loader, loader->error, &options.place,
                         "has no condition that could end the waiting; write STRICT,TIMEOUT,CORE");
    bool has_timeout = ret->synchro_options & UINT32_C(1) << SV_SYNCHRO_OPTION_TIMEOUT;
    if (!has_timeout || ret->supvisors_failure_strategy == SV_SUPVISORS_FAILURE_STRATEGY_CONTINUE)
        return;
    struct sv_value strategy =
        sv_loader_raw(loader, reader->section, SV_OPTION_SUPVISORS_supvisors_failure_strategy);
    sv_loader_report(loader, SV_SEVERITY_WARNING, &strategy.place,
                     "is CONTINUE with TIMEOUT in synchro_options; write synchro_options without "
                     "it, such as STRICT");
    ret->supvisors_failure_strategy = SV_SUPVISORS_FAILURE_STRATEGY_CONTINUE;
}

/* The port of the first [inet_http_server]; 0: there is none, reported. */
static uint16_t http_port(struct reader *reader, const struct sv_config *config)
{
    for (size_t i = 0; i < config->http_server_count; i++)
        if (!config->http_servers[i].path)
            return config->http_servers[i].port;
    sv_loader_report(reader->loader, reader->loader->error, &reader->section->place,
                     "needs an [inet_http_server], by which the instances know each other; write "
                     "one, with port=HOST:PORT");
    return 0;
}

static void read_section(struct reader *reader, const struct sv_config *config,
                         struct sv_supvisors_config *ret)
{
    struct sv_loader *loader = reader->loader;
    ret->software_name = copy_text(reader, get(reader, SV_OPTION_SUPVISORS_software_name).text);
    ret->stereotypes = names(reader, SV_OPTION_SUPVISORS_stereotypes);
    ret->core_identifiers = names(reader, SV_OPTION_SUPVISORS_core_identifiers);
    struct sv_value event_port = get(reader, SV_OPTION_SUPVISORS_event_port);
    ret->event_port = event_port.text ? (uint16_t)event_port.integer : 0;
    ret->event_link = (enum sv_event_link)get(reader, SV_OPTION_SUPVISORS_event_link).integer;
    struct sv_value list = get_strictly(reader, SV_OPTION_SUPVISORS_supvisors_list);
    sv_load_instances(loader, config, &list, http_port(reader, config), ret);
    read_discovery(reader, ret);
    read_files(reader, ret);
    read_strategies(reader, ret);
    read_synchro(reader, ret);
    read_statistics(reader, &ret->stats);
    ret->tail_limit = (uint64_t)get(reader, SV_OPTION_SUPVISORS_tail_limit).integer;
    ret->tailf_limit = (uint64_t)get(reader, SV_OPTION_SUPVISORS_tailf_limit).integer;
    read_log(reader, ret);
}

/* What somebody wrote about silence for Supvisors goes on to hold. */
static void apply_ticks(struct sv_loader *loader, const struct sv_supvisors_config *supvisors,
                        struct sv_cluster_config *cluster)
{
    const struct sv_ini_section *svisor = sv_ini_section(&loader->ini, "svisor");
    bool has_own = svisor && sv_ini_key(&loader->ini, svisor, "suspect_after");
    if (supvisors->inactivity_ticks > 0 && !has_own)
        cluster->suspect_after = supvisors->inactivity_ticks * SV_SUPVISORS_TICK_SECONDS;
}

void sv_load_supvisors(struct sv_loader *loader, struct sv_config *config)
{
    const struct sv_plugin_config *plugin = NULL;
    for (size_t i = 0; i < config->rpcinterface_count && !plugin; i++)
        if (config->rpcinterfaces[i].is_supvisors)
            plugin = &config->rpcinterfaces[i];
    if (!plugin)
        return;
    struct sv_supvisors_config *supvisors =
        sv_loader_check(loader, sv_arena_new(loader->arena, struct sv_supvisors_config));
    if (!supvisors)
        return;
    supvisors->place = plugin->place;
    supvisors->name = plugin->name;
    struct reader reader = {.loader = loader,
                            .section = sv_ini_section(&loader->ini, plugin->place.section),
                            .scope = {.parent = &loader->environment, .arena = &loader->scratch}};
    if (sv_scope_put_text(&reader.scope, "here", loader->here) < 0 ||
        sv_scope_put_text(&reader.scope, "host_node_name", loader->host->host_name) < 0)
        loader->is_out_of_memory = true;
    read_section(&reader, config, supvisors);
    sv_scope_done(&reader.scope);
    apply_ticks(loader, supvisors, &config->daemon.cluster);
    config->supvisors = supvisors;
}
