/* How the daemon holds its memory: little, and what is no longer needed goes back. See memory.c. */
#ifndef SV_IO_MEMORY_H
#define SV_IO_MEMORY_H

/* First of all: before the first large allocation. */
void sv_memory_begin(void);
/* When the start is over. Gives back what only the start needed; all of it can still be used. */
void sv_memory_settle(void);

#endif
