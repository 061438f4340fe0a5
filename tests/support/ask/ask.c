/*
 * ask: what the parts of the rules answer that svisord --check does not show. One question on each
 * line of standard input, its words divided by tabs; one answer on each line of standard output.
 *
 *     formula TEXT NAME=0|1…                          TRUE, FALSE, ERROR or REFUSED
 *     find    NAMES IDENTIFIER;NICK;STEREOTYPE,…      the identifiers, with commas
 *     at      PLACES ASSIGNED                         places, with commas; "-" is none
 *     hash    PLACES ASSIGNED
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/formula.h"
#include "config/identifiers.h"

enum { WORDS_MAX = 64 };

struct question {
    char *words[WORDS_MAX];
    size_t count;
    struct sv_arena arena;
};

static void answer_formula(struct question *question)
{
    const char *names[WORDS_MAX];
    bool is_good[WORDS_MAX];
    size_t count = 0;
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    const struct sv_formula *formula =
        sv_formula_parse(question->words[1], &question->arena, &problem);
    for (size_t i = 2; i < question->count; i++) {
        char *equals = strchr(question->words[i], '=');
        if (!equals)
            continue;
        *equals = '\0';
        names[count] = question->words[i];
        is_good[count++] = equals[1] == '1';
    }
    struct sv_pattern_match *match = sv_pattern_match_new();
    const struct sv_formula_binding *binding =
        formula && match ? sv_formula_bind(formula, names, count, match, &question->arena) : NULL;
    enum sv_formula_result result =
        binding ? sv_formula_evaluate(binding, is_good, NULL) : SV_FORMULA_FALSE;
    puts(!binding                     ? "REFUSED"
         : result == SV_FORMULA_TRUE  ? "TRUE"
         : result == SV_FORMULA_FALSE ? "FALSE"
                                      : "ERROR");
    sv_pattern_match_free(match);
}

static void answer_find(struct question *question)
{
    struct sv_instance_names instances[WORDS_MAX];
    struct sv_name_list stereotypes[WORDS_MAX];
    struct sv_name_list names;
    uint32_t places[WORDS_MAX];
    uint32_t count = 0;
    if (sv_names_split_unique(question->words[1], &question->arena, &names) < 0)
        return;
    for (size_t i = 2; i < question->count; i++, count++) {
        char *nick = strchr(question->words[i], ';');
        char *kinds = nick ? strchr(nick + 1, ';') : NULL;
        if (!kinds)
            return;
        *nick = *kinds = '\0';
        if (sv_names_split_unique(kinds + 1, &question->arena, &stereotypes[count]) < 0)
            return;
        instances[count] =
            (struct sv_instance_names){question->words[i], nick + 1, &stereotypes[count]};
    }
    uint32_t found = sv_identifiers_find(&names, instances, count, places);
    for (uint32_t i = 0; i < found; i++)
        printf("%s%s", i == 0 ? "" : ",", instances[places[i]].identifier);
    puts("");
}

static uint32_t read_places(struct question *question, const char *text, uint32_t *ret_places)
{
    struct sv_name_list words;
    if (sv_names_split(text, &question->arena, &words) < 0 || words.count > WORDS_MAX)
        return 0;
    for (size_t i = 0; i < words.count; i++)
        ret_places[i] = strcmp(words.items[i], "-") == 0
                            ? SV_INSTANCE_NONE
                            : (uint32_t)strtoul(words.items[i], NULL, 10);
    return (uint32_t)words.count;
}

static void answer_assign(struct question *question)
{
    uint32_t places[WORDS_MAX];
    uint32_t assigned[WORDS_MAX];
    uint32_t counts[WORDS_MAX];
    struct sv_assignment assignment = {.places = places, .assigned = assigned, .counts = counts};
    assignment.place_count = read_places(question, question->words[1], places);
    assignment.process_count = read_places(question, question->words[2], assigned);
    if (strcmp(question->words[0], "at") == 0)
        sv_identifiers_assign_at(&assignment);
    else
        sv_identifiers_assign_hash(&assignment);
    for (uint32_t i = 0; i < assignment.process_count; i++) {
        const char *comma = i == 0 ? "" : ",";
        if (assigned[i] == SV_INSTANCE_NONE)
            printf("%s-", comma);
        else
            printf("%s%u", comma, assigned[i]);
    }
    puts("");
}

static const struct {
    const char *word;
    size_t words_min;
    void (*answer)(struct question *question);
} answers[] = {{"formula", 2, answer_formula},
               {"find", 2, answer_find},
               {"at", 3, answer_assign},
               {"hash", 3, answer_assign}};

static void split(struct question *question, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    while (line && question->count < WORDS_MAX) {
        char *tab = strchr(line, '\t');
        if (tab)
            *tab++ = '\0';
        question->words[question->count++] = line;
        line = tab;
    }
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct question question = {.count = 0};
        split(&question, line);
        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
            if (strcmp(question.words[0], answers[i].word) == 0 &&
                question.count >= answers[i].words_min)
                answers[i].answer(&question);
        sv_arena_done(&question.arena);
    }
    free(line);
    return EXIT_SUCCESS;
}
