/* What the host uses: processors, memory, network interfaces, disks. See host_reader.c. */
#ifndef SV_IO_HOST_READER_H
#define SV_IO_HOST_READER_H

#include "base/arena.h"
#include "port/statistics.h"

struct sv_host_reader;

/* NULL without memory. */
struct sv_host_reader *sv_host_reader_new(void);
void sv_host_reader_free(struct sv_host_reader *reader); /* NULL is allowed */
/* Reads everything; what cannot be read is left out. Borrowed until the next call. 0 or -ENOMEM. */
int sv_host_reader_read(struct sv_host_reader *reader, struct sv_host_sample *ret_sample);

/* The parts, text in and rows out, in the arena: 0 or -ENOMEM. Lines that are not understood are
 * left out. */
int sv_host_parse_stat(const char *text, struct sv_arena *arena, struct sv_host_sample *ret);
int sv_host_parse_memory(const char *text, struct sv_host_sample *ret);
int sv_host_parse_network(const char *text, struct sv_arena *arena, struct sv_host_sample *ret);
int sv_host_parse_disks(const char *text, struct sv_arena *arena, struct sv_host_sample *ret);

#endif
