/*
 * execve() says ENOENT for a script whose interpreter is missing and for a program whose loader is,
 * and ENOEXEC for everything that is no program at all. The beginning of the file knows better.
 *
 * What is read is bounded: one page, of which the kernel itself looks at 256 bytes for "#!".
 */
#include "io/why_exec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"

enum { PAGE_BYTES = 4096, SHEBANG_BYTES = 256, CORE_PATTERN_BYTES = 130 };

struct head {
    char bytes[PAGE_BYTES + 1];
    size_t length;
};

static bool read_head(const char *path, struct head *ret_head)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, ret_head->bytes, PAGE_BYTES);
    close(fd);
    if (length < 0)
        return false;
    ret_head->length = (size_t)length;
    ret_head->bytes[length] = '\0';
    return true;
}

/* The word behind "#!", as the kernel reads it: fs/binfmt_script.c. */
static bool find_script_interpreter(const struct head *head, struct sv_str *ret_name)
{
    if (head->length < 2 || memcmp(head->bytes, "#!", 2) != 0)
        return false;
    const char *word = head->bytes + 2;
    word += strspn(word, " \t");
    size_t length = strcspn(word, " \t\n");
    sv_str_append(ret_name, word, length < SHEBANG_BYTES ? length : SHEBANG_BYTES);
    return length > 0;
}

/* PT_INTERP of a 64-bit program, if it stands in the first page; it nearly always does. */
static bool find_loader(const struct head *head, struct sv_str *ret_name)
{
    Elf64_Ehdr file;
    if (head->length < sizeof(file))
        return false;
    memcpy(&file, head->bytes, sizeof(file));
    if (memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 || file.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (size_t i = 0; i < file.e_phnum; i++) {
        Elf64_Phdr part;
        if (file.e_phoff > PAGE_BYTES || i > PAGE_BYTES / sizeof(part) ||
            file.e_phoff + (i + 1) * sizeof(part) > head->length)
            return false;
        memcpy(&part, head->bytes + file.e_phoff + i * sizeof(part), sizeof(part));
        if (part.p_type != PT_INTERP)
            continue;
        if (part.p_offset >= head->length || part.p_filesz > head->length - part.p_offset)
            return false;
        sv_str_append(ret_name, head->bytes + part.p_offset,
                      strnlen(head->bytes + part.p_offset, part.p_filesz));
        return true;
    }
    return false;
}

static void add_missing(const char *path, const struct head *head, struct sv_str *out)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    bool is_script = find_script_interpreter(head, &name);
    if (!is_script && !find_loader(head, &name))
        return;
    if (sv_str_ok(&name) && access(sv_str_text(&name), F_OK) < 0 && errno == ENOENT)
        sv_str_addf(out, "%s names the %s %s, which does not exist", path,
                    is_script ? "interpreter" : "loader", sv_str_text(&name));
}

static void add_interpreter_forbidden(const char *path, const struct head *head, struct sv_str *out)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    if (find_script_interpreter(head, &name) && sv_str_ok(&name) &&
        access(sv_str_text(&name), X_OK) < 0)
        sv_str_addf(out, "%s names the interpreter %s, which may not be executed", path,
                    sv_str_text(&name));
}

static void add_no_program(const char *path, const struct head *head, struct sv_str *out)
{
    if (head->length == 0)
        sv_str_addf(out, "%s is empty", path);
    else if (memcmp(head->bytes, ELFMAG, SELFMAG) == 0)
        sv_str_addf(out, "%s is a program for another kind of machine, or damaged", path);
    else
        sv_str_addf(out, "%s is no program and does not begin with a line such as #!/bin/sh", path);
}

void sv_why_exec(const char *path, int error, struct sv_str *ret_text)
{
    struct head head;
    if (error == ETXTBSY) {
        sv_str_addf(ret_text, "somebody has %s open for writing", path);
        return;
    }
    if (!read_head(path, &head))
        return;
    if (error == ENOENT)
        add_missing(path, &head, ret_text);
    else if (error == EACCES)
        add_interpreter_forbidden(path, &head, ret_text);
    else if (error == ENOEXEC)
        add_no_program(path, &head, ret_text);
}

void sv_why_core(const char *directory, struct sv_str *ret_text)
{
    char pattern[CORE_PATTERN_BYTES];
    int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, pattern, sizeof(pattern) - 1);
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return;
    pattern[length] = '\0';
    pattern[strcspn(pattern, "\n")] = '\0';
    if (pattern[0] == '|')
        sv_str_addf(ret_text, "The core was given to %.*s", (int)strcspn(pattern + 1, " "),
                    pattern + 1);
    else if (pattern[0] == '/')
        sv_str_addf(ret_text, "The core was written by the pattern %s", pattern);
    else
        sv_str_addf(ret_text, "The core was written by the pattern %s in the directory %s", pattern,
                    directory ? directory : "of svisord");
}
