#include <errno.h>
#include <setjmp.h>
#include <signal.h>
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
#include "wire/journal.h"

/* A name that no other test uses at the same time. */
static const char *identifier(void)
{
    static char name[64];
    if (!name[0])
        snprintf(name, sizeof(name), "journal-test-%d", (int)getpid());
    return name;
}

static struct sv_state_journal *open_journal(struct sv_str *ret_bytes)
{
    struct sv_state_journal *journal = NULL;
    assert_int_equal(sv_state_journal_open(identifier(), "/etc/x.conf", &journal, ret_bytes), 0);
    return journal;
}

/* A record that names one process. */
static void add_record(struct sv_str *bytes, const char *process)
{
    struct sv_journal_entry entry = {
        .kind = SV_JOURNAL_FORGET, .group = "group", .process = process};
    sv_journal_encode(&entry, bytes);
}

static void append(struct sv_state_journal *journal, const char *process)
{
    struct sv_str bytes = {0};
    add_record(&bytes, process);
    sv_state_journal_append(journal, &bytes);
    sv_str_done(&bytes);
}

/* The processes that the records name, in order. */
static void expect(const struct sv_str *bytes, const char *names)
{
    struct sv_str texts = {0}, found = {0};
    struct sv_journal_entry entry;
    for (size_t offset = 0;
         sv_journal_decode(bytes->data, bytes->length, &offset, &texts, &entry) == 0;)
        sv_str_addf(&found, "%s ", entry.process);
    assert_string_equal(sv_str_text(&found), names);
    sv_str_done(&texts);
    sv_str_done(&found);
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
    expect(&bytes, "one two ");
    sv_str_clear(&bytes);
    add_record(&bytes, "anew");
    assert_int_equal(sv_state_journal_rewrite(journal, &bytes), 0);
    append(journal, "more");
    sv_state_journal_leave(journal);
    sv_str_clear(&bytes);
    journal = open_journal(&bytes);
    expect(&bytes, "anew more ");
    sv_state_journal_end(journal);
    sv_str_done(&bytes);
}

static void what_is_appended_behind_a_torn_record_is_found(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, torn = {0};
    struct sv_state_journal *journal = open_journal(&bytes);
    append(journal, "one");
    add_record(&torn, "torn");
    torn.length -= 2;
    sv_state_journal_append(journal, &torn);
    sv_state_journal_leave(journal);
    journal = open_journal(&bytes);
    append(journal, "two");
    sv_state_journal_leave(journal);
    sv_str_clear(&bytes);
    journal = open_journal(&bytes);
    expect(&bytes, "one two ");
    sv_state_journal_end(journal);
    sv_str_done(&bytes);
    sv_str_done(&torn);
}

static void it_grows_and_no_death_takes_back_what_was_appended(void **state)
{
    (void)state;
    enum { RECORDS = 20000 };
    struct sv_str bytes = {0}, texts = {0};
    (void)identifier(); /* the child's, too */
    pid_t pid = fork();
    if (pid == 0) {
        struct sv_state_journal *journal = open_journal(&bytes);
        char name[32];
        for (int i = 0; i < RECORDS; i++) {
            snprintf(name, sizeof(name), "process-%d", i);
            append(journal, name);
        }
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct sv_state_journal *journal = open_journal(&bytes);
    struct sv_journal_entry entry = {0};
    int count = 0;
    for (size_t offset = 0;
         sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry) == 0;)
        count++;
    assert_int_equal(count, RECORDS);
    assert_string_equal(entry.process, "process-19999");
    sv_state_journal_end(journal);
    sv_str_done(&bytes);
    sv_str_done(&texts);
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
        cmocka_unit_test(what_is_appended_behind_a_torn_record_is_found),
        cmocka_unit_test(it_grows_and_no_death_takes_back_what_was_appended),
        cmocka_unit_test(an_end_leaves_nothing_behind),
        cmocka_unit_test(two_daemons_of_one_file_do_not_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
