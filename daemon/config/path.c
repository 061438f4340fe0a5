/* Supervisor's normalize_path() is normalize(join(cwd, expand_user(path))); these are its steps. */
#include "config/path.h"

#include <stdbool.h>
#include <string.h>

char *sv_path_expand_user(struct sv_arena *arena, const char *path, const char *home)
{
    if (path[0] != '~' || (path[1] != '\0' && path[1] != '/') || !home)
        return sv_arena_strdup(arena, path);
    size_t length = strlen(home);
    while (length > 0 && home[length - 1] == '/')
        length--;
    if (length == 0 && path[1] == '\0')
        return sv_arena_strdup(arena, "/");
    return sv_arena_printf(arena, "%.*s%s", (int)length, home, path + 1);
}

char *sv_path_join(struct sv_arena *arena, const char *directory, const char *path)
{
    if (path[0] == '/' || directory[0] == '\0')
        return sv_arena_strdup(arena, path);
    size_t length = strlen(directory);
    return sv_arena_printf(arena, "%s%s%s", directory, directory[length - 1] == '/' ? "" : "/",
                           path);
}

/* Cuts the last part off `text`; never the root. */
static size_t without_last(const char *text, size_t length, size_t root)
{
    while (length > root && text[length - 1] != '/')
        length--;
    while (length > root && text[length - 1] == '/')
        length--;
    return length;
}

char *sv_path_normalize(struct sv_arena *arena, const char *path)
{
    /* POSIX leaves the meaning of exactly two leading slashes open; Python keeps them. */
    size_t root = strspn(path, "/") == 2 ? 2 : path[0] == '/';
    char *text = sv_arena_alloc(arena, strlen(path) + 2, 1);
    if (!text)
        return NULL;
    memset(text, '/', root);
    size_t length = root;
    size_t kept_parents = root; /* "../.." at the head of a relative path stays */
    for (const char *part = path; *part;) {
        part += strspn(part, "/");
        size_t bytes = strcspn(part, "/");
        bool is_parent = bytes == 2 && memcmp(part, "..", 2) == 0;
        if (is_parent && length > kept_parents) {
            length = without_last(text, length, kept_parents);
        } else if (bytes > 0 && !(bytes == 1 && *part == '.') && !(is_parent && root > 0)) {
            if (length > root)
                text[length++] = '/';
            memcpy(text + length, part, bytes);
            length += bytes;
            if (is_parent)
                kept_parents = length;
        }
        part += bytes;
    }
    if (length == 0)
        text[length++] = '.';
    text[length] = '\0';
    return text;
}

char *sv_path_directory(struct sv_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    size_t root = strspn(path, "/");
    while (length > 0 && length > root && path[length - 1] == '/')
        length--;
    return sv_arena_strndup(arena, path, length);
}
