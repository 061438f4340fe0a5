/*
 * Basic authentication, with gnutls' digests.
 *
 * Digests are compared, never the texts, so that the time taken tells nothing about them, not even
 * their length; and both the name and the password are always compared. A password in the
 * configuration is plain or, as Supervisor has it, "{SHA}" and the SHA-1 of the password in
 * hexadecimal.
 *
 * The header is read here, not by libmicrohttpd: RFC 7617 and Supervisor take "basic" for "Basic",
 * libmicrohttpd before 0.9.76 does not.
 */
#include "io/http_auth.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "wire/base64.h"

static const char scheme[] = "Basic ";
static const char sha_prefix[] = "{SHA}";

enum {
    SHA_PREFIX_LENGTH = sizeof(sha_prefix) - 1,
    SHA1_BYTES = 20,
};

static bool digest(gnutls_digest_algorithm_t algorithm, const char *text,
                   unsigned char result[SV_HTTP_DIGEST_BYTES])
{
    memset(result, 0, SV_HTTP_DIGEST_BYTES);
    return gnutls_hash_fast(algorithm, text, strlen(text), result) == 0;
}

static bool read_sha1(const char *hex, unsigned char result[SV_HTTP_DIGEST_BYTES])
{
    memset(result, 0, SV_HTTP_DIGEST_BYTES);
    size_t size = SHA1_BYTES;
    gnutls_datum_t text = {.data = (unsigned char *)hex, .size = (unsigned)strlen(hex)};
    return text.size == SHA1_BYTES * 2 && gnutls_hex_decode(&text, result, &size) == 0 &&
           size == SHA1_BYTES;
}

int sv_http_auth_read(struct sv_http_auth *auth, const struct sv_http_config *config)
{
    *auth = (struct sv_http_auth){0};
    if (!config->username)
        return 0;
    const char *password = config->password ? config->password : "";
    auth->is_needed = true;
    auth->is_hashed = strncmp(password, sha_prefix, SHA_PREFIX_LENGTH) == 0;
    bool is_read = auth->is_hashed ? read_sha1(password + SHA_PREFIX_LENGTH, auth->password)
                                   : digest(GNUTLS_DIG_SHA256, password, auth->password);
    if (!is_read || !digest(GNUTLS_DIG_SHA256, config->username, auth->username))
        return -EINVAL;
    return 0;
}

static bool is_known(const struct sv_http_auth *auth, const char *username, const char *password)
{
    unsigned char name_digest[SV_HTTP_DIGEST_BYTES];
    unsigned char password_digest[SV_HTTP_DIGEST_BYTES];
    gnutls_digest_algorithm_t algorithm = auth->is_hashed ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256;
    if (!digest(GNUTLS_DIG_SHA256, username, name_digest) ||
        !digest(algorithm, password, password_digest))
        return false;
    int wrong_name = gnutls_memcmp(name_digest, auth->username, SV_HTTP_DIGEST_BYTES);
    int wrong_password = gnutls_memcmp(password_digest, auth->password, SV_HTTP_DIGEST_BYTES);
    return (wrong_name | wrong_password) == 0;
}

bool sv_http_auth_allows(const struct sv_http_auth *auth, const char *header)
{
    if (!auth->is_needed)
        return true;
    if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *encoded = header + sizeof(scheme) - 1;
    struct sv_str pair SV_CLEANUP(sv_str_done) = {0};
    if (!sv_base64_decode(encoded, strlen(encoded), &pair) || !sv_str_ok(&pair) ||
        strlen(sv_str_text(&pair)) != pair.length)
        return false;
    char *colon = strchr(sv_str_text(&pair), ':');
    if (!colon)
        return false;
    *colon = '\0';
    return is_known(auth, sv_str_text(&pair), colon + 1);
}
