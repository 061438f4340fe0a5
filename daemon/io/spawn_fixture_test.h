/* One child of a test: what it is to be, and what became of it. */
#ifndef SV_IO_SPAWN_FIXTURE_TEST_H
#define SV_IO_SPAWN_FIXTURE_TEST_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "io/spawn.h"

extern char **environ;

/* One child with all three descriptors on pipes or /dev/null. */
struct trial {
    struct sv_spawn_plan plan;
    int out_fd; /* our end of its standard output and error */
    int null_fd;
    int write_fd;
    struct sv_spawned spawned;
    struct sv_spawn_failure failure;
};

static inline void trial_init(struct trial *trial, char *const *argv)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    *trial = (struct trial){
        .out_fd = fds[0], .write_fd = fds[1], .null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)};
    trial->plan = (struct sv_spawn_plan){
        .path = argv[0],
        .argv = argv,
        .envp = environ,
        .stdin_fd = trial->null_fd,
        .stdout_fd = trial->write_fd,
        .stderr_fd = trial->write_fd,
        .cgroup_fd = -1,
    };
}

static inline int trial_run(struct trial *trial)
{
    int r = sv_spawn(&trial->plan, &trial->spawned, &trial->failure);
    close(trial->write_fd);
    close(trial->null_fd);
    return r;
}

/* Everything that it wrote, until the last holder of the pipe is gone. */
static inline void read_all(int fd, struct sv_str *ret_text)
{
    char part[4096];
    ssize_t length;
    while ((length = read(fd, part, sizeof(part))) > 0)
        sv_str_append(ret_text, part, (size_t)length);
    close(fd);
}

static inline int wait_status(const struct sv_spawned *spawned)
{
    int status = -1;
    assert_int_equal(waitpid(spawned->pid, &status, 0), spawned->pid);
    if (spawned->pidfd >= 0)
        close(spawned->pidfd);
    return status;
}

/* Runs it and expects exactly `output` and exit status 0. */
static inline void expect_output(struct trial *trial, const char *output)
{
    assert_int_equal(trial_run(trial), 0);
    struct sv_str text = {0};
    read_all(trial->out_fd, &text);
    assert_int_equal(wait_status(&trial->spawned), 0);
    assert_string_equal(sv_str_text(&text), output);
    sv_str_done(&text);
}

#endif
