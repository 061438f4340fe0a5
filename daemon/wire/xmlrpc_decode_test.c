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
    "<param>\n<value><base64>\naGkgdGhlcmU=\n</base64></value>\n</param>\n"
    "<param>\n<value><dateTime.iso8601>20261122T15:00:01</dateTime.iso8601></value>\n</param>\n"
    "<param>\n<value><nil/></value></param>\n</params>\n</methodCall>\n";

/* The one value of a call whose parameter is `value_xml`; NULL and the outcome if it is refused. */
static json_t *decode_value(const char *value_xml, int *ret_outcome)
{
    struct sv_str body = {0};
    struct sv_str error = {0};
    sv_str_addf(&body,
                "<methodCall><methodName>m</methodName><params><param>%s</param></params>"
                "</methodCall>",
                value_xml);
    char *method = NULL;
    json_t *params = NULL;
    *ret_outcome = sv_xmlrpc_decode_call(body.data, body.length, &method, &params, &error);
    assert_int_equal(*ret_outcome == 0, error.length == 0);
    json_t *value = *ret_outcome == 0 ? json_incref(json_array_get(params, 0)) : NULL;
    json_decref(params);
    free(method);
    sv_str_done(&error);
    sv_str_done(&body);
    return value;
}

static void assert_value(const char *value_xml, const char *expected_json)
{
    int outcome;
    json_t *value = decode_value(value_xml, &outcome);
    assert_non_null(value);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(text, expected_json);
    free(text);
    json_decref(value);
}

static void assert_refused(const char *value_xml)
{
    int outcome;
    json_t *value = decode_value(value_xml, &outcome);
    if (value)
        fail_msg("accepted: %s", value_xml);
    assert_int_equal(outcome, SV_XMLRPC_MALFORMED);
}

static int decode_document(const char *body, struct sv_str *ret_error)
{
    char *method = NULL;
    json_t *params = NULL;
    int r = sv_xmlrpc_decode_call(body, strlen(body), &method, &params, ret_error);
    free(method);
    json_decref(params);
    return r;
}

static void a_call_from_python_is_read_with_every_type(void **state)
{
    (void)state;
    char *method = NULL;
    json_t *params = NULL;
    int r = sv_xmlrpc_decode_call(python_call, strlen(python_call), &method, &params, NULL);
    assert_int_equal(r, 0);
    assert_string_equal(method, "supervisor.test");
    char *text = json_dumps(params, JSON_COMPACT);
    assert_string_equal(text, "[1,true,\"a<b>&c\xc3\xa9\",1.5,[1,[2]],{\"k\":\"v\"},\"hi there\","
                              "\"20261122T15:00:01\",null]");
    free(text);
    free(method);
    json_decref(params);
}

static void a_response_with_neither_or_two_values_is_malformed(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "<methodResponse/>",
        "<methodResponse><params/></methodResponse>",
        "<methodResponse><params><param><value/></param><param><value/></param></params>"
        "</methodResponse>",
        "<methodResponse><fault><value>x</value></fault></methodResponse>",
        "<methodCall><methodName>m</methodName></methodCall>",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(bodies); i++) {
        json_t *result = NULL;
        struct sv_xmlrpc_fault fault;
        int r = sv_xmlrpc_decode_response(bodies[i], strlen(bodies[i]), &result, &fault, NULL);
        assert_int_equal(r, SV_XMLRPC_MALFORMED);
        assert_null(result);
    }
}

