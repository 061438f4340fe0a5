/* Requests of REST, and the calls that they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/rest/rest.h"
#include "api/rest/value.h"

#define JSON "application/json"

/* "status text", or "method [params]". Static: until the next one. */
static const char *read_of(const struct sv_rest_request *request)
{
    static char shown[400];
    struct sv_rest_call call;
    struct sv_rest_problem problem = {0};
    if (sv_rest_read(request, &call, &problem)) {
        char *params = json_dumps(call.params, 0);
        snprintf(shown, sizeof shown, "%s %s", call.name, params);
        free(params);
        json_decref(call.params);
    } else {
        snprintf(shown, sizeof shown, "%u %s", problem.status, sv_str_text(&problem.text));
        sv_str_done(&problem.text);
    }
    return shown;
}

static struct sv_rest_field field_of(const char *name, const char *value)
{
    return (struct sv_rest_field){name, value, strlen(name), strlen(value)};
}

static const char *get(const char *path)
{
    return read_of(&(struct sv_rest_request){.verb = "GET", .path = path, .has_cluster = true});
}

static const char *post(const char *path, const char *name, const char *value)
{
    struct sv_rest_field field = field_of(name ? name : "", value ? value : "");
    return read_of(&(struct sv_rest_request){.verb = "POST",
                                             .path = path,
                                             .fields = &field,
                                             .field_count = name != NULL,
                                             .has_cluster = true});
}

static const char *post_body(const char *path, const char *type, const char *body)
{
    return read_of(&(struct sv_rest_request){.verb = "POST",
                                             .path = path,
                                             .content_type = type,
                                             .body = body,
                                             .body_length = strlen(body),
                                             .has_cluster = true});
}

static void assert_says(const char *answer, const char *expected)
{
    if (!strstr(answer, expected))
        fail_msg("\"%s\" does not say \"%s\"", answer, expected);
}

static void a_call_of_another_instance_is_checked_and_wrapped(void **state)
{
    (void)state;
    assert_string_equal(get("/instances/10.0.0.1:60000/supervisor/readLog/-100/0"),
                        "svisor.relay [\"10.0.0.1:60000\", \"supervisor.readLog\", [-100, 0]]");
    assert_string_equal(post("/instances/s2/supvisors/lazy_update_numprocs/web/2", NULL, NULL),
                        "svisor.relay [\"s2\", \"supvisors.update_numprocs\", "
                        "[\"web\", \"2\", true, true]]");
    assert_says(get("/instances/s2/supervisor/readLog/x/0"), "offset must be a whole number");
    assert_says(get("/instances/s2/supervisor/startProcess/web"), "405");
    assert_says(get("/instances/s2/instances/s3/supervisor/getPID"), "write /instances/ID and");
    assert_says(get("/instances/s2"), "404 UNKNOWN_METHOD: there is no /instances/s2; write");
    assert_says(get("/instances/\xff/supervisor/getPID"), "404 BAD_NAME: the name of the instance");
    assert_says(read_of(&(struct sv_rest_request){.verb = "GET",
                                                  .path = "/instances/s2/supervisor/getPID"}),
                "it takes a cluster");
    assert_true(sv_rest_is_path("/instances/s2") && !sv_rest_is_path("/instance/s2"));
}

static void arguments_come_from_the_path_in_order_and_from_the_query_by_name(void **state)
{
    (void)state;
    assert_string_equal(get("/supervisor/getState"), "supervisor.getState []");
    assert_string_equal(get("/supervisor/readLog/-100/0"), "supervisor.readLog [-100, 0]");
    assert_string_equal(get("/supvisors/inner_process_info/10.0.0.1:60000/a:b"),
                        "supvisors.get_inner_process_info [\"10.0.0.1:60000\", \"a:b\"]");
    assert_string_equal(post("/supervisor/startProcess/web", "wait", "False"),
                        "supervisor.startProcess [\"web\", false]");
    assert_string_equal(post("/supervisor/startProcess", "name", "a/b"),
                        "supervisor.startProcess [\"a/b\"]");
    assert_string_equal(post("/supvisors/start_process/CONFIG/a:b", "wait", "0"),
                        "supvisors.start_process [\"CONFIG\", \"a:b\", \"\", false]");
    assert_string_equal(post("/supvisors/start_args/a:b", "extra_args", "-x 2"),
                        "supvisors.start_args [\"a:b\", \"-x 2\"]");
    assert_string_equal(post("/supvisors/end_sync/m1", NULL, NULL), "supvisors.end_sync [\"m1\"]");
    assert_string_equal(post("/supvisors/end_sync", NULL, NULL), "supvisors.end_sync []");
    assert_string_equal(get("/supervisor/getVersion"), "supervisor.getAPIVersion []");
}

