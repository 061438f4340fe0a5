/* Any bytes are two rules files: no crash, no endless work; what is accepted can be asked and
 * described. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "config/check.h"
#include "config/memory_host_test.h"
#include "config/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct sv_rules *rules, const char *application, const char *process,
                struct sv_str *text)
{
    struct sv_application_rules of_application;
    struct sv_process_rules of_process;
    sv_rules_application(rules, application, SV_STARTING_STRATEGY_CONFIG, &of_application);
    sv_rules_process(rules, application, process, &of_process);
    assert(of_process.start_sequence >= 0 && of_process.stop_sequence >= 0);
    assert(!of_process.required || of_process.start_sequence > 0);
    assert(of_process.expected_loading <= 100);
    assert(of_process.places.at_identifiers.count == 0 ||
           of_process.places.hash_identifiers.count == 0);
    sv_rules_describe_application(&of_application, application, text);
    sv_rules_describe_process(&of_process, application, process, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"/etc/1.xml", "/etc/2.xml"};
    struct memory_machine machine = {
        .files = {{paths[0], (const char *)data, size}, {paths[1], (const char *)data, size}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_diag diag = {0};
    struct sv_str text = {0};
    struct sv_rules *rules = NULL;
    int r = size > 0 ? sv_rules_load(&(struct sv_name_list){paths, 2}, &host, &diag, &rules) : 1;
    assert((r == 0) == (rules != NULL));
    assert(size == 0 || r < 0 || (r == 0) == (diag.error_count == 0));
    if (rules) {
        sv_rules_describe(rules, &text);
        ask(rules, "web", "server", &text);
        ask(rules, "web_1", "server_01", &text);
        ask(rules, "", "", &text);
    }
    sv_diag_render(&diag, &text);
    sv_rules_unref(rules);
    sv_diag_done(&diag);
    sv_str_done(&text);
    return 0;
}
