/* The forms of value that more than one place reads: names, signals, addresses, KEY=value pairs. */
#ifndef SV_CONFIG_DATATYPE_H
#define SV_CONFIG_DATATYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/pytext.h"

/* A name that neither the listener protocol nor URLs can misread: no blank, colon or slash. */
bool sv_value_is_name(const char *text);
/* "TERM", "SIGTERM", "15". */
bool sv_value_signal(const char *text, int *ret_signal);
/* "TERM", or NULL. */
const char *sv_value_signal_name(int number);
/* Bytes, or a number with KB, MB or GB, in either case. Every negative number is -1. */
enum sv_py_int_result sv_value_bytes(const char *text, size_t length, int64_t *ret_bytes);
/* "host:port", "port", "*:port", "[::1]:port". The host is in the arena, "" for every address. */
bool sv_value_address(const char *text, struct sv_arena *arena, const char **ret_host,
                      uint16_t *ret_port);

/* KEY=value,KEY2="v, 2": calls `found` for each pair. False: not pairs; see `problem`. */
bool sv_value_pairs(const char *text, struct sv_arena *scratch,
                    void (*found)(void *user, const char *key, const char *value), void *user,
                    struct sv_str *problem);

#endif
