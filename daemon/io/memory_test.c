/* What the settling may give back, and what it must leave. */
#include "io/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_BYTES = 4 << 20, PAGE_BYTES = 4096 };

static size_t resident_bytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    assert_non_null(statm);
    size_t size, resident;
    assert_int_equal(fscanf(statm, "%zu %zu", &size, &resident), 2);
    fclose(statm);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* A private mapping of a file that is full of 'f'. */
static char *map_file(int rights)
{
    static char piece[FILE_BYTES];
    memset(piece, 'f', sizeof(piece));
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(piece, 1, sizeof(piece), file), sizeof(piece));
    assert_int_equal(fflush(file), 0);
    char *mapping = mmap(NULL, FILE_BYTES, rights, MAP_PRIVATE, fileno(file), 0);
    assert_true(mapping != MAP_FAILED);
    fclose(file);
    return mapping;
}

static size_t count_of(const char *mapping, char wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < FILE_BYTES; i += PAGE_BYTES)
        count += mapping[i] == wanted;
    return count;
}

static void clean_pages_of_files_are_given_back_and_can_be_read_again(void **state)
{
    (void)state;
    char *mapping = map_file(PROT_READ);
    assert_int_equal(count_of(mapping, 'f'), FILE_BYTES / PAGE_BYTES);
    size_t before = resident_bytes();
    sv_memory_settle();
    assert_true(resident_bytes() + FILE_BYTES <= before);
    assert_int_equal(count_of(mapping, 'f'), FILE_BYTES / PAGE_BYTES);
    munmap(mapping, FILE_BYTES);
}

/* Relocations and breakpoints are such: written, and then protected. */
static void a_page_that_was_written_before_its_protection_keeps_its_content(void **state)
{
    (void)state;
    char *mapping = map_file(PROT_READ | PROT_WRITE);
    mapping[3 * PAGE_BYTES] = 'w';
    assert_int_equal(mprotect(mapping, FILE_BYTES, PROT_READ), 0);
    sv_memory_settle();
    assert_int_equal(mapping[3 * PAGE_BYTES], 'w');
    assert_int_equal(count_of(mapping, 'f'), FILE_BYTES / PAGE_BYTES - 1);
    munmap(mapping, FILE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_pages_of_files_are_given_back_and_can_be_read_again),
        cmocka_unit_test(a_page_that_was_written_before_its_protection_keeps_its_content),
    };
    sv_memory_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
