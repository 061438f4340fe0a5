#include "io/scratch_test.h"

#include <errno.h>
#include <regex.h>
#include <svisor/limits.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io/journal.h"
#include "io/lines.h"
#include "io/syslog.h"

static void add_line(void *user, const char *line, size_t length)
{
    struct sv_str *text = user;
    sv_str_append(text, line, length);
    sv_str_add_char(text, '|');
}

static void lines_are_whole_wherever_the_pipe_cuts(void **state)
{
    (void)state;
    static const char in[] = "one\n\nthree is longer\npart";
    for (size_t piece = 1; piece <= sizeof(in); piece++) {
        struct sv_lines lines = {0};
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        for (size_t at = 0; at < sizeof(in) - 1; at += piece) {
            size_t left = sizeof(in) - 1 - at;
            sv_lines_feed(&lines, in + at, left < piece ? left : piece, add_line, &text);
        }
        assert_string_equal(sv_str_text(&text), "one||three is longer|");
        sv_lines_finish(&lines, add_line, &text);
        assert_string_equal(sv_str_text(&text), "one||three is longer|part|");
    }
}

static void a_line_over_the_bound_is_cut_and_says_so(void **state)
{
    (void)state;
    static char in[3 * SV_SYSLOG_LINE_BYTES_MAX];
    memset(in, 'x', sizeof(in));
    in[sizeof(in) - 1] = '\n';
    for (size_t piece = 1000; piece <= sizeof(in); piece += 7000) {
        struct sv_lines lines = {0};
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        for (size_t at = 0; at < sizeof(in); at += piece) {
            size_t left = sizeof(in) - at;
            sv_lines_feed(&lines, in + at, left < piece ? left : piece, add_line, &text);
        }
        sv_lines_feed(&lines, "next\n", 5, add_line, &text);
        assert_int_equal(text.length, SV_SYSLOG_LINE_BYTES_MAX + 1 + 5);
        assert_string_equal(sv_str_text(&text) + SV_SYSLOG_LINE_BYTES_MAX - 6, " [cut]|next|");
        assert_int_equal(lines.partial.capacity, 0); /* no memory is kept between lines */
        sv_lines_finish(&lines, add_line, &text);
    }
}

static int bind_service(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void a_datagram_has_the_form_of_rfc_3164(void **state)
{
    const char *path = scratch_path(*state, "log");
    int service = bind_service(path);
    struct sv_syslog *syslog = sv_syslog_new(path, "svisord");
    sv_syslog_line(syslog, "web ", "hello", 5);
    char text[256];
    ssize_t n = recv(service, text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    regex_t regex;
    assert_int_equal(regcomp(&regex,
                             "^<14>[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} "
                             "svisord: web hello$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regexec(&regex, text, 0, NULL, 0), 0);
    regfree(&regex);
    assert_int_equal(sv_syslog_lost_bytes(syslog), 0);
    sv_syslog_free(syslog);
    close(service);
}

static void a_service_that_does_not_read_costs_lines_not_time(void **state)
{
    const char *path = scratch_path(*state, "log");
    int service = bind_service(path);
    struct sv_syslog *syslog = sv_syslog_new(path, "svisord");
    for (int i = 0; i < 10000; i++)
        sv_syslog_line(syslog, "", "0123456789", 10);
    assert_true(sv_syslog_lost_bytes(syslog) > 0);
    assert_int_equal(sv_syslog_lost_bytes(syslog) % 10, 0);
    sv_syslog_free(syslog);
    close(service);
}

static void a_missing_service_is_counted(void **state)
{
    struct sv_syslog *syslog = sv_syslog_new(scratch_path(*state, "none"), "svisord");
    sv_syslog_line(syslog, "", "hello", 5);
    assert_int_equal(sv_syslog_lost_bytes(syslog), 5);
    sv_syslog_free(syslog);
}

static void a_journal_record_has_its_fields(void **state)
{
    const char *path = scratch_path(*state, "journal");
    struct sv_journal *journal = sv_journal_new(path, "group", "x", 6);
    sv_journal_line(journal, "early", 5); /* no journal yet */
    assert_int_equal(sv_journal_lost_bytes(journal), 5);
    sv_journal_free(journal);

    int service = bind_service(path);
    journal = sv_journal_new(path, "group", "x", 6);
    sv_journal_line(journal, "hello", 5);
    char text[256];
    ssize_t n = recv(service, text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "PRIORITY=6\nSYSLOG_IDENTIFIER=x\nSVISOR_PROCESS=x\n"
                              "SVISOR_GROUP=group\nMESSAGE=hello\n");
    for (int i = 0; i < 10000; i++)
        sv_journal_line(journal, "0123456789", 10); /* nobody reads: it must not wait */
    assert_true(sv_journal_lost_bytes(journal) > 0);
    sv_journal_free(journal);
    close(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(lines_are_whole_wherever_the_pipe_cuts),
        test(a_line_over_the_bound_is_cut_and_says_so),
        test(a_datagram_has_the_form_of_rfc_3164),
        test(a_service_that_does_not_read_costs_lines_not_time),
        test(a_missing_service_is_counted),
        test(a_journal_record_has_its_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
