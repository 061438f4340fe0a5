#include "config/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/check.h"
#include "config/memory_host_test.h"

struct loading {
    int result;
    struct sv_rules *rules;
    struct sv_diag diag;
    struct sv_str problems;
};

static struct loading load_files(const char *first, const char *second)
{
    static const char *const paths[] = {"/etc/1.xml", "/etc/2.xml"};
    struct loading loading = {0};
    struct memory_machine machine = {{{paths[0], first, 0}, {paths[1], second, 0}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_name_list files = {paths, second ? 2 : 1};
    loading.result = sv_rules_load(&files, &host, &loading.diag, &loading.rules);
    assert_true((loading.result == 0) == (loading.rules != NULL));
    assert_true((loading.result == 0) == (loading.diag.error_count == 0));
    sv_diag_render(&loading.diag, &loading.problems);
    return loading;
}

static struct loading load(const char *text)
{
    return load_files(text, NULL);
}

static void done(struct loading *loading)
{
    sv_rules_unref(loading->rules);
    sv_diag_done(&loading->diag);
    sv_str_done(&loading->problems);
}

static void expect(const char *text, bool is_accepted, const char *problem)
{
    struct loading loading = load(text);
    if ((loading.rules != NULL) != is_accepted || !strstr(sv_str_text(&loading.problems), problem))
        fail_msg("%s: wanted \"%s\" in \"%s\"", loading.rules ? "accepted" : "refused", problem,
                 sv_str_text(&loading.problems));
    done(&loading);
}

static struct sv_application_rules application(const struct sv_rules *rules, const char *name)
{
    struct sv_application_rules found;
    sv_rules_application(rules, name, SV_STARTING_STRATEGY_LOCAL, &found);
    return found;
}

static struct sv_process_rules process(const struct sv_rules *rules, const char *name)
{
    struct sv_process_rules found;
    sv_rules_process(rules, "web", name, &found);
    return found;
}

static void without_rules_everything_has_its_default(void **state)
{
    (void)state;
    struct sv_application_rules web = application(NULL, "web");
    assert_false(web.is_managed);
    assert_int_equal(web.stop_sequence, -1);
    assert_int_equal(web.starting_strategy, SV_STARTING_STRATEGY_CONFIG);
    assert_string_equal(web.places.identifiers.items[0], "*");
    assert_int_equal(process(NULL, "x").stop_sequence, -1);
    struct loading loading = load("<root/>");
    assert_int_equal(application(loading.rules, "web").stop_sequence, 0);
    assert_int_equal(application(loading.rules, "web").starting_strategy,
                     SV_STARTING_STRATEGY_LOCAL);
    assert_int_equal(process(loading.rules, "x").stop_sequence, 0);
    done(&loading);
}

static void a_process_takes_from_its_program_its_models_and_its_application(void **state)
{
    (void)state;
    struct loading loading = load(
        "<root><model name='a'><reference>b</reference><stop_sequence>8</stop_sequence></model>"
        "<model name='b'><start_sequence>1</start_sequence><stop_sequence>9</stop_sequence>"
        "<required>true</required></model><application name='web'>"
        "<running_failure_strategy>RESTART</running_failure_strategy>"
        "<starting_failure_strategy>STOP</starting_failure_strategy><programs><program name='x'>"
        "<reference>a</reference><expected_loading>7</expected_loading>"
        "<starting_failure_strategy>CONTINUE</starting_failure_strategy></program></programs>"
        "</application></root>");
    assert_string_equal(sv_str_text(&loading.problems), "");
    struct sv_process_rules x = process(loading.rules, "x");
    assert_int_equal(x.start_sequence, 1);
    assert_int_equal(x.stop_sequence, 8);
    assert_int_equal(x.expected_loading, 7);
    assert_true(x.required);
    assert_int_equal(x.starting_failure_strategy, SV_STARTING_FAILURE_STRATEGY_CONTINUE);
    assert_int_equal(x.running_failure_strategy, SV_RUNNING_FAILURE_STRATEGY_RESTART);
    assert_string_equal(x.place.file, "/etc/1.xml");
    struct sv_process_rules y = process(loading.rules, "y");
    assert_int_equal(y.starting_failure_strategy, SV_STARTING_FAILURE_STRATEGY_STOP);
    assert_null(y.place.file);
    done(&loading);
}

static void the_longest_match_counts_then_the_first(void **state)
{
    (void)state;
    struct loading loading =
        load("<root><application pattern='w'><programs>"
             "<program pattern='prg'><start_sequence>1</start_sequence></program>"
             "<program pattern='prg_'><start_sequence>2</start_sequence></program>"
             "<program pattern='_\\d+$'><start_sequence>3</start_sequence></program>"
             "<program pattern='[a-z]+_'><start_sequence>4</start_sequence></program>"
             "<program name='prg_0'><start_sequence>5</start_sequence></program>"
             "</programs></application></root>");
    assert_string_equal(sv_str_text(&loading.problems), "");
    assert_int_equal(process(loading.rules, "prg").start_sequence, 1);
    assert_int_equal(process(loading.rules, "prg_1").start_sequence, 2);
    assert_int_equal(process(loading.rules, "prg_1234").start_sequence, 3);
    assert_int_equal(process(loading.rules, "dummy_prg_2").start_sequence, 4);
    assert_int_equal(process(loading.rules, "prg_0").start_sequence, 5);
    assert_int_equal(process(loading.rules, "none").start_sequence, 0);
    done(&loading);
}

static void a_hash_gives_numbered_applications_their_turn(void **state)
{
    static const char *const items[] = {"one", "two", "three"};
    static const struct sv_name_list instances = {items, 3};
    (void)state;
    struct loading loading = load("<root><application pattern='w'><identifiers>#</identifiers>"
                                  "<start_sequence>2</start_sequence></application></root>");
    struct sv_application_rules web = application(loading.rules, "web_5");
    assert_int_equal(web.hash_number, 5);
    assert_string_equal(sv_rules_hash_identifier(&web, &instances), "two");
    assert_int_equal(web.start_sequence, 2);
    web = application(loading.rules, "web");
    assert_int_equal(web.start_sequence, 0);
    assert_int_equal(web.stop_sequence, 2);
    assert_null(sv_rules_hash_identifier(&web, &instances));
    web = application(loading.rules, "web-0");
    assert_int_equal(web.start_sequence, 0);
    web = application(loading.rules, "web-99999999999999999999999");
    assert_non_null(sv_rules_hash_identifier(&web, &instances));
    done(&loading);
}

static void every_fault_is_told_with_its_line_and_what_to_write(void **state)
{
    static const char text[] =
        "<root>\n<application name='web'>\n<distribution>EVERYWHERE</distribution>\n"
        "<start_sequence>1x</start_sequence>\n<programs>\n<program name='x'>\n"
        "<required>perhaps</required>\n<requried>true</requried>\n</program>\n</programs>\n"
        "</application>\n</root>\n";
    (void)state;
    expect(text, false, "error: /etc/1.xml:3: distribution: ");
    expect(text, false, "; write ALL_INSTANCES, SINGLE_INSTANCE or SINGLE_NODE\n");
    expect(text, false,
           "error: /etc/1.xml:4: start_sequence: Element 'start_sequence': '1x' is not a "
           "valid value");
    expect(text, false, "; write a whole number from 0 to 127\n");
    expect(text, false, "error: /etc/1.xml:7: required: ");
    expect(text, false,
           "error: /etc/1.xml:8: requried: Element 'requried': This element is not "
           "expected");
    struct loading loading = load(text);
    assert_int_equal(loading.result, SV_RULES_E_BROKEN);
    assert_int_equal(loading.diag.error_count, 4);
    done(&loading);
}

static void what_is_no_xml_is_refused_with_its_line(void **state)
{
    (void)state;
    expect("", false, "error: /etc/1.xml:1: is no XML: Document is empty");
    expect("<root>\n<application>\n</root>", false, "error: /etc/1.xml:3: is no XML: ");
    expect("<!DOCTYPE root [<!ENTITY a 'b'>]>\n<root/>", false,
           "error: /etc/1.xml:1: has a <!DOCTYPE>; remove it");
    expect("<!DOCTYPE root SYSTEM 'file:///etc/passwd'>\n<root/>", false, "has a <!DOCTYPE>");
    expect("<root>&a;</root>", false, "is no XML: Entity 'a' not defined");
    struct loading loading = load_files("<root/>", "<rot/>");
    assert_int_equal(loading.result, SV_RULES_E_BROKEN);
    assert_non_null(strstr(sv_str_text(&loading.problems), "/etc/2.xml:1: rot: "));
    done(&loading);
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    static const char *const path = "/etc/nowhere.xml";
    struct sv_diag diag SV_CLEANUP(sv_diag_done) = {0};
    struct memory_machine machine = {{{"/etc/x", "", 0}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_rules *rules = NULL;
    assert_int_equal(sv_rules_load(&(struct sv_name_list){&path, 1}, &host, &diag, &rules),
                     SV_RULES_E_BROKEN);
    assert_null(rules);
}

static void what_cannot_hold_is_told(void **state)
{
#define PROGRAM(attribute, text)                                                                   \
    "<root><application name='web'><programs><program " attribute ">" text                         \
    "</program></programs></application></root>"
    (void)state;
    expect(PROGRAM("name='x'", "<identifiers>#</identifiers>"), true,
           "warning: /etc/1.xml:1: identifiers: # is for a program with a pattern");
    expect(PROGRAM("pattern='x'", "<identifiers>#,@</identifiers>"), true, "has both @ and #");
    expect(PROGRAM("name='x'", "<required>true</required>"), true, "required: false is used");
    expect(PROGRAM("name='x'", "<reference>m</reference>"), true, "there is no model \"m\"");
    expect(PROGRAM("name='x'", "<start_sequence>-1</start_sequence>"), true, "is less than 0");
    expect(PROGRAM("name='x'", "<required> true</required>"), true, "for the blanks around it");
    expect(PROGRAM("name='x'", "<identifiers>,</identifiers>"), true, "names nobody");
    expect(PROGRAM("", ""), true, "<program> has neither name nor pattern");
    expect(PROGRAM("pattern='('", ""), false, "pattern: '(' is no regular expression: ");
    expect("<root><model name='a'><reference>b</reference></model><model name='b'>"
           "<reference>a</reference></model><application name='w'><programs><program name='x'>"
           "<reference>a</reference></program></programs></application></root>",
           true, "reference: goes round in a circle");
    expect("<root><alias name='a'>one</alias><alias name='b'>a</alias><application name='w'>"
           "<identifiers>b</identifiers></application></root>",
           true, "the alias a stays unresolved");
    expect("<root><application name='w'/><application name='w'/></root>", true,
           "application: \"w\" was there before: this one is not used");
    expect("<root><application name='w'><operational_status>web</operational_status>"
           "</application></root>",
           true, "operational_status: has web without quotes");
#undef PROGRAM
}

static void rules_outlive_their_first_owner(void **state)
{
    (void)state;
    struct loading loading = load("<root><application name='web'/></root>");
    struct sv_rules *rules = sv_rules_ref(loading.rules);
    done(&loading);
    assert_true(application(rules, "web").is_managed);
    sv_rules_unref(rules);
}

static void the_schema_is_the_one_that_is_installed(void **state)
{
    (void)state;
    assert_non_null(strstr(sv_rules_schema(), "<xs:element name=\"root\">"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_everything_has_its_default),
        cmocka_unit_test(a_process_takes_from_its_program_its_models_and_its_application),
        cmocka_unit_test(the_longest_match_counts_then_the_first),
        cmocka_unit_test(a_hash_gives_numbered_applications_their_turn),
        cmocka_unit_test(every_fault_is_told_with_its_line_and_what_to_write),
        cmocka_unit_test(what_is_no_xml_is_refused_with_its_line),
        cmocka_unit_test(a_missing_file_is_an_error),
        cmocka_unit_test(what_cannot_hold_is_told),
        cmocka_unit_test(rules_outlive_their_first_owner),
        cmocka_unit_test(the_schema_is_the_one_that_is_installed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
