/*
 * XML-RPC over HTTP with libcurl.
 *
 * curl's multi interface is used although there is only one transfer at a time: it waits on the
 * transfer and on Ctrl-C (a signalfd) together, so that no signal handler has to reach into curl.
 *
 * Traps of curl met here:
 * - it obeys http_proxy from the environment, which supervisorctl does not: switched off;
 * - a body over 1 MB makes it ask first with "Expect: 100-continue", which supervisord's old HTTP
 * server never answers: the header is taken out;
 * - only CURLINFO_OS_ERRNO tells a refused connection from a missing socket file.
 */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct sv_client {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    int interrupt_fd;
    char *url;
    char *username; /* NULL together with password */
    char *password;
    struct sv_str answer;
    bool is_too_large;
    struct sv_xmlrpc_fault fault;
    enum sv_failure failure;
    struct sv_str error;
    char curl_error[CURL_ERROR_SIZE];
};

static const char unix_scheme[] = "unix://";

static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
    struct sv_client *client = user;
    size_t length = size * count;

    if (length > SV_CTL_ANSWER_BYTES_MAX - client->answer.length) {
        client->is_too_large = true;
        return 0;
    }
    sv_str_append(&client->answer, data, length);
    return sv_str_ok(&client->answer) ? length : 0;
}

struct sv_client *sv_client_new(int interrupt_fd)
{
    struct sv_client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    client->interrupt_fd = interrupt_fd;
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    client->headers = curl_slist_append(NULL, "Content-Type: text/xml");
    if (client->headers && curl_slist_append(client->headers, "Accept: text/xml") &&
        curl_slist_append(client->headers, "Expect:") && client->multi && client->easy)
        return client;
    sv_client_free(client);
    return NULL;
}

struct sv_client *sv_client_new_beside(const struct sv_client *client, const char *url)
{
    struct sv_client *other = sv_client_new(client->interrupt_fd);

    if (other && sv_client_set_url(other, url) == 0 &&
        sv_client_set_user(other, client->username, client->password) == 0)
        return other;
    sv_client_free(other);
    return NULL;
}

void sv_client_free(struct sv_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    curl_slist_free_all(client->headers);
    sv_str_done(&client->answer);
    sv_str_done(&client->error);
    free(client->url);
    free(client->username);
    free(client->password);
    free(client);
}

static int replace(char **text, const char *value)
{
    char *copy = value ? strdup(value) : NULL;

    if (value && !copy)
        return -ENOMEM;
    free(*text);
    *text = copy;
    return 0;
}

int sv_client_set_url(struct sv_client *client, const char *url)
{
    return replace(&client->url, url);
}

int sv_client_set_user(struct sv_client *client, const char *username, const char *password)
{
    /* supervisorctl sends credentials only when it has both. */
    bool has_both = username && password;
    int r = replace(&client->username, has_both ? username : NULL);

    return r < 0 ? r : replace(&client->password, has_both ? password : NULL);
}

const char *sv_client_url(const struct sv_client *client)
{
    return client->url;
}

const struct sv_xmlrpc_fault *sv_client_fault(const struct sv_client *client)
{
    return &client->fault;
}

enum sv_failure sv_client_failure(const struct sv_client *client)
{
    return client->failure;
}

bool sv_client_is_away(const struct sv_client *client)
{
    return client->failure == SV_FAILURE_REFUSED || client->failure == SV_FAILURE_NO_FILE ||
           client->failure == SV_FAILURE_LOST;
}

const char *sv_client_error(const struct sv_client *client)
{
    return sv_str_text(&client->error);
}

int sv_client_interrupt_fd(const struct sv_client *client)
{
    return client->interrupt_fd;
}

/* Host and port of the server's URL with another path: supervisorctl ignores the path that is
 * there. */
static CURLcode aim_http(CURL *handle, const char *url, const char *path)
{
    CURLU *parts = curl_url();
    CURLcode r = CURLE_URL_MALFORMAT;

    if (!parts)
        return CURLE_OUT_OF_MEMORY;
    if (!curl_url_set(parts, CURLUPART_URL, url, 0) &&
        !curl_url_set(parts, CURLUPART_PATH, path, CURLU_URLENCODE) &&
        !curl_url_set(parts, CURLUPART_QUERY, NULL, 0) &&
        !curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0)) {
        char *whole = NULL;
        if (!curl_url_get(parts, CURLUPART_URL, &whole, 0)) {
            r = curl_easy_setopt(handle, CURLOPT_URL, whole);
            curl_free(whole);
        }
    }
    curl_url_cleanup(parts);
    return r;
}

CURLcode sv_client_aim(const struct sv_client *client, CURL *handle, const char *path)
{
    bool is_unix = strncmp(client->url, unix_scheme, sizeof(unix_scheme) - 1) == 0;
    const char *socket_path = is_unix ? client->url + sizeof(unix_scheme) - 1 : NULL;
    CURLcode r;

    if (!is_unix && strncmp(client->url, "http://", 7) != 0)
        return CURLE_UNSUPPORTED_PROTOCOL;
    r = aim_http(handle, is_unix ? "http://localhost" : client->url, path);
    if (r)
        return r;
    /* None of these fails with a good handle, memory aside; the transfer would say so. */
    (void)curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    (void)curl_easy_setopt(handle, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_USERAGENT, "svctl/" SV_VERSION);
    (void)curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    (void)curl_easy_setopt(handle, CURLOPT_USERNAME, client->username);
    return curl_easy_setopt(handle, CURLOPT_PASSWORD, client->password);
}

