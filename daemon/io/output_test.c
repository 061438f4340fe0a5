#include "io/scratch_test.h"

#include <errno.h>
#include <signal.h>
#include <svisor/limits.h>
#include <sys/wait.h>

#include "io/output.h"
#include "io/pipes.h"

/* One channel of one program, its pipe, and what was heard of it. */
struct channel {
    struct sv_channel_config config;
    struct sv_sink *sink;
    struct sv_output *output;
    struct sv_loop *loop;
    int writer;
    struct sv_str data, captured;
    unsigned data_count, captured_count, closed_count;
    size_t byte_count;
    bool is_counting_only; /* `data` is left empty */
    bool is_quitting;      /* the loop ends with the channel */
};

static void on_data(void *user, enum sv_channel which, const char *data, size_t length)
{
    (void)which;
    struct channel *channel = user;
    channel->data_count++;
    channel->byte_count += length;
    if (!channel->is_counting_only)
        sv_str_append(&channel->data, data, length);
}

static void on_captured(void *user, enum sv_channel which, const char *data, size_t length)
{
    (void)which;
    struct channel *channel = user;
    channel->captured_count++;
    sv_str_clear(&channel->captured);
    sv_str_append(&channel->captured, data, length);
}

static void on_closed(void *user, enum sv_channel which)
{
    (void)which;
    struct channel *channel = user;
    channel->closed_count++;
    if (channel->is_quitting)
        sv_loop_quit(channel->loop, 0);
}

static void open_sink(struct channel *channel, struct scratch *scratch, bool strip_ansi)
{
    struct sv_sink_options options = {.channel = &channel->config,
                                      .which = SV_STDOUT,
                                      .process_name = "group:x",
                                      .identifier = "supervisor",
                                      .childlogdir = scratch->directory,
                                      .strip_ansi = strip_ansi};
    assert_int_equal(sv_sink_new(&options, &channel->sink), 0);
}

static void open_output_with(struct channel *channel, struct sv_loop *loop,
                             const struct sv_output_callbacks *callbacks)
{
    struct sv_pipes pipes;
    assert_int_equal(sv_pipes_make(true, -1, &pipes), 0);
    channel->writer = fcntl(pipes.child_stdout_fd, F_DUPFD_CLOEXEC, 3);
    channel->loop = loop;
    assert_int_equal(
        sv_output_new(loop, pipes.stdout_fd, channel->sink, callbacks, &channel->output), 0);
    pipes.stdout_fd = -1;
    sv_pipes_close(&pipes);
}

static void open_output(struct channel *channel, struct sv_loop *loop)
{
    struct sv_output_callbacks callbacks = {
        .user = channel, .data = on_data, .captured = on_captured, .closed = on_closed};
    open_output_with(channel, loop, &callbacks);
}

static void put(const struct channel *channel, const char *text)
{
    assert_int_equal(write(channel->writer, text, strlen(text)), strlen(text));
}

static void finish(struct channel *channel)
{
    if (channel->writer >= 0)
        close(channel->writer);
    sv_output_free(channel->output);
    sv_sink_free(channel->sink, true);
    sv_str_done(&channel->data);
    sv_str_done(&channel->captured);
}

static void log_to(struct channel *channel, const char *path)
{
    channel->config.logfile_kind = SV_LOGFILE_FILE;
    channel->config.logfile = path;
}

static struct sv_loop *new_loop(void)
{
    struct sv_loop *loop;
    assert_int_equal(sv_loop_new(&loop), 0);
    return loop;
}

static void output_goes_to_the_log_file_and_to_the_callback(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {.is_quitting = true};
    log_to(&channel, scratch_path(*state, "x.log"));
    open_sink(&channel, *state, false);
    assert_false(scratch_exists(*state, "x.log")); /* nothing is opened before the first run */
    open_output(&channel, loop);
    put(&channel, "hello\nworld");
    close(channel.writer); /* the last end: the end of file */
    channel.writer = -1;
    assert_int_equal(sv_loop_run(loop), 0);
    assert_file(*state, "x.log", "hello\nworld");
    assert_string_equal(sv_str_text(&channel.data), "hello\nworld");
    assert_int_equal(channel.closed_count, 1);
    finish(&channel);
    sv_loop_free(loop);
}

static void draining_takes_what_is_there_and_freeing_the_rest(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {0};
    log_to(&channel, scratch_path(*state, "x.log"));
    open_sink(&channel, *state, true);
    open_output(&channel, loop);
    sv_output_drain(channel.output); /* an empty pipe with a writer is no end */
    put(&channel, "one ");
    sv_output_drain(channel.output);
    assert_file(*state, "x.log", "one ");
    put(&channel, "two\x1b");
    sv_output_free(channel.output);
    channel.output = NULL;
    assert_file(*state, "x.log", "one two\x1b"); /* held back until nothing could follow */
    assert_int_equal(channel.closed_count, 0);
    finish(&channel);
    sv_loop_free(loop);
}

