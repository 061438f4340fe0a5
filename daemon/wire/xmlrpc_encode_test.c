/* The literals were written by Python's xmlrpc.client and by Supervisor's xmlrpc_marshal(). */
#include "wire/xmlrpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include <cmocka.h>

static const char python_call[] =
    "<?xml version='1.0'?>\n<methodCall>\n<methodName>supervisor.test</methodName>\n<params>\n"
    "<param>\n<value><int>1</int></value>\n</param>\n"
    "<param>\n<value><boolean>1</boolean></value>\n</param>\n"
    "<param>\n<value><string>a&lt;b&gt;&amp;c\xc3\xa9</string></value>\n</param>\n"
    "<param>\n<value><double>1.5</double></value>\n</param>\n"
    "<param>\n<value><array><data>\n<value><int>1</int></value>\n<value><array><data>\n"
    "<value><int>2</int></value>\n</data></array></value>\n</data></array></value>\n</param>\n"
    "<param>\n<value><struct>\n<member>\n<name>k</name>\n<value><string>v</string></value>\n"
    "</member>\n</struct></value>\n</param>\n"
    "</params>\n</methodCall>\n";

static const char python_response[] =
    "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n"
    "<value><struct>\n<member>\n<name>name</name>\n<value><string>cat</string></value>\n</member>\n"
    "<member>\n<name>pid</name>\n<value><int>12</int></value>\n</member>\n"
    "<member>\n<name>state</name>\n<value><int>20</int></value>\n</member>\n</struct></value>\n"
    "<value><int>-5</int></value>\n<value><boolean>0</boolean></value>\n"
    "<value><string></string></value>\n</data></array></value>\n</param>\n</params>\n"
    "</methodResponse>\n";

static const char python_fault[] =
    "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n"
    "<name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n"
    "<name>faultString</name>\n<value><string>BAD_NAME: &lt;x&gt;</string></value>\n</member>\n"
    "</struct></value>\n</fault>\n</methodResponse>\n";

static void a_call_is_written_as_python_writes_it(void **state)
{
    (void)state;
    json_t *params =
        json_pack("[i,b,s,f,[i,[i]],{s:s}]", 1, 1, "a<b>&c\xc3\xa9", 1.5, 1, 2, "k", "v");
    struct sv_str body = {0};
    sv_xmlrpc_encode_call("supervisor.test", params, &body);
    assert_string_equal(sv_str_text(&body), python_call);
    sv_str_done(&body);
    json_decref(params);
}

static void a_response_is_written_and_read_as_supervisor_does(void **state)
{
    (void)state;
    json_t *result =
        json_pack("[{s:s,s:i,s:i},i,b,s]", "name", "cat", "pid", 12, "state", 20, -5, 0, "");
    struct sv_str body = {0};
    sv_xmlrpc_encode_response(result, &body);
    assert_string_equal(sv_str_text(&body), python_response);

    json_t *again = NULL;
    struct sv_xmlrpc_fault fault;
    assert_int_equal(sv_xmlrpc_decode_response(body.data, body.length, &again, &fault, NULL), 0);
    assert_int_equal(fault.code, 0);
    assert_true(json_equal(again, result));
    json_decref(again);
    json_decref(result);
    sv_str_done(&body);
}

static void a_fault_is_written_and_read_as_supervisor_does(void **state)
{
    (void)state;
    struct sv_str body = {0};
    sv_xmlrpc_encode_fault(10, "BAD_NAME: <x>", &body);
    assert_string_equal(sv_str_text(&body), python_fault);

    json_t *result = NULL;
    struct sv_xmlrpc_fault fault;
    assert_int_equal(sv_xmlrpc_decode_response(body.data, body.length, &result, &fault, NULL), 0);
    assert_null(result);
    assert_int_equal(fault.code, 10);
    assert_string_equal(fault.text, "BAD_NAME: <x>");
    sv_str_done(&body);
}

static void doubles_are_written_as_python_writes_them(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {1e16, ">1e+16<"}, {1.0, ">1.0<"},
        {0.1, ">0.1<"},    {1.0 / 3, ">0.3333333333333333<"},
        {1e-7, ">1e-07<"}, {123456789.125, ">123456789.125<"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        json_t *real = json_real(rows[i].value);
        struct sv_str body = {0};
        sv_xmlrpc_encode_response(real, &body);
        assert_non_null(strstr(sv_str_text(&body), rows[i].text));
        sv_str_done(&body);
        json_decref(real);
    }
}