static void a_preset_gives_its_argument_and_hides_it(void **state)
{
    (void)state;
    assert_string_equal(post("/supvisors/lazy_update_numprocs/p/3", NULL, NULL),
                        "supvisors.update_numprocs [\"p\", \"3\", true, true]");
    assert_says(
        post("/supvisors/lazy_update_numprocs/p/3", "lazy", "false"),
        "400 INCORRECT_PARAMETERS: the query has \"lazy\", which "
        "supvisors.lazy_update_numprocs does not take; it takes program_name, numprocs, wait");
    assert_says(post("/supvisors/lazy_update_numprocs/p/3/true/true", NULL, NULL), "which are 3");
}

static void arrays_come_in_a_body_and_its_values_keep_their_types(void **state)
{
    (void)state;
    assert_string_equal(
        post_body("/system/multicall", JSON, "{\"calls\": [{\"methodName\": \"x\"}]}"),
        "system.multicall [[{\"methodName\": \"x\"}]]");
    assert_string_equal(post_body("/supervisor/startProcess", JSON "; charset=utf-8",
                                  "{\"wait\": true, \"name\": \"a\"}"),
                        "supervisor.startProcess [\"a\", true]");
    assert_says(post_body("/supervisor/startProcess/a", JSON, "{\"wait\": 1}"),
                "400 INCORRECT_PARAMETERS: wait must be true or false; the body has 1");
    assert_says(post_body("/supervisor/startProcess/a", JSON, "{\"name\": \"b\"}"), "given twice");
    assert_says(post_body("/supervisor/startProcess", JSON, "{\"name\": \"a\\u0000b\"}"), "400 ");
    assert_says(post_body("/supervisor/startProcess/a", JSON, "[]"), "an object of arguments");
    assert_says(post_body("/supervisor/startProcess/a", JSON, "{\"wait\":"), "line 1, column 8");
    assert_says(post_body("/supervisor/startProcess/a", "text/plain", "{}"), "415 ");
    assert_says(post_body("/supervisor/startProcess/a", "application/jsonx", "{}"), "415 ");
    assert_says(post("/system/multicall", NULL, NULL), "send {\"calls\": …} as a JSON body");
    assert_says(post("/system/multicall", "calls", "[]"), "only a JSON body can hold");
}

static void a_body_that_is_too_deep_or_too_long_is_refused_before_it_is_read(void **state)
{
    (void)state;
    char *body = malloc(300000);
    assert_non_null(body);
    memset(body, '[', 100);
    body[100] = '\0';
    assert_says(post_body("/system/multicall", JSON, body), "413 ");
    memset(body, ',', 200000);
    body[0] = '{';
    body[200000] = '\0';
    assert_says(post_body("/system/multicall", JSON, body), "413 ");
    body[1] = '"'; /* one long text with commas in it is one value */
    assert_says(post_body("/system/multicall", JSON, body), "400 ");
    free(body);
}

