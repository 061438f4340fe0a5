/*
 * Any bytes as a call and as a response. What is accepted must come back the same after it was
 * written and read again: the encoder makes only documents that the decoder takes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/xmlrpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static void try_call(const char *body, size_t length)
{
    char *method = NULL;
    json_t *params = NULL;
    struct sv_str error = {0};
    int r = sv_xmlrpc_decode_call(body, length, &method, &params, &error);
    check((r == 0) == (error.length == 0));
    if (r == 0) {
        struct sv_str written = {0};
        char *method_again = NULL;
        json_t *params_again = NULL;
        sv_xmlrpc_encode_call(method, params, &written);
        check(sv_str_ok(&written));
        check(sv_xmlrpc_decode_call(written.data, written.length, &method_again, &params_again,
                                    NULL) == 0);
        check(strcmp(method, method_again) == 0);
        check(json_equal(params, params_again));
        free(method_again);
        json_decref(params_again);
        sv_str_done(&written);
    }
    free(method);
    json_decref(params);
    sv_str_done(&error);
}

static void try_response(const char *body, size_t length)
{
    json_t *result = NULL;
    struct sv_xmlrpc_fault fault = {0};
    int r = sv_xmlrpc_decode_response(body, length, &result, &fault, NULL);
    check(r != 0 || (result != NULL) != (fault.code != 0));
    if (r == 0 && fault.code) {
        struct sv_str written = {0};
        struct sv_xmlrpc_fault again = {0};
        sv_xmlrpc_encode_fault(fault.code, fault.text, &written);
        check(sv_xmlrpc_decode_response(written.data, written.length, &result, &again, NULL) == 0);
        check(again.code == fault.code);
        sv_str_done(&written);
    }
    json_decref(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_call((const char *)data, size);
    try_response((const char *)data, size);
    json_decref(sv_wire_string((const char *)data, size));
    return 0;
}
