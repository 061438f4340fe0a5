/* Basic authentication: does what the client sent match the section's username and password? */
#ifndef SV_IO_HTTP_AUTH_H
#define SV_IO_HTTP_AUTH_H

#include <stdbool.h>

#include "config/config.h"

enum { SV_HTTP_DIGEST_BYTES = 32 };

/* Digests of what is expected. The zero value needs no authentication. */
struct sv_http_auth {
    bool is_needed;
    bool is_hashed; /* the password was given as {SHA} */
    unsigned char username[SV_HTTP_DIGEST_BYTES];
    unsigned char password[SV_HTTP_DIGEST_BYTES];
};

/* 0 or -EINVAL, when {SHA} is not followed by 40 hexadecimal digits. */
int sv_http_auth_read(struct sv_http_auth *auth, const struct sv_http_config *config);
/* `header` is the value of Authorization; NULL: there was none. */
bool sv_http_auth_allows(const struct sv_http_auth *auth, const char *header);

#endif
