/* The few macros that a function cannot replace. */
#ifndef SV_BASE_ATTR_H
#define SV_BASE_ATTR_H

#include <stddef.h>

#define SV_PRINTF(format_index, first_index)                                                       \
    __attribute__((format(printf, format_index, first_index)))
#define SV_CLEANUP(function)                   __attribute__((cleanup(function)))
#define SV_WARN_UNUSED                         __attribute__((warn_unused_result))
#define SV_ARRAY_LENGTH(array)                 (sizeof(array) / sizeof((array)[0]))
#define SV_CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Moves a pointer out of a variable that owns it: `return sv_steal(&text);`. */
#define sv_steal(pointer)                                                                          \
    __extension__({                                                                                \
        __typeof__(*(pointer)) stolen_ = *(pointer);                                               \
        *(pointer) = NULL;                                                                         \
        stolen_;                                                                                   \
    })

/* The same for a descriptor: the variable is -1 afterwards. */
static inline int sv_steal_fd(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

#endif
