/*
 * The checks of Supvisors' remote methods, in its order and with its words: rpcinterface.py of
 * Supvisors 0.19 (_check_state, _get_application_process, _get_strategy …). Scripts read the texts,
 * so the Python in them ("<enum 'StartingStrategies'>") is part of the interface.
 */
#include "api/supvisors/cluster_call.h"

#include <stdlib.h>

enum { NANOSECONDS = 1000000000 };

double sv_cluster_seconds(uint64_t ns)
{
    return (double)ns / NANOSECONDS;
}

static enum sv_supvisors_state local_state(const struct sv_api_cluster *cluster)
{
    struct sv_instance_view view;
    cluster->instance(cluster->user, cluster->local(cluster->user), &view);
    return view.modes.state;
}

static bool check_state(struct sv_api_call *call, enum sv_supvisors_state first,
                        enum sv_supvisors_state last)
{
    enum sv_supvisors_state state = local_state(sv_cluster_of(call));
    if (state >= first && state <= last)
        return true;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "invalid Supvisors state=%s - state expected in [",
                sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)state));
    for (int s = (int)first; s <= (int)last; s++)
        sv_str_addf(&text, "%s'%s'", s == (int)first ? "" : ", ",
                    sv_choice_name(SV_CHOICE_SUPVISORS_STATE, s));
    sv_str_add(&text, "]");
    sv_call_fault(call, SV_FAULT_BAD_SUPVISORS_STATE, sv_str_text(&text));
    return false;
}

bool sv_cluster_check_distributed(struct sv_api_call *call)
{
    return check_state(call, SV_SUPVISORS_STATE_DISTRIBUTION, SV_SUPVISORS_STATE_SHUTTING_DOWN);
}

bool sv_cluster_check_closable(struct sv_api_call *call)
{
    return local_state(sv_cluster_of(call)) == SV_SUPVISORS_STATE_ELECTION ||
           sv_cluster_check_distributed(call);
}

bool sv_cluster_check_operating(struct sv_api_call *call)
{
    return check_state(call, SV_SUPVISORS_STATE_OPERATION, SV_SUPVISORS_STATE_OPERATION);
}

bool sv_cluster_check_conciliating(struct sv_api_call *call)
{
    return check_state(call, SV_SUPVISORS_STATE_CONCILIATION, SV_SUPVISORS_STATE_CONCILIATION);
}

static void bad_application(struct sv_api_call *call, const char *name)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "application=%s unknown to Supvisors", name);
    sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
}

bool sv_cluster_check_application(struct sv_api_call *call, const char *name,
                                  struct sv_application_view *ret, size_t *ret_place)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    size_t place = cluster->application_named(cluster->user, name);
    if (place == SIZE_MAX) {
        bad_application(call, name);
        return false;
    }
    cluster->application(cluster->user, place, ret);
    *ret_place = place;
    return true;
}

static size_t find_process(const struct sv_api_cluster *cluster, size_t application,
                           const char *name)
{
    struct sv_application_view view;
    cluster->application(cluster->user, application, &view);
    for (size_t i = 0; i < view.process_count; i++) {
        struct sv_cluster_process_view process;
        cluster->process(cluster->user, application, i, &process);
        if (strcmp(process.name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

bool sv_cluster_check_process(struct sv_api_call *call, const char *namespec,
                              size_t *ret_application, size_t *ret_process)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    const char *colon = strchr(namespec, ':');
    const char *name = colon ? colon + 1 : namespec;
    struct sv_str application SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&application, namespec, colon ? (size_t)(colon - namespec) : strlen(namespec));
    size_t place = cluster->application_named(cluster->user, sv_str_text(&application));
    if (place == SIZE_MAX) {
        bad_application(call, sv_str_text(&application));
        return false;
    }
    bool is_all = colon && (name[0] == '\0' || strcmp(name, "*") == 0);
    size_t process = is_all ? SIZE_MAX : find_process(cluster, place, name);
    if (!is_all && process == SIZE_MAX) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "process=%s unknown in application=%s", name, sv_str_text(&application));
        sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
        return false;
    }
    *ret_application = place;
    *ret_process = process;
    return true;
}