static void scalars_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        const char *json;
    } rows[] = {
        {"<value>plain</value>", "\"plain\""},
        {"<value> kept </value>", "\" kept \""},
        {"<value></value>", "\"\""},
        {"<value/>", "\"\""},
        {"<value><string/></value>", "\"\""},
        {"\n <value>\n  <string>a b</string>\n </value>\n", "\"a b\""},
        {"<value><![CDATA[<x>&]]></value>", "\"<x>&\""},
        {"<value>a<!-- no -->b</value>", "\"ab\""},
        {"<value>&#233;&amp;&lt;</value>", "\"\xc3\xa9&<\""},
        {"<value><int>-42</int></value>", "-42"},
        {"<value><i4> +7 </i4></value>", "7"},
        {"<value><i8>-9223372036854775808</i8></value>", "-9223372036854775808"},
        {"<value><ex:i8 xmlns:ex='x'>5</ex:i8></value>", "5"},
        {"<value><boolean>1</boolean></value>", "true"},
        {"<value><boolean>0\n</boolean></value>", "false"},
        {"<value><double>-2.5e3</double></value>", "-2500.0"},
        {"<value><double>3</double></value>", "3.0"},
        {"<value><base64>YQ==</base64></value>", "\"a\""},
        {"<value><base64>YQBi</base64></value>", "\"a\xef\xbf\xbd"
                                                 "b\""},
        {"<value><base64/></value>", "\"\""},
        {"<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>",
         "\"19980717T14:08:55\""},
        {"<value><nil/></value>", "null"},
        {"<value><array><data/></array></value>", "[]"},
        {"<value><struct/></value>", "{}"},
        {"<value><struct><member><value>1</value><name>n</name></member></struct></value>",
         "{\"n\":\"1\"}"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++)
        assert_value(rows[i].xml, rows[i].json);
}

static void a_repeated_member_replaces_the_first(void **state)
{
    (void)state;
    assert_value("<value><struct><member><name>a</name><value>1</value></member>"
                 "<member><name>b</name><value>2</value></member>"
                 "<member><name>a</name><value>3</value></member></struct></value>",
                 "{\"a\":\"3\",\"b\":\"2\"}");
}

static void garbage_is_refused(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        "text",
        "<value>a<int>1</int></value>",
        "<value><int>1</int>b</value>",
        "<value><int>1</int><int>2</int></value>",
        "<value/><value/>",
        "<value><int/></value>",
        "<value><int>1.5</int></value>",
        "<value><int>1 2</int></value>",
        "<value><int>0x10</int></value>",
        "<value><i8>9223372036854775808</i8></value>",
        "<value><boolean>true</boolean></value>",
        "<value><boolean>10</boolean></value>",
        "<value><double>nan</double></value>",
        "<value><double>1e999</double></value>",
        "<value><double>1-2</double></value>",
        "<value><base64>a*b=</base64></value>",
        "<value><base64>YQ=Y</base64></value>",
        "<value><base64>Y</base64></value>",
        "<value><dateTime.iso8601>now</dateTime.iso8601></value>",
        "<value><nil>x</nil></value>",
        "<value><array/></value>",
        "<value><array><data/><data/></array></value>",
        "<value><array><value>1</value></array></value>",
        "<value><struct><name>a</name></struct></value>",
        "<value><struct><member><name>a</name></member></struct></value>",
        "<value><struct><member><name>a</name><name>a</name></member></struct></value>",
        "<value><struct><member><value/><value/></member></struct></value>",
        "<value><struct>x</struct></value>",
        "<value><object/></value>",
        "<value><param/></value>",
        "<value>\x01</value>",
        "<value>\xff</value>",
        "<value>&unknown;</value>",
        "<value><string>a</value></string>",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(values); i++)
        assert_refused(values[i]);
}

static void documents_that_are_no_call_are_refused_with_a_place(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "hello",
        "{\"method\":1}",
        "<methodCall>",
        "<methodCall/>",
        "<methodCall><params/></methodCall>",
        "<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>",
        "<methodCall><params/><params/></methodCall>",
        "<methodResponse><params><param><value/></param></params></methodResponse>",
        "<value>1</value>",
        "<methodCall><methodName>a</methodName></methodCall><x/>",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(bodies); i++) {
        struct sv_str error = {0};
        assert_int_equal(decode_document(bodies[i], &error), SV_XMLRPC_MALFORMED);
        assert_true(error.length > 0);
        sv_str_done(&error);
    }
    struct sv_str error = {0};
    decode_document("<methodCall>\n<methodName>a</methodName>\n<oops/></methodCall>", &error);
    assert_string_equal(sv_str_text(&error), "line 3: <oops> is not an element of XML-RPC");
    sv_str_done(&error);
}

