/*
 * The values that are true or false of this machine: files, directories and users. It is asked
 * through struct sv_config_host, so that the same text can be read for another machine, or for
 * none.
 */
#include "config/value_host.h"

#include <string.h>

#include "config/path.h"

static bool out_of_memory(struct sv_value_context *context)
{
    sv_str_add(context->problem, "out of memory");
    return false;
}

static bool is_directory(const struct sv_value_context *context, const char *path)
{
    return context->host->is_directory(context->host->user, path);
}

bool sv_convert_file(const struct sv_option *option, struct sv_value_context *context,
                     struct sv_value *value)
{
    (void)option;
    const struct sv_config_host *host = context->host;
    char *path = sv_path_expand_user(context->arena, value->text, host->home_directory);
    char *directory = path ? sv_path_directory(context->arena, path) : NULL;
    if (!directory)
        return out_of_memory(context);
    value->path = path;
    if (*directory == '\0' || is_directory(context, directory))
        return true;
    sv_str_addf(context->problem,
                "The directory named as part of the path %s does not exist; make the directory %s, "
                "or write a path in one that exists",
                value->text, directory);
    return false;
}

bool sv_convert_directory(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value)
{
    (void)option;
    value->path = sv_path_expand_user(context->arena, value->text, context->host->home_directory);
    if (!value->path)
        return out_of_memory(context);
    if (is_directory(context, value->path))
        return true;
    sv_str_addf(context->problem,
                "%s is not an existing directory; make it, or write one that "
                "exists",
                value->text);
    return false;
}

bool sv_convert_user(const struct sv_option *option, struct sv_value_context *context,
                     struct sv_value *value)
{
    (void)option;
    const struct sv_config_host *host = context->host;
    if (host->find_user(host->user, value->text, &value->owner.uid, &value->owner.gid))
        return true;
    sv_str_addf(context->problem,
                "Invalid user name %s; write a user of this machine, by name or number",
                value->text);
    return false;
}

bool sv_convert_owner(const struct sv_option *option, struct sv_value_context *context,
                      struct sv_value *value)
{
    (void)option;
    const struct sv_config_host *host = context->host;
    const char *colon = strchr(value->text, ':');
    size_t length = colon ? (size_t)(colon - value->text) : strlen(value->text);
    char *name = sv_arena_strndup(context->arena, value->text, length);
    if (!name)
        return out_of_memory(context);
    uint32_t primary_gid;
    value->owner.gid = SV_ID_NONE;
    if (host->find_user(host->user, name, &value->owner.uid, &primary_gid) &&
        (!colon || host->find_group(host->user, colon + 1, &value->owner.gid)))
        return true;
    sv_str_addf(context->problem,
                "Invalid user:group definition %s; write a user, or user:group, of this machine",
                value->text);
    return false;
}