static void capture_mode_keeps_out_of_the_log(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {.config = {.capture_maxbytes = 1000}};
    log_to(&channel, scratch_path(*state, "x.log"));
    open_sink(&channel, *state, false);
    open_output(&channel, loop);
    put(&channel, "before <!--XSUPER");
    sv_output_drain(channel.output);
    put(&channel, "VISOR:BEGIN-->inside<!--XSUPERVISOR:END--> after");
    sv_output_drain(channel.output);
    assert_file(*state, "x.log", "before  after");
    assert_int_equal(channel.captured_count, 1);
    assert_string_equal(sv_str_text(&channel.captured), "inside");
    assert_string_equal(sv_str_text(&channel.data), "before inside after");
    finish(&channel);
    sv_loop_free(loop);
}

static void escapes_are_stripped_for_the_log_and_for_events(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {0};
    log_to(&channel, scratch_path(*state, "x.log"));
    open_sink(&channel, *state, true);
    open_output(&channel, loop);
    put(&channel, "\x1b[3");
    sv_output_drain(channel.output);
    put(&channel, "1mred\x1b[0m");
    sv_output_drain(channel.output);
    assert_file(*state, "x.log", "red");
    assert_string_equal(sv_str_text(&channel.data), "red");
    finish(&channel);
    sv_loop_free(loop);
}

/* Writes zeros for ever; the parent ends it. */
static pid_t start_flood(int fd)
{
    pid_t pid = fork();
    if (pid == 0) {
        static char block[65536];
        for (;;)
            if (write(fd, block, sizeof(block)) < 0 && errno != EINTR)
                _exit(1);
    }
    assert_true(pid > 0);
    return pid;
}

/* A quiet program that writes its next line when the last one was heard, beside a flood. */
struct race {
    struct channel flood, quiet;
    size_t flood_before, worst_bytes; /* of the flood between a line and its being heard */
    unsigned round;
};

enum { RACE_ROUNDS = 200, RACE_FLOOD_BYTES = 16 << 20 };

static void on_quiet_line(void *user, enum sv_channel which, const char *data, size_t length)
{
    (void)which;
    (void)data;
    (void)length;
    struct race *race = user;
    size_t between = race->flood.byte_count - race->flood_before;
    if (between > race->worst_bytes)
        race->worst_bytes = between;
    race->flood_before = race->flood.byte_count;
    race->round++;
    if (race->round >= RACE_ROUNDS && race->flood.byte_count >= RACE_FLOOD_BYTES)
        sv_loop_quit(race->quiet.loop, 0);
    else
        put(&race->quiet, "line\n");
}

