/*
 * The environment of one program: what svisord has, Supervisor's variables, and over them what its
 * section sets (process.py, _spawn_as_child()). A later variable replaces an earlier one of the
 * same name.
 */
#include "driver/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    return count;
}

static void put(const char **environment, size_t *count, const char *variable)
{
    size_t length = strcspn(variable, "=") + 1; /* with the sign: "A" is not "AB" */
    for (size_t i = 0; i < *count; i++) {
        if (strncmp(environment[i], variable, length) == 0) {
            environment[i] = variable;
            return;
        }
    }
    environment[(*count)++] = variable;
}

int sv_environment_merge(const char *const *const *lists, size_t list_count,
                         const char ***ret_environment)
{
    size_t capacity = 1;
    for (size_t i = 0; i < list_count; i++)
        capacity += count_of(lists[i]);
    const char **environment = calloc(capacity, sizeof(*environment));
    if (!environment)
        return -ENOMEM;
    size_t count = 0;
    for (; lists[0] && lists[0][count]; count++)
        environment[count] = lists[0][count];
    for (size_t i = 1; i < list_count; i++)
        for (size_t j = 0; lists[i] && lists[i][j]; j++)
            put(environment, &count, lists[i][j]);
    *ret_environment = environment;
    return 0;
}

const char *sv_environment_path(const struct sv_program_config *config)
{
    for (size_t i = 0; config->environment[i]; i++)
        if (strncmp(config->environment[i], "PATH=", 5) == 0)
            return config->environment[i] + 5;
    return NULL;
}
