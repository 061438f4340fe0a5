/* File names as text: what Python's os.path does without looking at the disk. */
#ifndef SV_CONFIG_PATH_H
#define SV_CONFIG_PATH_H

#include "base/arena.h"

/* All results are in the arena, or NULL when memory is short. */

/* os.path.expanduser(), for "~" and "~/…"; `home` may be NULL. */
char *sv_path_expand_user(struct sv_arena *arena, const char *path, const char *home);
/* os.path.join(): `path` itself when it is absolute. */
char *sv_path_join(struct sv_arena *arena, const char *directory, const char *path);
/* os.path.normpath(): no "//", "." or "name/..". */
char *sv_path_normalize(struct sv_arena *arena, const char *path);
/* os.path.dirname(): "" for a bare name. */
char *sv_path_directory(struct sv_arena *arena, const char *path);

#endif