static enum sv_call fail(struct sv_client *client, enum sv_failure failure, const char *format, ...)
    SV_PRINTF(3, 4);

static enum sv_call fail(struct sv_client *client, enum sv_failure failure, const char *format, ...)
{
    va_list arguments;

    client->failure = failure;
    sv_str_clear(&client->error);
    va_start(arguments, format);
    sv_str_addv(&client->error, format, arguments);
    va_end(arguments);
    return SV_CALL_BROKEN;
}

static bool is_lost(CURLcode code)
{
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
           code == CURLE_PARTIAL_FILE;
}

static enum sv_call fail_transfer(struct sv_client *client, CURLcode code)
{
    long error = 0;

    if (client->is_too_large)
        return fail(client, SV_FAILURE_OTHER, "the answer of %s is over %u MB and was not read",
                    client->url, SV_CTL_ANSWER_BYTES_MAX >> 20);
    (void)curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_COULDNT_CONNECT && error == ECONNREFUSED)
        return fail(client, SV_FAILURE_REFUSED, "%s refused connection", client->url);
    if (code == CURLE_COULDNT_CONNECT && error == ENOENT)
        return fail(client, SV_FAILURE_NO_FILE, "%s no such file", client->url);
    if (code == CURLE_COULDNT_CONNECT && error)
        return fail(client, SV_FAILURE_OTHER, "%s: %s", client->url, sv_errno_text((int)error));
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
        return fail(client, SV_FAILURE_OTHER,
                    "Unknown protocol for serverurl %s: write http://host:port or unix:///path",
                    client->url);
    return fail(client, is_lost(code) ? SV_FAILURE_LOST : SV_FAILURE_OTHER, "%s: %s", client->url,
                client->curl_error[0] ? client->curl_error : curl_easy_strerror(code));
}

/* Runs the transfer that the handle describes. False: Ctrl-C, or curl itself failed. */
static bool wait_for_transfer(struct sv_client *client, CURLcode *ret_code)
{
    struct curl_waitfd interrupt = {.fd = client->interrupt_fd, .events = CURL_WAIT_POLLIN};
    int running = 1;

    while (!curl_multi_perform(client->multi, &running)) {
        int queued;
        CURLMsg *message = curl_multi_info_read(client->multi, &queued);

        if (message) {
            *ret_code = message->data.result;
            return true;
        }
        if (curl_multi_poll(client->multi, &interrupt, 1, 60 * 1000, NULL) || interrupt.revents)
            return false;
    }
    return false;
}

static enum sv_call transfer(struct sv_client *client, const struct sv_str *body)
{
    CURLcode code = sv_client_aim(client, client->easy, "/RPC2");
    bool is_done;

    client->curl_error[0] = '\0';
    client->is_too_large = false;
    sv_str_clear(&client->answer);
    if (code)
        return fail_transfer(client, code);
    (void)curl_easy_setopt(client->easy, CURLOPT_ERRORBUFFER, client->curl_error);
    (void)curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, client->headers);
    (void)curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, client);
    (void)curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->length);
    (void)curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, sv_str_text(body));

    if (curl_multi_add_handle(client->multi, client->easy))
        return fail(client, SV_FAILURE_OTHER, "out of memory");
    is_done = wait_for_transfer(client, &code);
    curl_multi_remove_handle(client->multi, client->easy);
    if (!is_done)
        return fail(client, SV_FAILURE_INTERRUPTED, "interrupted");
    return code ? fail_transfer(client, code) : SV_CALL_OK;
}

static enum sv_call decode(struct sv_client *client, json_t **ret_result)
{
    SV_CLEANUP(sv_str_done) struct sv_str problem = {0};
    json_t *result = NULL;
    long status = 0;
    int r;

    (void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 401)
        return fail(client, SV_FAILURE_UNAUTHORIZED, "Server requires authentication");
    if (status != 200)
        return fail(client, SV_FAILURE_OTHER,
                    "%s answered with HTTP status %ld: is it supervisord or svisord?", client->url,
                    status);
    r = sv_xmlrpc_decode_response(sv_str_text(&client->answer), client->answer.length, &result,
                                  &client->fault, &problem);
    if (r == -ENOMEM)
        return fail(client, SV_FAILURE_OTHER, "out of memory");
    if (r)
        return fail(client, SV_FAILURE_OTHER, "the answer of %s is not XML-RPC (%s)", client->url,
                    sv_str_text(&problem));
    if (client->fault.code) {
        fail(client, SV_FAILURE_FAULT, "fault %d, %s", client->fault.code, client->fault.text);
        return SV_CALL_FAULT;
    }
    if (ret_result)
        *ret_result = result;
    else
        json_decref(result);
    return SV_CALL_OK;
}

enum sv_call sv_client_call(struct sv_client *client, const char *method, json_t **ret_result,
                            const char *format, ...)
{
    SV_CLEANUP(sv_str_done) struct sv_str body = {0};
    json_error_t problem;
    va_list arguments;
    json_t *params;
    enum sv_call outcome;

    client->fault = (struct sv_xmlrpc_fault){0};
    client->failure = SV_FAILURE_NONE;
    va_start(arguments, format);
    params = json_vpack_ex(&problem, 0, format, arguments);
    va_end(arguments);
    if (!params)
        return fail(client, SV_FAILURE_OTHER, "%s: %s", method, problem.text);
    sv_xmlrpc_encode_call(method, params, &body);
    json_decref(params);
    if (!sv_str_ok(&body))
        return fail(client, SV_FAILURE_OTHER, "out of memory");
    outcome = transfer(client, &body);
    return outcome == SV_CALL_OK ? decode(client, ret_result) : outcome;
}