static void integers_beyond_32_bits_are_i8(void **state)
{
    (void)state;
    json_t *list = json_pack("[I,I,I,I]", (json_int_t)INT32_MAX, (json_int_t)INT32_MAX + 1,
                             (json_int_t)INT64_MIN, (json_int_t)0);
    struct sv_str body = {0};
    sv_xmlrpc_encode_response(list, &body);
    assert_non_null(strstr(body.data, "<int>2147483647</int>"));
    assert_non_null(strstr(body.data, "<i8>2147483648</i8>"));
    assert_non_null(strstr(body.data, "<i8>-9223372036854775808</i8>"));
    assert_non_null(strstr(body.data, "<int>0</int>"));
    sv_str_done(&body);
    json_decref(list);
}

static void what_xml_cannot_carry_is_replaced(void **state)
{
    (void)state;
    static const char bytes[] = "ok\x01\x1b[0m \xff\xc3\xa9\xed\xa0\x80 a\0b \xef\xbf\xbf end";
    json_t *clean = sv_wire_string(bytes, sizeof(bytes) - 1);
    assert_string_equal(json_string_value(clean),
                        "ok\xef\xbf\xbd\xef\xbf\xbd[0m \xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
                        "\xef\xbf\xbd a\xef\xbf\xbd"
                        "b \xef\xbf\xbd end");
    json_decref(clean);

    json_t *raw = json_stringn_nocheck(bytes, sizeof(bytes) - 1);
    struct sv_str body = {0};
    sv_xmlrpc_encode_response(raw, &body);
    json_t *again = NULL;
    struct sv_xmlrpc_fault fault;
    assert_int_equal(sv_xmlrpc_decode_response(body.data, body.length, &again, &fault, NULL), 0);
    json_t *expected = sv_wire_string(bytes, sizeof(bytes) - 1);
    assert_true(json_equal(again, expected));
    json_decref(expected);
    json_decref(again);
    json_decref(raw);
    sv_str_done(&body);
}

static void line_ends_and_markup_survive_a_round_trip(void **state)
{
    (void)state;
    json_t *text = json_string("a\r\nb\tc\rd <x> ]]> &amp; \"q\" '\xf0\x9f\x98\x80'");
    struct sv_str body = {0};
    sv_xmlrpc_encode_response(text, &body);
    json_t *again = NULL;
    struct sv_xmlrpc_fault fault;
    assert_int_equal(sv_xmlrpc_decode_response(body.data, body.length, &again, &fault, NULL), 0);
    assert_string_equal(json_string_value(again), json_string_value(text));
    json_decref(again);
    json_decref(text);
    sv_str_done(&body);
}

static void a_long_log_is_a_legal_answer(void **state)
{
    (void)state;
    const size_t length = 20u << 20; /* above libxml2's own limit for a text, 10 MB */
    char *log = malloc(length);
    assert_non_null(log);
    memset(log, 'x', length);
    json_t *text = json_stringn_nocheck(log, length);
    struct sv_str body = {0};
    sv_xmlrpc_encode_response(text, &body);
    json_t *again = NULL;
    struct sv_xmlrpc_fault fault;
    assert_int_equal(sv_xmlrpc_decode_response(body.data, body.length, &again, &fault, NULL), 0);
    assert_int_equal(json_string_length(again), length);
    json_decref(again);
    json_decref(text);
    sv_str_done(&body);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_written_as_python_writes_it),
        cmocka_unit_test(a_response_is_written_and_read_as_supervisor_does),
        cmocka_unit_test(a_fault_is_written_and_read_as_supervisor_does),
        cmocka_unit_test(doubles_are_written_as_python_writes_them),
        cmocka_unit_test(integers_beyond_32_bits_are_i8),
        cmocka_unit_test(what_xml_cannot_carry_is_replaced),
        cmocka_unit_test(line_ends_and_markup_survive_a_round_trip),
        cmocka_unit_test(a_long_log_is_a_legal_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