bool sv_cluster_check_instances(struct sv_api_call *call, const char *name,
                                sv_instance_place **ret_places, uint32_t *ret_count)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_instance_place *places = calloc(cluster->instance_count(cluster->user), sizeof(*places));
    if (!places) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return false;
    }
    uint32_t count = cluster->find(cluster->user, name, places);
    if (count == 0) {
        free(places);
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "identifier=%s is unknown to Supvisors", name);
        sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
        return false;
    }
    *ret_places = places;
    *ret_count = count;
    return true;
}

/* As Python's enum class is called. */
static const char *python_class(enum sv_choice_kind kind)
{
    return kind == SV_CHOICE_CONCILIATION_STRATEGY ? "ConciliationStrategies"
                                                   : "StartingStrategies";
}

static void add_numbers(enum sv_choice_kind kind, struct sv_str *text)
{
    for (size_t i = 0; i < sv_choice_count(kind); i++)
        sv_str_addf(text, "%s%zu", i == 0 ? "" : ", ", i);
}

static void add_names(enum sv_choice_kind kind, struct sv_str *text)
{
    for (size_t i = 0; i < sv_choice_count(kind); i++)
        sv_str_addf(text, "%s'%s'", i == 0 ? "" : ", ", sv_choice_name(kind, (int)i));
}

void sv_cluster_add_strange(const json_t *value, struct sv_str *text)
{
    if (json_is_real(value))
        sv_str_addf(text, "%g type=<class 'float'>", json_real_value(value));
    else
        sv_str_add(text,
                   json_is_array(value) ? "[] type=<class 'list'>" : "{} type=<class 'dict'>");
    sv_str_add(text, " - type string or integer expected");
}

static void bad_choice(struct sv_api_call *call, enum sv_choice_kind kind, const json_t *value)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "invalid <enum '%s'> value=", python_class(kind));
    if (json_is_string(value)) {
        sv_str_addf(&text, "%s - string expected in [", json_string_value(value));
        add_names(kind, &text);
        sv_str_add(&text, "]");
    } else if (json_is_integer(value)) {
        sv_str_addf(&text, "%lld - integer expected in [", (long long)json_integer_value(value));
        add_numbers(kind, &text);
        sv_str_add(&text, "]");
    } else {
        sv_cluster_add_strange(value, &text);
    }
    sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
}

bool sv_cluster_check_choice(struct sv_api_call *call, enum sv_choice_kind kind, json_t *value,
                             int *ret_number)
{
    bool is_good = json_is_boolean(value); /* Python's True is 1 */
    if (is_good) {
        *ret_number = json_is_true(value);
    } else if (json_is_string(value)) {
        is_good = sv_choice_parse(kind, json_string_value(value), false, ret_number);
    } else if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        is_good = number >= 0 && number < (json_int_t)sv_choice_count(kind);
        *ret_number = is_good ? (int)number : 0;
    }
    if (!is_good)
        bad_choice(call, kind, value);
    return is_good;
}

void sv_cluster_append(json_t **list, json_t *item)
{
    if (json_array_append_new(*list, item) == 0)
        return;
    json_decref(*list);
    *list = NULL;
}

json_t *sv_cluster_identifier_list(const struct sv_api_cluster *cluster,
                                   const sv_instance_place *places, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct sv_instance_view view;
        cluster->instance(cluster->user, places[i], &view);
        sv_cluster_append(&list, sv_text_json(view.names.identifier));
    }
    return list;
}

json_t *sv_cluster_name_list(const struct sv_name_list *names)
{
    json_t *list = json_array();
    for (size_t i = 0; names && i < names->count; i++)
        sv_cluster_append(&list, sv_text_json(names->items[i]));
    return list;
}

json_t *sv_cluster_application_identifiers(const struct sv_api_cluster *cluster,
                                           const struct sv_application_rules *rules)
{
    if (rules->places.hash_identifiers.count == 0)
        return sv_cluster_name_list(&rules->places.identifiers);
    size_t count = cluster->instance_count(cluster->user);
    const char **all = calloc(count, sizeof(*all));
    json_t *list = all ? json_array() : NULL;
    for (size_t i = 0; i < count && all; i++) {
        struct sv_instance_view view;
        cluster->instance(cluster->user, (sv_instance_place)i, &view);
        all[i] = view.names.identifier;
    }
    const struct sv_name_list instances = {all, count};
    const char *identifier = all ? sv_rules_hash_identifier(rules, &instances) : NULL;
    if (identifier)
        sv_cluster_append(&list, sv_text_json(identifier));
    free(all);
    return list;
}
