/* For tests of what is built on the model: rules from XML, and rows told one by one. */
#ifndef SV_CORE_MODEL_FIXTURE_TEST_H
#define SV_CORE_MODEL_FIXTURE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/check.h"
#include "config/memory_host_test.h"
#include "core/cluster/model.h"

#define TEST_INSTANCE_COUNT 4

struct model_fixture {
    struct sv_model model;
    uint64_t now_ns; /* every row is told a second after the one before */
};

static inline struct sv_rules *fixture_rules(const char *text)
{
    static const char *const paths[] = {"/etc/rules.xml"};
    struct memory_machine machine = {{{paths[0], text, 0}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_name_list files = {paths, 1};
    struct sv_diag diag = {0};
    struct sv_rules *rules = NULL;
    int result = sv_rules_load(&files, &host, &diag, &rules);
    if (result != 0) {
        struct sv_str problems = {0};
        sv_diag_render(&diag, &problems);
        fail_msg("%s", sv_str_text(&problems));
    }
    sv_diag_done(&diag);
    return rules;
}

/* `text`: what is inside of <root>; NULL: no rules. */
static inline void fixture_init(struct model_fixture *fixture, const char *text)
{
    *fixture = (struct model_fixture){.now_ns = 1000000000};
    struct sv_rules *rules = NULL;
    if (text) {
        struct sv_str xml = {0};
        sv_str_addf(&xml, "<root>%s</root>", text);
        rules = fixture_rules(sv_str_text(&xml));
        sv_str_done(&xml);
    }
    sv_model_init(&fixture->model, rules, SV_STARTING_STRATEGY_CONFIG);
    sv_rules_unref(rules);
}

static inline void fixture_done(struct model_fixture *fixture)
{
    sv_model_done(&fixture->model);
}

static inline struct sv_mesh_process fixture_row(const char *application, const char *name,
                                                 enum sv_process_state state, uint64_t now_ns)
{
    bool was_started = state != SV_PROCESS_STOPPED;
    return (struct sv_mesh_process){
        .application = application,
        .name = name,
        .state = state,
        .is_expected = true,
        .program_name = name,
        .startsecs = 1,
        .stopwaitsecs = 10,
        .start_ns = was_started ? now_ns : 0,
        .stop_ns = was_started && sv_state_is_stopped(state) ? now_ns : 0,
        .event_ns = now_ns,
    };
}

static inline struct sv_member *fixture_tell_row(struct model_fixture *fixture,
                                                 sv_instance_place instance,
                                                 const struct sv_mesh_process *row)
{
    struct sv_member *member = NULL;
    sv_model_tell(&fixture->model, instance, row, fixture->now_ns, &member);
    return member;
}

static inline struct sv_member *fixture_tell(struct model_fixture *fixture,
                                             sv_instance_place instance, const char *application,
                                             const char *name, enum sv_process_state state)
{
    fixture->now_ns += 1000000000;
    struct sv_mesh_process row = fixture_row(application, name, state, fixture->now_ns);
    return fixture_tell_row(fixture, instance, &row);
}

#endif
