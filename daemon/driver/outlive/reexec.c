/*
 * svisord executes itself: `svctl daemon-reexec`, for an upgrade that no program notices.
 *
 *     asked -> "FILE --version" -> "FILE --check …" -> answered -> silent -> leave (leave.c) ->
 * exec
 *
 * FILE is the path that this svisord was started by, and what stands there may be another version
 * by now. It is tried beside the loop first, with the same arguments, in the same directory: a file
 * that cannot run, that is no svisord, or that refuses the configuration or our journal is refused
 * here, in its own words, and nothing has changed.
 *
 * Once it is certain, the client is answered, listeners take no connection any more (clients wait
 * in the queues of the sockets, which go through the exec), and what asks for something on an old
 * connection is not answered: whoever gets an answer after that of the reexec has it from the new
 * image. Then svisord leaves as for on_stop=keep, and main.c executes FILE: the same process, so
 * that its number, its parent and its place in systemd stay true, and its programs stay its
 * children. Should the exec fail all the same, main.c begins another life with the old image, which
 * takes the programs back as the new one would have.
 */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "io/trial.h"

enum { VERSION_BYTES_MAX = 64, ANSWER_POLL_NS = 5000000, NS_PER_MS = 1000000 };

struct sv_reexec {
    struct sv_driver *driver;
    struct sv_trial *trial;
    struct sv_str version;   /* of the file, as it says itself */
    struct sv_source *timer; /* looks if the last answers are sent */
    uint64_t deadline_ns;    /* then it is left without them */
    bool is_going;
};

static const char *file_of(const struct sv_reexec *reexec)
{
    return reexec->driver->options.self->path;
}

/* --- the trial --- */

static void give_up(struct sv_reexec *reexec, const char *problem)
{
    sv_log_error("svisord is not executed anew: %s", problem);
    sv_api_reexec_tried(reexec->driver->api, NULL, problem);
}

/* What the file said, behind what is wrong: all in one text. */
static void refuse(struct sv_reexec *reexec, const char *what, const char *output)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    size_t length = strlen(output);
    while (length > 0 && output[length - 1] == '\n')
        length--;
    sv_str_addf(&text, "%s %s%s%.*s", file_of(reexec), what, length > 0 ? "; it says:\n" : "",
                (int)length, output);
    give_up(reexec, sv_str_text(&text));
}

static void look_at_answers(void *user)
{
    struct sv_reexec *reexec = user;
    struct sv_driver *driver = reexec->driver;
    uint64_t now_ns = sv_now_ns();
    if (sv_http_is_answering(driver->http) && now_ns < reexec->deadline_ns)
        sv_source_arm(reexec->timer, now_ns + ANSWER_POLL_NS);
    else
        sv_leave(driver, SV_DRIVER_REEXEC);
}

static void on_checked(void *user, const char *problem, const char *output)
{
    struct sv_reexec *reexec = user;
    struct sv_driver *driver = reexec->driver;
    if (problem) {
        struct sv_str what SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&what, "(version %s) would not start (--check: %s)",
                    sv_str_text(&reexec->version), problem);
        refuse(reexec, sv_str_text(&what), output);
    } else if (sv_core_state(driver->core) != SV_SUPERVISOR_RUNNING) {
        give_up(reexec, "svisord has begun to stop meanwhile");
    } else {
        sv_log_warn("executing %s anew: version %s, from %s", file_of(reexec),
                    sv_str_text(&reexec->version), SV_VERSION);
        reexec->is_going = true;
        reexec->deadline_ns = sv_now_ns() + (uint64_t)SV_REEXEC_ANSWER_MS * NS_PER_MS;
        sv_http_quiesce(driver->http);
        sv_api_reexec_tried(driver->api, sv_str_text(&reexec->version), NULL);
        sv_source_arm(reexec->timer, sv_now_ns());
    }
}

/* The arguments of this life, with --check before them. */
static int begin_check(struct sv_reexec *reexec)
{
    const struct sv_driver_options *options = &reexec->driver->options;
    size_t count = 0;
    while (options->self->arguments[count])
        count++;
    char check[] = "--check";
    char **arguments = calloc(count + 2, sizeof(*arguments));
    if (!arguments)
        return -ENOMEM;
    arguments[0] = options->self->arguments[0];
    arguments[1] = check;
    for (size_t i = 1; i < count; i++)
        arguments[i + 1] = options->self->arguments[i];
    struct sv_trial_command command = {.path = file_of(reexec),
                                       .arguments = arguments,
                                       .directory = options->host->directory,
                                       .is_stderr_only = true}; /* the rest is the configuration */
    sv_trial_free(sv_steal(&reexec->trial));
    int r = sv_trial_new(reexec->driver->loop, &command, on_checked, reexec, &reexec->trial);
    free(arguments);
    return r;
}

static void on_version(void *user, const char *problem, const char *output)
{
    struct sv_reexec *reexec = user;
    size_t length = strcspn(output, "\n");
    if (problem) {
        struct sv_str what SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&what, "cannot run (--version: %s)", problem);
        refuse(reexec, sv_str_text(&what), output);
        return;
    }
    if (length == 0 || length > VERSION_BYTES_MAX || output[length] != '\n' || output[length + 1]) {
        refuse(reexec, "does not answer --version as a svisord does", output);
        return;
    }
    sv_str_clear(&reexec->version);
    sv_str_append(&reexec->version, output, length);
    int r = begin_check(reexec);
    if (r < 0)
        give_up(reexec, sv_errno_text(r));
}

/* --- from outside --- */

static int begin_version(struct sv_reexec *reexec)
{
    const struct sv_driver_options *options = &reexec->driver->options;
    char version[] = "--version";
    char *arguments[] = {options->self->arguments[0], version, NULL};
    struct sv_trial_command command = {
        .path = file_of(reexec), .arguments = arguments, .directory = options->host->directory};
    sv_trial_free(sv_steal(&reexec->trial)); /* that of an earlier attempt */
    return sv_trial_new(reexec->driver->loop, &command, on_version, reexec, &reexec->trial);
}

bool sv_reexec_begin(struct sv_driver *driver, struct sv_str *ret_problem)
{
    struct sv_reexec *reexec = driver->reexec;
    if (!driver->options.self) {
        sv_str_add(ret_problem, "svisord does not know by which file it was started");
        return false;
    }
    if (!driver->journal) {
        sv_str_add(ret_problem, "the next image would not know the programs; the log says why, "
                                "where this one begins");
        return false;
    }
    int r = begin_version(reexec);
    if (r < 0)
        sv_str_addf(ret_problem, "%s cannot be executed: %s (%s)", file_of(reexec),
                    sv_errno_text(r), sv_errno_name(r));
    return r == 0;
}

bool sv_reexec_is_going(const struct sv_driver *driver)
{
    return driver->reexec->is_going;
}

int sv_reexec_new(struct sv_driver *driver)
{
    driver->reexec = calloc(1, sizeof(*driver->reexec));
    if (!driver->reexec)
        return -ENOMEM;
    driver->reexec->driver = driver;
    return sv_loop_add_timer(driver->loop, NS_PER_MS, look_at_answers, driver->reexec,
                             &driver->reexec->timer);
}

void sv_reexec_free(struct sv_reexec *reexec)
{
    if (!reexec)
        return;
    sv_trial_free(reexec->trial);
    sv_source_free(reexec->timer);
    sv_str_done(&reexec->version);
    free(reexec);
}
