/*
 * A program that keeps its own account of what it did, beside what its supervisor saw of it.
 *
 *     witness DIRECTORY NAME LIFE_MS
 *
 * Writes the lines "NAME RUN 0", "NAME RUN 1" … to standard output, one a millisecond or so; RUN
 * is a random number, because those of processes are given out again. LIFE_MS 0: until SIGTERM.
 * Otherwise for a random time of up to LIFE_MS, and then it ends with a random exit code. Before
 * its first line it appends "start RUN PID" to DIRECTORY/NAME, before its end "end RUN LINES CODE":
 * an append of one write(2), which no death of anybody else can undo.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;

static void on_term(int number)
{
    (void)number;
    is_over = 1;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whole or not at all: a pipe takes up to PIPE_BUF bytes in one piece. 0: it was full, and SIGTERM
 * has come. */
static int put(int fd, const char *text)
{
    size_t length = strlen(text);
    ssize_t n;
    do
        n = write(fd, text, length);
    while (n < 0 && !is_over);
    if (n >= 0 && (size_t)n != length)
        abort();
    return n >= 0;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    char text[512];
    snprintf(text, sizeof(text), "%s/%s", argv[1], argv[2]);
    int account = open(text, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    unsigned long run = 0;
    if (getrandom(&run, sizeof(run), 0) != sizeof(run))
        return 2;
    snprintf(text, sizeof(text), "start %016lx %d\n", run, (int)getpid());
    put(account, text);
    srandom((unsigned)run);
    int life_ms = (int)strtol(argv[3], NULL, 10);
    long end_ms = life_ms > 0 ? now_ms() + 20 + random() % life_ms : -1;
    long line = 0;
    while (!is_over && (end_ms < 0 || now_ms() < end_ms)) {
        snprintf(text, sizeof(text), "%s %016lx %ld\n", argv[2], run, line);
        line += put(STDOUT_FILENO, text);
        struct timespec pause = {.tv_nsec = life_ms > 0 ? 1000000 : 3000000};
        nanosleep(&pause, NULL);
    }
    int code = end_ms < 0 || is_over ? 0 : (int)(random() % 200) + 1;
    is_over = 0;
    snprintf(text, sizeof(text), "end %016lx %ld %d\n", run, line, code);
    put(account, text);
    return code;
}