static void a_mistake_is_told_with_its_place_and_a_way_out(void **state)
{
    (void)state;
    assert_says(get("/supervisor/getStat"),
                "404 UNKNOWN_METHOD: there is no /supervisor/getStat; did "
                "you mean /supervisor/getState?");
    assert_says(get("/supvisors/get_api_version"), "did you mean /supvisors/api_version?");
    assert_says(get("/supvisors/get_process_info/web"), "did you mean /supvisors/process_info?");
    assert_says(get("/supervisor/"), "404 ");
    assert_says(get("/supervisor/readLog/x/0"),
                "400 INCORRECT_PARAMETERS: offset must be a whole number; the path has \"x\"");
    assert_says(get("/supervisor/readLog/99999999999999999999/0"), "400 ");
    assert_says(get("/supervisor/readLog/1"),
                "length (how many bytes) is missing: write it in the path");
    assert_says(get("/supervisor/getPID/1"),
                "more arguments than supervisor.getPID takes, which are 0");
    assert_says(get("/supervisor/getProcessInfo/"), "the path has nothing for name");
    assert_says(get("/supervisor/getProcessInfo/\xff"), "name must be text in UTF-8");
    assert_says(post("/supervisor/startProcess/a", "wait", ""), "wait must be true or false");
    assert_says(post("/supervisor/getPID", "x", "1"), "it takes nothing");
}

static void what_changes_something_wants_post(void **state)
{
    (void)state;
    struct sv_rest_request request = {.verb = "GET", .path = "/supervisor/shutdown"};
    struct sv_rest_call call;
    struct sv_rest_problem problem = {0};
    assert_false(sv_rest_read(&request, &call, &problem));
    assert_int_equal(problem.status, 405);
    assert_string_equal(problem.allow, "POST");
    sv_str_done(&problem.text);
    request.verb = "POST";
    assert_string_equal(read_of(&request), "supervisor.shutdown []");
    request = (struct sv_rest_request){.verb = "DELETE", .path = "/supervisor/getPID"};
    assert_says(read_of(&request), "405 ");
    assert_string_equal(post("/supvisors/test_start_process/CONFIG/a:b", NULL, NULL),
                        "supvisors.test_start_process [\"CONFIG\", \"a:b\"]");
}

static void without_a_cluster_its_methods_are_not_there(void **state)
{
    (void)state;
    struct sv_rest_request request = {.verb = "GET", .path = "/supvisors/api_version"};
    assert_says(read_of(&request),
                "404 UNKNOWN_METHOD: there is no /supvisors/api_version; it takes a "
                "cluster");
}

/* Otherwise one path would hide another. */
static void every_route_has_a_path_of_its_own_and_its_fallbacks_are_of_their_types(void **state)
{
    (void)state;
    struct sv_route a, b;
    for (size_t i = 0; sv_route_at(i, &a); i++) {
        struct sv_str path = {0};
        sv_route_path(&a, &path);
        assert_true(sv_rest_is_path(sv_str_text(&path)));
        for (size_t k = 0; k < i && sv_route_at(k, &b); k++) {
            struct sv_str other = {0};
            sv_route_path(&b, &other);
            if (!b.preset || strcmp(a.name, b.name) != 0)
                assert_string_not_equal(sv_str_text(&path), sv_str_text(&other));
            sv_str_done(&other);
        }
        size_t preset_count = 0;
        for (const struct sv_parameter *p = a.method->parameters; p->name; p++) {
            bool is_preset = a.preset && strcmp(a.preset, p->name) == 0;
            const char *text = is_preset ? a.preset_value : p->fallback;
            json_t *value = text ? sv_rest_value_of_text(p->type, text, strlen(text)) : NULL;
            assert_true(!text || value);
            json_decref(value);
            preset_count += is_preset;
        }
        assert_int_equal(preset_count, a.preset != NULL);
        sv_str_done(&path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_of_another_instance_is_checked_and_wrapped),
        cmocka_unit_test(arguments_come_from_the_path_in_order_and_from_the_query_by_name),
        cmocka_unit_test(a_preset_gives_its_argument_and_hides_it),
        cmocka_unit_test(arrays_come_in_a_body_and_its_values_keep_their_types),
        cmocka_unit_test(a_body_that_is_too_deep_or_too_long_is_refused_before_it_is_read),
        cmocka_unit_test(a_mistake_is_told_with_its_place_and_a_way_out),
        cmocka_unit_test(what_changes_something_wants_post),
        cmocka_unit_test(without_a_cluster_its_methods_are_not_there),
        cmocka_unit_test(every_route_has_a_path_of_its_own_and_its_fallbacks_are_of_their_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
