#include "io/scratch_test.h"

#include <errno.h>

#include "io/follow.h"

/* Collects what is followed, and does the next step when all of the last one was heard. */
struct story {
    struct scratch *scratch;
    struct sv_loop *loop;
    struct sv_follow *follow;
    struct sv_str heard;
    const char *const *expected; /* after each step; NULL ends */
    void (*const *steps)(struct story *story);
    unsigned done;
    bool is_freeing; /* the follower is freed inside its callback */
};

static void on_data(void *user, const char *data, size_t length)
{
    struct story *story = user;
    sv_str_append(&story->heard, data, length);
    if (story->is_freeing) {
        sv_follow_free(story->follow);
        story->follow = NULL;
        sv_loop_quit(story->loop, 0);
        return;
    }
    size_t wanted = strlen(story->expected[story->done]);
    if (story->heard.length < wanted)
        return;
    assert_string_equal(sv_str_text(&story->heard), story->expected[story->done]);
    sv_str_clear(&story->heard);
    story->done++;
    if (!story->expected[story->done])
        sv_loop_quit(story->loop, 0);
    else
        story->steps[story->done](story);
}

static void run_story(struct story *story, uint64_t head_bytes)
{
    assert_int_equal(sv_loop_new(&story->loop), 0);
    const char *path = scratch_path(story->scratch, "x.log");
    assert_int_equal(sv_follow_new(story->loop, path, head_bytes, on_data, story, &story->follow),
                     0);
    if (story->steps && story->steps[0])
        story->steps[0](story);
    assert_int_equal(sv_loop_run(story->loop), 0);
    sv_follow_free(story->follow);
    sv_loop_free(story->loop);
    sv_str_done(&story->heard);
}

static void write_more(struct story *story)
{
    scratch_write(story->scratch, "x.log", "more\n");
}

static void rotate(struct story *story)
{
    scratch_write(story->scratch, "x.log", "last of the old\n");
    assert_int_equal(
        rename(scratch_path(story->scratch, "x.log"), scratch_path(story->scratch, "x.log.1")), 0);
    scratch_write(story->scratch, "x.log", "first of the new\n");
}

static void empty(struct story *story)
{
    assert_int_equal(truncate(scratch_path(story->scratch, "x.log"), 0), 0);
}

static void delete_and_create(struct story *story)
{
    assert_int_equal(unlink(scratch_path(story->scratch, "x.log")), 0);
    scratch_write(story->scratch, "x.log", "again\n");
}

static void it_begins_before_the_end_and_goes_on(void **state)
{
    scratch_write(*state, "x.log", "0123456789");
    static const char *const expected[] = {"6789", "more\n", "more\n", NULL};
    static void (*const steps[])(struct story *) = {NULL, write_more, write_more};
    struct story story = {.scratch = *state, .expected = expected, .steps = steps};
    run_story(&story, 4);
    assert_int_equal(story.done, 3);
}

static void a_short_file_is_sent_whole(void **state)
{
    scratch_write(*state, "x.log", "0123456789");
    static const char *const expected[] = {"0123456789", NULL};
    static void (*const steps[])(struct story *) = {NULL};
    struct story story = {.scratch = *state, .expected = expected, .steps = steps};
    run_story(&story, 1024);
}

static void rotation_loses_no_byte(void **state)
{
    scratch_write(*state, "x.log", "start\n");
    static const char *const expected[] = {"start\n", "last of the old\nfirst of the new\n",
                                           "more\n", NULL};
    static void (*const steps[])(struct story *) = {NULL, rotate, write_more};
    struct story story = {.scratch = *state, .expected = expected, .steps = steps};
    run_story(&story, 1024);
    assert_int_equal(story.done, 3);
}

static void truncation_is_said_and_followed(void **state)
{
    scratch_write(*state, "x.log", "start\n");
    static const char *const expected[] = {"start\n", "==> File truncated <==\n", "more\n", NULL};
    static void (*const steps[])(struct story *) = {NULL, empty, write_more};
    struct story story = {.scratch = *state, .expected = expected, .steps = steps};
    run_story(&story, 1024);
    assert_int_equal(story.done, 3);
}

static void a_cleared_log_is_followed(void **state)
{
    scratch_write(*state, "x.log", "start\n");
    static const char *const expected[] = {"start\n", "again\n", "more\n", NULL};
    static void (*const steps[])(struct story *) = {NULL, delete_and_create, write_more};
    struct story story = {.scratch = *state, .expected = expected, .steps = steps};
    run_story(&story, 1024);
    assert_int_equal(story.done, 3);
}

static void it_may_be_freed_in_its_own_callback(void **state)
{
    scratch_write(*state, "x.log", "start\n");
    struct story story = {.scratch = *state, .is_freeing = true};
    run_story(&story, 1024);
}

static size_t large_count;

static void count_bytes(void *user, const char *data, size_t length)
{
    (void)data;
    large_count += length;
    if (large_count == 1 << 20)
        sv_loop_quit(user, 0);
}

static void a_large_head_is_sent_in_turns(void **state)
{
    const char *path = scratch_path(*state, "x.log");
    scratch_write(*state, "x.log", "");
    assert_int_equal(truncate(path, 1 << 20), 0);
    struct sv_loop *loop;
    struct sv_follow *follow;
    assert_int_equal(sv_loop_new(&loop), 0);
    assert_int_equal(sv_follow_new(loop, path, UINT64_MAX, count_bytes, loop, &follow), 0);
    assert_int_equal(sv_loop_run(loop), 0);
    assert_int_equal(large_count, 1 << 20);
    sv_follow_free(follow);
    sv_loop_free(loop);
}

static void what_is_no_file_cannot_be_followed(void **state)
{
    struct scratch *scratch = *state;
    struct sv_loop *loop;
    struct sv_follow *follow;
    assert_int_equal(sv_loop_new(&loop), 0);
    assert_int_equal(
        sv_follow_new(loop, scratch_path(scratch, "none"), 0, count_bytes, loop, &follow), -ENOENT);
    assert_int_equal(sv_follow_new(loop, "/dev/null", 0, count_bytes, loop, &follow), -EINVAL);
    sv_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(it_begins_before_the_end_and_goes_on),
        test(a_short_file_is_sent_whole),
        test(rotation_loses_no_byte),
        test(truncation_is_said_and_followed),
        test(a_cleared_log_is_followed),
        test(it_may_be_freed_in_its_own_callback),
        test(a_large_head_is_sent_in_turns),
        test(what_is_no_file_cannot_be_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
