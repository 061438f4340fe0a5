#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/state_journal.h"

/* A name that no other test uses at the same time. */
static const char *identifier(void)
{
    static char name[64];
    snprintf(name, sizeof(name), "journal-test-%d", (int)getpid());
    return name;
}

static struct sv_state_journal *open_journal(struct sv_str *ret_bytes)
{
    struct sv_state_journal *journal = NULL;
    assert_int_equal(sv_state_journal_open(identifier(), "/etc/x.conf", &journal, ret_bytes), 0);
    return journal;
}

static void append(struct sv_state_journal *journal, const char *text)
{
    struct sv_str bytes = {0};
    sv_str_add(&bytes, text);
    sv_state_journal_append(journal, &bytes);
    sv_str_done(&bytes);
}

static void the_next_daemon_reads_what_was_appended(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    struct sv_state_journal *journal = open_journal(&bytes);
    assert_int_equal(bytes.length, 0);
    append(journal, "one");
    append(journal, "two");
    sv_state_journal_leave(journal);
    journal = open_journal(&bytes);
    assert_string_equal(sv_str_text(&bytes), "onetwo");
    sv_str_clear(&bytes);
    sv_str_add(&bytes, "anew");
    assert_int_equal(sv_state_journal_rewrite(journal, &bytes), 0);
    append(journal, "+");
    sv_state_journal_leave(journal);
    sv_str_clear(&bytes);
    journal = open_journal(&bytes);
    assert_string_equal(sv_str_text(&bytes), "anew+");
    sv_state_journal_end(journal);
    sv_str_done(&bytes);
}

static void an_end_leaves_nothing_behind(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    struct sv_state_journal *journal = open_journal(&bytes);
    char path[256];
    snprintf(path, sizeof(path), "%s", sv_state_journal_directory(journal));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    append(journal, "x");
    sv_state_journal_end(journal);
    assert_int_equal(stat(path, &status), -1);
    sv_str_done(&bytes);
}

static void two_daemons_of_one_file_do_not_share_it(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    struct sv_state_journal *first = open_journal(&bytes), *second = NULL;
    assert_int_equal(sv_state_journal_open(identifier(), "/etc/x.conf", &second, &bytes),
                     -EWOULDBLOCK);
    assert_int_equal(sv_state_journal_open(identifier(), "/etc/other.conf", &second, &bytes), 0);
    sv_state_journal_end(second);
    sv_state_journal_end(first);
    sv_str_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_daemon_reads_what_was_appended),
        cmocka_unit_test(an_end_leaves_nothing_behind),
        cmocka_unit_test(two_daemons_of_one_file_do_not_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
