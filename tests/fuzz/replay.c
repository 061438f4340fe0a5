/* Runs a fuzz target on every file of its corpus, without a fuzzer: `replay_x NAME DIRECTORY`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_input(const char *path, struct sv_str *ret_bytes)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return -1;
    for (;;) {
        char *end = sv_str_reserve(ret_bytes, 65536);
        size_t bytes = end ? fread(end, 1, 65536, file) : 0;
        if (bytes == 0)
            break;
        sv_str_grew(ret_bytes, bytes);
    }
    int is_good = !ferror(file) && sv_str_ok(ret_bytes);
    fclose(file);
    return is_good ? 0 : -1;
}

/* The bytes in a block of their own size, so that a sanitizer sees a read behind the end. */
static int replay(const char *path)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    if (read_input(path, &bytes) < 0) {
        printf("# %s could not be read\n", path);
        return -1;
    }
    uint8_t *exact = malloc(bytes.length > 0 ? bytes.length : 1);
    if (!exact)
        return -1;
    memcpy(exact, sv_str_text(&bytes), bytes.length);
    LLVMFuzzerTestOneInput(exact, bytes.length);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = argc == 3 ? scandir(argv[2], &entries, NULL, alphasort) : -1;
    int replayed = 0;
    int failed = 0;
    for (int i = 0; i < count; i++) {
        struct sv_str path SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&path, "%s/%s", argv[2], entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            failed += replay(sv_str_text(&path)) < 0;
            replayed++;
        }
        free(entries[i]);
    }
    free(entries);
    int is_good = replayed > 0 && failed == 0;
    printf("%s 1 - %s replays %d inputs\n1..1\n", is_good ? "ok" : "not ok",
           argc == 3 ? argv[1] : "replay", replayed);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