static void missing_params_are_no_params(void **state)
{
    (void)state;
    static const char body[] = "<methodCall><methodName>m</methodName></methodCall>";
    char *method = NULL;
    json_t *params = NULL;
    assert_int_equal(sv_xmlrpc_decode_call(body, strlen(body), &method, &params, NULL), 0);
    assert_int_equal(json_array_size(params), 0);
    assert_true(json_is_array(params));
    free(method);
    json_decref(params);
}

static void entity_bombs_are_refused_at_the_document_type(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
        "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
        "<methodCall><methodName>&c;</methodName></methodCall>",
        "<!DOCTYPE b SYSTEM 'file:///etc/passwd'><methodCall><methodName>m</methodName>"
        "</methodCall>",
        "<!DOCTYPE methodCall><methodCall><methodName>m</methodName></methodCall>",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(bodies); i++) {
        struct sv_str error = {0};
        assert_int_equal(decode_document(bodies[i], &error), SV_XMLRPC_MALFORMED);
        assert_non_null(strstr(sv_str_text(&error), "document type"));
        sv_str_done(&error);
    }
}

static char *nested(size_t depth)
{
    struct sv_str xml = {0};
    for (size_t i = 0; i < depth; i++)
        sv_str_add(&xml, i % 2 ? "<value><array><data>" : "<value><struct><member><name>a</name>");
    sv_str_add(&xml, "<value>x</value>");
    for (size_t i = depth; i-- > 0;)
        sv_str_add(&xml, i % 2 ? "</data></array></value>" : "</member></struct></value>");
    return sv_str_take(&xml);
}

static void values_nest_as_deep_as_the_bound_and_no_deeper(void **state)
{
    (void)state;
    int outcome;
    char *deepest = nested(SV_XMLRPC_DEPTH_MAX);
    json_t *value = decode_value(deepest, &outcome);
    assert_non_null(value);
    struct sv_str body = {0};
    sv_xmlrpc_encode_response(value, &body);
    assert_true(sv_str_ok(&body));

    sv_str_clear(&body);
    json_t *deeper = json_pack("[o]", value);
    sv_xmlrpc_encode_response(deeper, &body);
    assert_false(sv_str_ok(&body));
    sv_str_done(&body);
    json_decref(deeper);
    free(deepest);

    char *too_deep = nested(SV_XMLRPC_DEPTH_MAX + 1);
    assert_null(decode_value(too_deep, &outcome));
    assert_int_equal(outcome, SV_XMLRPC_TOO_LARGE);
    free(too_deep);
}

static void a_call_has_at_most_the_bound_of_values(void **state)
{
    (void)state;
    struct sv_str xml = {0};
    sv_str_add(&xml, "<value><array><data>");
    for (size_t i = 1; i < SV_XMLRPC_VALUES_MAX; i++)
        sv_str_add(&xml, "<value/>");
    size_t length = xml.length;
    sv_str_add(&xml, "</data></array></value>");
    int outcome;
    json_t *value = decode_value(xml.data, &outcome);
    assert_int_equal(json_array_size(value), SV_XMLRPC_VALUES_MAX - 1);
    json_decref(value);

    sv_str_truncate(&xml, length);
    sv_str_add(&xml, "<value/></data></array></value>");
    assert_null(decode_value(xml.data, &outcome));
    assert_int_equal(outcome, SV_XMLRPC_TOO_LARGE);
    sv_str_done(&xml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_from_python_is_read_with_every_type),
        cmocka_unit_test(a_response_with_neither_or_two_values_is_malformed),
        cmocka_unit_test(scalars_are_read),
        cmocka_unit_test(a_repeated_member_replaces_the_first),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(documents_that_are_no_call_are_refused_with_a_place),
        cmocka_unit_test(missing_params_are_no_params),
        cmocka_unit_test(entity_bombs_are_refused_at_the_document_type),
        cmocka_unit_test(values_nest_as_deep_as_the_bound_and_no_deeper),
        cmocka_unit_test(a_call_has_at_most_the_bound_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
