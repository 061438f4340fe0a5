/* [rpcinterface:supvisors] and the timings of a cluster, as `svisord --check` prints them. */
#include "base/choice.h"
#include "config/supvisors.h"

static const char *word(bool value)
{
    return value ? "true" : "false";
}

static void add_names(struct sv_str *str, const char *key, const struct sv_name_list *names,
                      const char *between)
{
    sv_str_addf(str, "%s=", key);
    for (size_t i = 0; i < names->count; i++)
        sv_str_addf(str, "%s%s", i == 0 ? "" : between, names->items[i]);
    sv_str_add_char(str, '\n');
}

static void describe_instances(struct sv_str *str, const struct sv_supvisors_config *config)
{
    sv_str_add(str, "supvisors_list=");
    for (size_t i = 0; i < config->instance_count; i++) {
        const struct sv_instance_config *instance = &config->instances[i];
        sv_str_addf(str, "%s<%s>%s:%u:%u", i == 0 ? "" : ",", instance->nick, instance->host,
                    instance->http_port, instance->event_port);
    }
    sv_str_add(str, config->has_list ? "\n" : "\n; no list was written: this daemon alone\n");
    if (config->multicast_address)
        sv_str_addf(str, "multicast_group=%s:%u\nmulticast_interface=%s\nmulticast_ttl=%u\n",
                    config->multicast_address, config->multicast_port,
                    config->multicast_interface ? config->multicast_interface : "ANY",
                    config->multicast_ttl);
    add_names(str, "stereotypes", &config->stereotypes, ",");
    add_names(str, "core_identifiers", &config->core_identifiers, ",");
}

static void describe_strategies(struct sv_str *str, const struct sv_supvisors_config *config)
{
    size_t count = 0;
    sv_str_add(str, "synchro_options=");
    for (int i = 0; sv_choice_name(SV_CHOICE_SYNCHRO_OPTION, i); i++)
        if (config->synchro_options & UINT32_C(1) << i)
            sv_str_addf(str, "%s%s", count++ == 0 ? "" : ",",
                        sv_choice_name(SV_CHOICE_SYNCHRO_OPTION, i));
    sv_str_addf(str, "\nsynchro_timeout=%u\n", config->synchro_timeout);
    if (config->inactivity_ticks > 0)
        sv_str_addf(str, "inactivity_ticks=%u\n", config->inactivity_ticks);
    sv_str_addf(str, "auto_fence=%s\n", word(config->auto_fence));
    sv_str_addf(str, "supvisors_failure_strategy=%s\n",
                sv_choice_name(SV_CHOICE_SUPVISORS_FAILURE_STRATEGY,
                               (int)config->supvisors_failure_strategy));
    sv_str_addf(str, "starting_strategy=%s\n",
                sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)config->starting_strategy));
    sv_str_addf(
        str, "conciliation_strategy=%s\n",
        sv_choice_name(SV_CHOICE_CONCILIATION_STRATEGY, (int)config->conciliation_strategy));
}

static void describe_statistics(struct sv_str *str, const struct sv_supvisors_config *config)
{
    int types = (config->stats.has_host ? SV_STATISTICS_TYPE_HOST : 0) |
                (config->stats.has_processes ? SV_STATISTICS_TYPE_PROCESS : 0);
    sv_str_addf(str, "stats_enabled=%s\n", sv_choice_name(SV_CHOICE_STATISTICS_TYPE, types));
    sv_str_addf(str, "stats_collecting_period=%g\nstats_periods=", config->stats.collecting_period);
    for (size_t i = 0; i < config->stats.period_count; i++)
        sv_str_addf(str, "%s%g", i == 0 ? "" : ",", config->stats.periods[i]);
    sv_str_addf(str, "\nstats_histo=%u\nstats_irix_mode=%s\n", config->stats.histo,
                word(config->stats.irix_mode));
    sv_str_addf(str, "tail_limit=%llu\ntailf_limit=%llu\n", (unsigned long long)config->tail_limit,
                (unsigned long long)config->tailf_limit);
}

static void describe_log(struct sv_str *str, const struct sv_supvisors_config *config)
{
    static const char *const words[] = {[SV_SUPVISORS_LOG_DAEMON] = "AUTO",
                                        [SV_SUPVISORS_LOG_NONE] = "NONE",
                                        [SV_SUPVISORS_LOG_SYSLOG] = "syslog",
                                        [SV_SUPVISORS_LOG_JOURNAL] = "journal"};
    bool is_file = config->log == SV_SUPVISORS_LOG_FILE;
    sv_str_addf(str, "logfile=%s\n", is_file ? config->logfile : words[config->log]);
    if (is_file)
        sv_str_addf(str, "logfile_maxbytes=%llu\nlogfile_backups=%u\nloglevel=%s\n",
                    (unsigned long long)config->logfile_maxbytes, config->logfile_backups,
                    sv_log_level_name(config->loglevel));
}

void sv_supvisors_describe(const struct sv_supvisors_config *config, struct sv_str *ret_text)
{
    describe_instances(ret_text, config);
    sv_str_addf(ret_text, "software_name=%s\n", config->software_name);
    if (config->software_icon)
        sv_str_addf(ret_text, "software_icon=%s\n", config->software_icon);
    add_names(ret_text, "rules_files", &config->rules_files, " ");
    add_names(ret_text, "css_files", &config->css_files, " ");
    if (config->disabilities_file)
        sv_str_addf(ret_text, "disabilities_file=%s\n", config->disabilities_file);
    sv_str_addf(ret_text, "event_link=%s\nevent_port=%u\n",
                sv_choice_name(SV_CHOICE_EVENT_LINK, (int)config->event_link), config->event_port);
    describe_strategies(ret_text, config);
    describe_statistics(ret_text, config);
    describe_log(ret_text, config);
}

void sv_cluster_describe(const struct sv_cluster_config *config, struct sv_str *ret_text)
{
    sv_str_addf(ret_text, "heartbeat_period=%g\nsuspect_after=%g\ndaemon_grace=%g\n",
                config->heartbeat_period, config->suspect_after, config->daemon_grace);
    sv_str_addf(ret_text, "quorum=%s\nquorum_stop_after=%g\n", word(config->quorum),
                config->quorum_stop_after);
    if (config->mesh_port)
        sv_str_addf(ret_text, "mesh_port=%u\n", config->mesh_port);
    sv_str_addf(ret_text, "mesh_key=%s\nmesh_trust=%s\nmesh_plain=%s\nmesh_calls=%s\n",
                config->mesh_key, config->mesh_trust, word(config->mesh_plain),
                word(config->mesh_calls));
}
