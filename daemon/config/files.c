/* Options that are lists of files: glob patterns with blanks between them, as Supvisors reads them.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/loader.h"
#include "config/path.h"
#include "config/pytext.h"

struct finding {
    struct sv_loader *loader;
    struct sv_list paths;
};

static void add_path(void *user, const char *path)
{
    struct finding *finding = user;
    if (finding->paths.count > SV_CONFIG_FILES_MAX)
        return;
    char *copy = sv_loader_check(finding->loader, sv_path_normalize(finding->loader->arena, path));
    if (copy)
        sv_loader_push(finding->loader, &finding->paths, copy);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once, in the arena of the result. */
static struct sv_name_list sorted(struct finding *finding)
{
    struct sv_name_list list = {0};
    size_t count = finding->paths.count;
    const char **items = sv_loader_check(
        finding->loader, sv_arena_array(finding->loader->arena, const char *, count + 1));
    if (!items || count == 0)
        return list;
    for (size_t i = 0; i < count; i++)
        items[i] = finding->paths.items[i];
    qsort(items, count, sizeof(*items), compare);
    list.items = items;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(items[i], items[list.count - 1]) != 0)
            items[list.count++] = items[i];
    return list;
}

static void find(struct finding *finding, const char *pattern, const struct sv_place *place)
{
    struct sv_loader *loader = finding->loader;
    char *path =
        sv_loader_check(loader, sv_path_join(&loader->scratch, loader->host->directory, pattern));
    if (path && loader->host->glob(loader->host->user, path, add_path, finding) < 0)
        sv_loader_report(loader, SV_SEVERITY_WARNING, place, "\"%s\" could not be searched", path);
}

/* Supvisors expands such a value once more than others. */
static bool expand_again(struct sv_loader *loader, const struct sv_scope *scope,
                         const struct sv_value *value, struct sv_str *text)
{
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    int r = sv_expand(value->text, "rpcinterface.supvisors", scope, text, &problem);
    if (r > 0)
        sv_loader_report(loader, SV_SEVERITY_WARNING, &value->place, "%s; no file is used",
                         sv_str_text(&problem));
    loader->is_out_of_memory = loader->is_out_of_memory || r < 0;
    return r == 0;
}

struct sv_name_list sv_loader_files(struct sv_loader *loader, const struct sv_value *value,
                                    const struct sv_scope *scope)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct finding finding = {.loader = loader};
    if (!value->text || !expand_again(loader, scope, value, &text))
        return (struct sv_name_list){0};
    const char *rest = sv_str_text(&text);
    for (size_t length = text.length; length > 0 && !loader->is_out_of_memory;) {
        struct sv_span span = sv_py_strip(rest, length);
        size_t bytes = 0;
        while (bytes < span.length && !sv_py_space_at(span.data + bytes, span.length - bytes))
            bytes++;
        if (bytes == 0)
            break;
        char *pattern =
            sv_loader_check(loader, sv_arena_strndup(&loader->scratch, span.data, bytes));
        if (pattern)
            find(&finding, pattern, &value->place);
        rest = span.data + bytes;
        length = span.length - bytes;
    }
    struct sv_name_list list = sorted(&finding);
    free(finding.paths.items);
    if (list.count > SV_CONFIG_FILES_MAX) {
        sv_loader_report(loader, SV_SEVERITY_ERROR, &value->place,
                         "matches more than %d files; write a narrower pattern",
                         SV_CONFIG_FILES_MAX);
        list.count = 0;
    } else if (list.count == 0 && text.length > 0) {
        sv_loader_report(loader, SV_SEVERITY_WARNING, &value->place, "no file matches '%s'",
                         sv_str_text(&text));
    }
    return list;
}
