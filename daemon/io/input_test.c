#include "io/scratch_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io/input.h"

struct pair {
    struct sv_loop *loop;
    struct sv_input *input;
    int reader;
    size_t read_bytes, wanted_bytes;
    bool is_in_order;
};

static void pair_begin(struct pair *pair)
{
    int ends[2];
    *pair = (struct pair){.is_in_order = true};
    assert_int_equal(sv_loop_new(&pair->loop), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    pair->reader = ends[0];
    assert_int_equal(sv_input_new(pair->loop, ends[1], &pair->input), 0);
}

static void pair_end(struct pair *pair)
{
    sv_input_free(pair->input);
    if (pair->reader >= 0)
        close(pair->reader);
    sv_loop_free(pair->loop);
}

static void on_readable(void *user, int fd, uint32_t events)
{
    (void)events;
    struct pair *pair = user;
    unsigned char data[5000];
    ssize_t n = read(fd, data, sizeof(data));
    assert_true(n > 0);
    for (ssize_t i = 0; i < n; i++, pair->read_bytes++)
        pair->is_in_order = pair->is_in_order && data[i] == (pair->read_bytes % 251);
    if (pair->read_bytes == pair->wanted_bytes)
        sv_loop_quit(pair->loop, 0);
}

static void a_slow_reader_gets_everything_in_order(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair);
    static unsigned char data[SV_STDIN_BUFFER_BYTES_MAX];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i % 251);
    pair.wanted_bytes = sizeof(data);
    size_t half = 251 * 2000; /* so that the pattern goes on across the two writes */
    assert_int_equal(sv_input_write(pair.input, data, half), 0);
    assert_int_equal(sv_input_write(pair.input, data, sizeof(data) - half), 0);
    struct sv_source *source;
    assert_int_equal(sv_loop_add_io(pair.loop, pair.reader, EPOLLIN, SV_PRIORITY_NORMAL,
                                    on_readable, &pair, &source),
                     0);
    assert_int_equal(sv_loop_run(pair.loop), 0);
    assert_true(pair.is_in_order);
    sv_source_free(source);
    pair_end(&pair);
}

static void a_reader_that_never_reads_costs_a_bounded_buffer(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair);
    static char block[64 << 10];
    int r = 0;
    size_t accepted = 0;
    while ((r = sv_input_write(pair.input, block, sizeof(block))) == 0)
        accepted += sizeof(block);
    assert_int_equal(r, -ENOBUFS);
    assert_true(accepted >= SV_STDIN_BUFFER_BYTES_MAX);
    assert_true(accepted <= SV_STDIN_BUFFER_BYTES_MAX + (64u << 10));
    static char huge[SV_STDIN_BUFFER_BYTES_MAX + 1];
    assert_int_equal(sv_input_write(pair.input, huge, sizeof(huge)), -ENOBUFS);
    pair_end(&pair);
}

static void a_reader_that_is_gone_is_a_broken_pipe(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair);
    assert_int_equal(sv_input_write(pair.input, "x", 1), 0);
    close(pair.reader);
    pair.reader = -1;
    assert_int_equal(sv_input_write(pair.input, "x", 1), -EPIPE);
    assert_int_equal(sv_input_write(pair.input, "x", 1), -EPIPE);
    pair_end(&pair);
}

static void stop(void *user)
{
    sv_loop_quit(user, 0);
}

static void a_reader_that_goes_while_bytes_wait_is_noticed(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair);
    static char block[256 << 10];
    assert_int_equal(sv_input_write(pair.input, block, sizeof(block)), 0);
    close(pair.reader);
    pair.reader = -1;
    struct sv_source *defer;
    assert_int_equal(sv_loop_add_defer(pair.loop, SV_PRIORITY_IDLE, stop, pair.loop, &defer), 0);
    sv_source_enable(defer, true);
    assert_int_equal(sv_loop_run(pair.loop), 0); /* the source does not spin: IDLE had its turn */
    assert_int_equal(sv_input_write(pair.input, "x", 1), -EPIPE);
    sv_source_free(defer);
    pair_end(&pair);
}

/* The kernel counts: at any moment a successor knows what is in the pipe. */
static void what_is_sent_with_a_cursor_can_be_gone_on_with_by_another_one(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair);
    static unsigned char data[251 * 2000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i % 251);
    int64_t cursor = 0;
    assert_int_equal(sv_input_send(pair.input, data, sizeof(data), &cursor), 0);
    assert_true(cursor > 0 && cursor < (int64_t)sizeof(data));
    int waiting = 0;
    assert_int_equal(ioctl(pair.reader, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, cursor);
    int fd = fcntl(sv_input_fd(pair.input), F_DUPFD_CLOEXEC, 0);
    sv_input_free(pair.input); /* the end of the first */
    assert_int_equal(sv_input_new(pair.loop, fd, &pair.input), 0);
    assert_int_equal(sv_input_send(pair.input, data, sizeof(data), &cursor), 0);
    assert_int_equal(sv_input_write(pair.input, data, 251), 0); /* behind it */
    struct sv_source *source;
    assert_int_equal(sv_loop_add_io(pair.loop, pair.reader, EPOLLIN, SV_PRIORITY_NORMAL,
                                    on_readable, &pair, &source),
                     0);
    pair.wanted_bytes = sizeof(data) + 251;
    assert_int_equal(sv_loop_run(pair.loop), 0);
    assert_true(pair.is_in_order);
    assert_int_equal(cursor, sizeof(data));
    assert_int_equal(sv_input_send(pair.input, data, sizeof(data), &cursor),
                     0); /* it is all there */
    assert_int_equal(ioctl(pair.reader, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, 0);
    cursor = sizeof(data) + 1;
    assert_int_equal(sv_input_send(pair.input, data, sizeof(data), &cursor), -EINVAL);
    sv_source_free(source);
    pair_end(&pair);
}

static void what_is_sent_to_no_pipe_is_written(void **state)
{
    (void)state;
    struct sv_loop *loop;
    struct sv_input *input;
    int ends[2];
    int64_t cursor = 2;
    assert_int_equal(sv_loop_new(&loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(sv_input_new(loop, ends[1], &input), 0);
    assert_int_equal(sv_input_send(input, "abcd", 4, &cursor), 0);
    char text[8] = "";
    assert_int_equal(read(ends[0], text, sizeof(text)), 2);
    assert_string_equal(text, "cd");
    assert_int_equal(cursor, 4);
    sv_input_free(input);
    close(ends[0]);
    sv_loop_free(loop);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_gets_everything_in_order),
        cmocka_unit_test(a_reader_that_never_reads_costs_a_bounded_buffer),
        cmocka_unit_test(a_reader_that_is_gone_is_a_broken_pipe),
        cmocka_unit_test(a_reader_that_goes_while_bytes_wait_is_noticed),
        cmocka_unit_test(what_is_sent_with_a_cursor_can_be_gone_on_with_by_another_one),
        cmocka_unit_test(what_is_sent_to_no_pipe_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