static void a_program_that_never_stops_writing_starves_no_other(void **state)
{
    struct race race = {0};
    struct sv_loop *loop = new_loop();
    race.flood.is_counting_only = true;
    open_sink(&race.flood, *state, false);
    open_sink(&race.quiet, *state, false);
    open_output(&race.flood, loop);
    struct sv_output_callbacks callbacks = {.user = &race, .data = on_quiet_line};
    open_output_with(&race.quiet, loop, &callbacks);
    pid_t pid = start_flood(race.flood.writer);
    put(&race.quiet, "line\n");
    assert_int_equal(sv_loop_run(loop), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    /* Sources of one priority take turns: about one turn of the flood stands before a line. */
    assert_true(race.worst_bytes <= 2 * (size_t)SV_OUTPUT_TURN_BYTES_MAX);
    finish(&race.flood);
    finish(&race.quiet);
    sv_loop_free(loop);
}

static void draining_an_endless_writer_ends(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {.is_counting_only = true};
    open_sink(&channel, *state, false);
    open_output(&channel, loop);
    pid_t pid = start_flood(channel.writer);
    for (int i = 0; i < 20; i++)
        sv_output_drain(channel.output);
    assert_true(channel.byte_count <= 20 * 2 * (size_t)SV_OUTPUT_PIPE_BYTES);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    finish(&channel);
    sv_loop_free(loop);
}

static void a_full_disk_does_not_stop_the_program(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {0};
    log_to(&channel, "/dev/full");
    open_sink(&channel, *state, false);
    open_output(&channel, loop);
    put(&channel, "lost");
    sv_output_drain(channel.output);
    assert_string_equal(sv_str_text(&channel.data), "lost");
    assert_int_equal(sv_sink_lost_bytes(channel.sink), 4);
    finish(&channel);
    sv_loop_free(loop);
}

/* A large pipe, and lines that leave some bytes of each of its pages empty. */
static void the_end_of_a_run_takes_all_that_is_in_the_pipe(void **state)
{
    struct channel channel = {.is_counting_only = true};
    struct sv_loop *loop = new_loop();
    enum { LINES = 5000 };
    log_to(&channel, scratch_path(*state, "x.log"));
    open_sink(&channel, *state, false);
    open_output(&channel, loop);
    const char line[] = "thirty-three bytes with the end.\n";
    assert_true(fcntl(channel.writer, F_SETPIPE_SZ, (int)SV_OUTPUT_PIPE_BYTES) > 0);
    for (int i = 0; i < LINES; i++)
        put(&channel, line);
    sv_output_drain(channel.output);
    assert_int_equal(channel.byte_count, LINES * strlen(line));
    finish(&channel);
    sv_loop_free(loop);
}

static void the_last_bytes_come_from_memory_without_a_file(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {0};
    struct sv_str last SV_CLEANUP(sv_str_done) = {0};
    open_sink(&channel, *state, false);
    sv_sink_last_bytes(channel.sink, 10, &last);
    assert_int_equal(last.length, 0);
    open_output(&channel, loop);
    for (int i = 0; i < 300; i++) {
        put(&channel, "0123456789");
        sv_output_drain(channel.output);
    }
    put(&channel, "the end");
    sv_output_drain(channel.output);
    sv_sink_last_bytes(channel.sink, 10, &last);
    assert_string_equal(sv_str_text(&last), "789the end");
    sv_str_clear(&last);
    sv_sink_last_bytes(channel.sink, 100000, &last);
    assert_int_equal(last.length, SV_LAST_BYTES_MAX);
    finish(&channel);
    sv_loop_free(loop);
}

static void the_last_bytes_reach_back_over_a_rotation(void **state)
{
    struct sv_loop *loop = new_loop();
    struct channel channel = {.config = {.maxbytes = 10, .backups = 1}};
    struct sv_str last SV_CLEANUP(sv_str_done) = {0};
    log_to(&channel, scratch_path(*state, "x.log"));
    open_sink(&channel, *state, false);
    open_output(&channel, loop);
    put(&channel, "panic: no fuel");
    sv_output_drain(channel.output);
    put(&channel, "bye");
    sv_output_drain(channel.output);
    sv_sink_last_bytes(channel.sink, 10, &last);
    assert_string_equal(sv_str_text(&last), "no fuelbye");
    finish(&channel);
    sv_loop_free(loop);
}

static void auto_files_have_supervisors_names_and_go_with_the_group(void **state)
{
    struct scratch *scratch = *state;
    struct channel channel = {.config = {.logfile_kind = SV_LOGFILE_AUTO, .backups = 3}};
    channel.writer = -1;
    open_sink(&channel, scratch, false);
    const char *path = sv_sink_path(channel.sink);
    char *kept = strdup(path);
    const char *name = path + strlen(scratch->directory) + 1;
    assert_memory_equal(name, "x-stdout---supervisor-", 22);
    assert_string_equal(name + strlen(name) - 4, ".log");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    finish(&channel);
    assert_int_equal(stat(kept, &status), -1);
    free(kept);
}

static void old_auto_files_are_cleaned_and_others_are_not(void **state)
{
    struct scratch *scratch = *state;
    /* What re.match() of Supervisor's pattern says to each name. */
    static const struct {
        const char *name;
        bool is_kept;
    } files[] = {
        {"x-stdout---supervisor-abc123.log", false},
        {"x-stdout---supervisor-abc123.log.1", false},
        {"x-stderr---supervisor-abc123.log.12", false},
        {"x-stdout---supervisor-abc123.logger", false}, /* matched at the front only */
        {"x-stdout---other-abc123.log", true},
        {"---supervisor-abc123.log", true},
        {"x---supervisor-.log", true},
        {"x---supervisor-a b.log", true},
        {"x---supervisor-ab.txt", true},
        {"supervisord.log", true},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(files); i++)
        scratch_write(scratch, files[i].name, "");
    sv_sink_clean_auto_files(scratch->directory, "supervisor");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(files); i++)
        assert_int_equal(scratch_exists(scratch, files[i].name), files[i].is_kept);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(output_goes_to_the_log_file_and_to_the_callback),
        test(draining_takes_what_is_there_and_freeing_the_rest),
        test(capture_mode_keeps_out_of_the_log),
        test(escapes_are_stripped_for_the_log_and_for_events),
        test(a_program_that_never_stops_writing_starves_no_other),
        test(draining_an_endless_writer_ends),
        test(a_full_disk_does_not_stop_the_program),
        test(the_end_of_a_run_takes_all_that_is_in_the_pipe),
        test(the_last_bytes_come_from_memory_without_a_file),
        test(the_last_bytes_reach_back_over_a_rotation),
        test(auto_files_have_supervisors_names_and_go_with_the_group),
        test(old_auto_files_are_cleaned_and_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
