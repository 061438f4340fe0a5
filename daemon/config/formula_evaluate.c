/*
 * From operations to a boolean: once the processes are found that each operand means, then the
 * values, as often as one of them changes.
 *
 * The values on the stack are true, false, "several processes", and the errors; an error goes
 * through every operator, as an exception of Python's would.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/formula_private.h"

struct sv_formula_binding {
    const struct sv_formula *formula;
    const uint32_t *places; /* of all operands, one after the other */
    const uint32_t *begins; /* of each operand in `places`, and the end of the last */
};

static size_t count_of(const struct sv_formula_binding *binding, uint32_t operand)
{
    return binding->begins[operand + 1] - binding->begins[operand];
}

/* Appends the places that the operand means. Returns how many. */
static size_t find_places(const struct operand *operand, const char *const *names, size_t count,
                          struct sv_pattern_match *match, uint32_t *ret_places)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], operand->text) == 0) {
            *ret_places = (uint32_t)i;
            return 1;
        }
    }
    size_t found = 0;
    for (size_t i = 0; i < count && operand->pattern; i++)
        if (sv_pattern_find(operand->pattern, match, names[i], strlen(names[i])) == SV_PATTERN_YES)
            ret_places[found++] = (uint32_t)i;
    return found;
}

const struct sv_formula_binding *sv_formula_bind(const struct sv_formula *formula,
                                                 const char *const *names, size_t count,
                                                 struct sv_pattern_match *match,
                                                 struct sv_arena *arena)
{
    struct sv_formula_binding *binding = sv_arena_new(arena, struct sv_formula_binding);
    uint32_t *begins = sv_arena_array(arena, uint32_t, formula->operand_count + 1);
    uint32_t *all = calloc(formula->operand_count * count + 1, sizeof(*all));
    if (!binding || !begins || !all) {
        free(all);
        return NULL;
    }
    size_t filled = 0;
    for (size_t i = 0; i < formula->operand_count; i++) {
        begins[i] = (uint32_t)filled;
        filled += find_places(&formula->operands[i], names, count, match, all + filled);
    }
    begins[formula->operand_count] = (uint32_t)filled;
    uint32_t *places = sv_arena_array(arena, uint32_t, filled + 1);
    if (places)
        memcpy(places, all, filled * sizeof(*all));
    free(all);
    *binding = (struct sv_formula_binding){formula, places, begins};
    return places ? binding : NULL;
}

/* One value on the stack of evaluation. Several processes are a value of their own until an
 * operator other than any() and all() meets them: that is the error. */
struct value {
    enum sv_formula_result result;
    uint32_t operand; /* of an error, and of several processes */
    bool is_several;  /* with SV_FORMULA_E_SEVERAL: no error yet */
};

static bool is_boolean(struct value value)
{
    return value.result <= SV_FORMULA_TRUE;
}

static enum sv_formula_result result_of(bool value)
{
    return value ? SV_FORMULA_TRUE : SV_FORMULA_FALSE;
}

static struct value value_of(const struct sv_formula_binding *binding, uint32_t operand,
                             const bool *is_good)
{
    size_t count = count_of(binding, operand);
    struct value value = {.operand = operand, .is_several = count > 1};
    if (count == 1)
        value.result = result_of(is_good[binding->places[binding->begins[operand]]]);
    else
        value.result = count == 0 ? SV_FORMULA_E_NOBODY : SV_FORMULA_E_SEVERAL;
    return value;
}

/* any() or all() of one value. */
static struct value call(const struct sv_formula_binding *binding, struct value value, bool is_any,
                         const bool *is_good)
{
    if (!value.is_several)
        return value;
    bool result = !is_any;
    for (uint32_t i = binding->begins[value.operand]; i < binding->begins[value.operand + 1]; i++)
        if (is_good[binding->places[i]] == is_any)
            result = is_any;
    return (struct value){.result = result_of(result)};
}

static struct value combine(struct value a, struct value b, bool is_and)
{
    bool x = a.result == SV_FORMULA_TRUE;
    bool y = b.result == SV_FORMULA_TRUE;
    struct value value = {.result = result_of(is_and ? x && y : x || y)};
    if (!is_boolean(a) || !is_boolean(b))
        value = is_boolean(a) ? b : a;
    value.is_several = false;
    return value;
}

static struct value negate(struct value value)
{
    if (is_boolean(value))
        value.result = result_of(value.result == SV_FORMULA_FALSE);
    value.is_several = false;
    return value;
}

/* Performs one operation on the stack of `count` values. Returns how many there are then. */
static size_t perform(const struct sv_formula_binding *binding, struct operation operation,
                      const bool *is_good, struct value *stack, size_t count)
{
    struct value *top = count > 0 ? &stack[count - 1] : stack;
    switch (operation.kind) {
    case OPERATION_OPERAND:
        stack[count] = value_of(binding, operation.operand, is_good);
        return count + 1;
    case OPERATION_UNSUPPORTED:
        stack[count] = (struct value){.result = SV_FORMULA_E_UNSUPPORTED};
        return count + 1;
    case OPERATION_AND:
    case OPERATION_OR:
        assert(count >= 2);
        top[-1] = combine(top[-1], top[0], operation.kind == OPERATION_AND);
        return count - 1;
    case OPERATION_NOT:
        *top = negate(*top);
        return count;
    case OPERATION_ANY:
    case OPERATION_ALL:
        *top = call(binding, *top, operation.kind == OPERATION_ANY, is_good);
        return count;
    case OPERATION_DROP:
        assert(count >= 2);
        return count - 1;
    case OPERATION_OTHER_CALL:
        *top = (struct value){.result = SV_FORMULA_E_UNSUPPORTED};
        return count;
    }
    return count;
}

enum sv_formula_result sv_formula_evaluate(const struct sv_formula_binding *binding,
                                           const bool *is_good, const char **ret_operand)
{
    const struct sv_formula *formula = binding->formula;
    struct value stack[SV_FORMULA_OPERATIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < formula->operation_count; i++)
        count = perform(binding, formula->operations[i], is_good, stack, count);
    assert(count == 1);
    bool has_operand =
        stack[0].result == SV_FORMULA_E_NOBODY || stack[0].result == SV_FORMULA_E_SEVERAL;
    if (ret_operand)
        *ret_operand = has_operand ? formula->operands[stack[0].operand].text : NULL;
    return stack[0].result;
}
