/*
 * From the text of a formula to operations in postfix order.
 *
 * Supvisors lets Python parse the text (application.py, status_formula) and walks its tree with a
 * few kinds of node that it knows. Here it is Dijkstra's shunting yard, without recursion and
 * without a tree: operators wait on a stack until their right side is complete.
 *
 *     all('a.*') and not "b"   ->   operand a.*, ALL, operand b, NOT, AND
 *
 * What Python parses and Supvisors then refuses at each evaluation (a name without quotes, another
 * function) is an operation of its own, so that the formula is kept and fails, as it does there.
 */
#include <string.h>
#include <svisor/limits.h>

#include "config/formula_private.h"
#include "config/formula_token.h"

enum waiting_kind {
    WAITING_OR,
    WAITING_AND,
    WAITING_NOT,
    WAITING_PARENTHESIS,
    WAITING_CALL,
};

struct waiting {
    enum waiting_kind kind;
    enum operation_kind call;
    size_t argument_count;
};

struct parser {
    struct sv_tokens tokens;
    enum sv_token_kind token; /* the next one */
    struct sv_formula *formula;
    struct sv_arena *arena;
    struct sv_str *problem;
    struct waiting stack[SV_FORMULA_DEPTH_MAX];
    size_t depth;
    bool has_failed;
};

static void fail(struct parser *parser, const char *problem)
{
    if (!parser->has_failed) {
        sv_str_clear(parser->problem);
        sv_str_add(parser->problem, problem);
    }
    parser->has_failed = true;
}

static void next(struct parser *parser)
{
    parser->token = sv_tokens_next(&parser->tokens);
    if (parser->token == SV_TOKEN_BAD)
        fail(parser, parser->tokens.problem);
}

static void emit(struct parser *parser, enum operation_kind kind, uint32_t operand)
{
    struct sv_formula *formula = parser->formula;
    if (formula->operation_count == formula->operation_capacity) {
        fail(parser, "has too many operands and operators; write a pattern for many names");
        return;
    }
    formula->operations[formula->operation_count++] = (struct operation){kind, operand};
}

static void push(struct parser *parser, struct waiting waiting)
{
    if (parser->depth == SV_FORMULA_DEPTH_MAX)
        fail(parser, "has too many parentheses in parentheses");
    else
        parser->stack[parser->depth++] = waiting;
}

/* Emits the operators on top of the stack that bind at least as closely as `kind`. */
static void reduce(struct parser *parser, enum waiting_kind kind)
{
    static const enum operation_kind operations[] = {
        [WAITING_OR] = OPERATION_OR, [WAITING_AND] = OPERATION_AND, [WAITING_NOT] = OPERATION_NOT};
    while (parser->depth > 0) {
        enum waiting_kind top = parser->stack[parser->depth - 1].kind;
        if (top < kind || top > WAITING_NOT)
            break;
        emit(parser, operations[top], 0);
        parser->depth--;
    }
}

/* A remark about a formula that is used all the same: the first one counts. */
static void remark(struct parser *parser, const char *before, const char *text, const char *after)
{
    if (parser->problem->length > 0)
        return;
    sv_str_add(parser->problem, before);
    sv_str_add(parser->problem, text);
    sv_str_add(parser->problem, after);
}

static void add_operand(struct parser *parser)
{
    struct sv_formula *formula = parser->formula;
    struct operand *operand = &formula->operands[formula->operand_count];
    const char *text = sv_str_text(&parser->tokens.text);
    char *whole = sv_arena_printf(parser->arena, "^%s$", text);
    operand->text = sv_arena_strdup(parser->arena, text);
    if (!operand->text || !whole || !sv_str_ok(&parser->tokens.text)) {
        fail(parser, "out of memory");
        return;
    }
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    operand->pattern = sv_pattern_compile_name(whole, true, parser->arena, &problem);
    if (!operand->pattern)
        remark(parser, "has the broken pattern ", operand->text,
               "; it can only be the name of a program");
    emit(parser, OPERATION_OPERAND, (uint32_t)formula->operand_count);
    formula->operand_count += !parser->has_failed;
}

static bool is_number(const char *text)
{
    return *text >= '0' && *text <= '9';
}

/* A word in the place of an operand: the name of a function, or a mistake. */
static void add_word(struct parser *parser)
{
    char *name = sv_arena_strdup(parser->arena, sv_str_text(&parser->tokens.text));
    if (!name) {
        fail(parser, "out of memory");
        return;
    }
    next(parser);
    if (parser->token != SV_TOKEN_OPEN) {
        remark(parser, "has ", name,
               " without quotes; write quotes around the name of a program, or it stays a failure");
        emit(parser, OPERATION_UNSUPPORTED, 0);
        return;
    }
    bool is_any = strcmp(name, "any") == 0;
    bool is_known = is_any || strcmp(name, "all") == 0;
    if (!is_known)
        remark(parser, "calls ", name, "(), which is none of any() and all(); it stays a failure");
    if (is_number(name))
        fail(parser, "calls a number");
    push(parser, (struct waiting){.kind = WAITING_CALL,
                                  .call = !is_known ? OPERATION_OTHER_CALL
                                          : is_any  ? OPERATION_ANY
                                                    : OPERATION_ALL});
    next(parser);
    if (parser->token == SV_TOKEN_CLOSE) {
        remark(parser, "calls ", name, "() with nothing in it; it stays a failure");
        emit(parser, OPERATION_UNSUPPORTED, 0);
    }
}

/* Reads up to the end of one operand. True: an operand was read, an operator must follow. */
static bool read_operand(struct parser *parser)
{
    switch (parser->token) {
    case SV_TOKEN_STRING:
        add_operand(parser);
        next(parser);
        return true;
    case SV_TOKEN_OTHER_STRING:
        remark(parser, "has a string that is no plain text", "", "; write '…' or r'…'");
        emit(parser, OPERATION_UNSUPPORTED, 0);
        next(parser);
        return true;
    case SV_TOKEN_NAME: {
        size_t depth = parser->depth;
        add_word(parser);
        return parser->depth == depth || parser->token == SV_TOKEN_CLOSE;
    }
    case SV_TOKEN_NOT:
        push(parser, (struct waiting){.kind = WAITING_NOT});
        next(parser);
        return false;
    case SV_TOKEN_OPEN:
        push(parser, (struct waiting){.kind = WAITING_PARENTHESIS});
        next(parser);
        if (parser->token != SV_TOKEN_CLOSE)
            return false;
        remark(parser, "has parentheses with nothing in them", "", "; it stays a failure");
        emit(parser, OPERATION_UNSUPPORTED, 0);
        return true;
    case SV_TOKEN_AND:
    case SV_TOKEN_OR:
    case SV_TOKEN_CLOSE:
    case SV_TOKEN_COMMA:
    case SV_TOKEN_END:
    case SV_TOKEN_BAD:
        fail(parser, "has an operator or a parenthesis where the name of a program must be");
        return false;
    }
    return false;
}

/* The end of an argument: what waits inside of the call is complete. */
static void end_argument(struct parser *parser)
{
    struct waiting *call = &parser->stack[parser->depth - 1];
    if (call->argument_count++ > 0)
        emit(parser, OPERATION_DROP, 0);
}

static void read_close(struct parser *parser)
{
    reduce(parser, WAITING_OR);
    if (parser->depth == 0) {
        fail(parser, "closes a parenthesis that was not opened");
        return;
    }
    if (parser->stack[parser->depth - 1].kind == WAITING_CALL) {
        end_argument(parser);
        emit(parser, parser->stack[parser->depth - 1].call, 0);
    }
    parser->depth--;
    next(parser);
}

/* "any('a', 'b')" and "any('a',)". True: an operand is already there again. */
static bool read_comma(struct parser *parser)
{
    reduce(parser, WAITING_OR);
    if (parser->depth == 0 || parser->stack[parser->depth - 1].kind != WAITING_CALL) {
        fail(parser, "has a comma outside of any() and all(); write and, or");
        return false;
    }
    remark(parser, "has a comma", "",
           ": any() and all() look at what is before it; write any('a|b') or any('a' or 'b')");
    next(parser);
    if (parser->token != SV_TOKEN_CLOSE)
        end_argument(parser);
    return parser->token == SV_TOKEN_CLOSE;
}

/* What follows an operand. True: an operand is there again, false: one must follow. */
static bool read_operator(struct parser *parser)
{
    enum waiting_kind kind = parser->token == SV_TOKEN_AND ? WAITING_AND : WAITING_OR;
    switch (parser->token) {
    case SV_TOKEN_AND:
    case SV_TOKEN_OR:
        reduce(parser, kind);
        push(parser, (struct waiting){.kind = kind});
        next(parser);
        return false;
    case SV_TOKEN_CLOSE:
        read_close(parser);
        return true;
    case SV_TOKEN_COMMA:
        return read_comma(parser);
    case SV_TOKEN_STRING:
    case SV_TOKEN_OTHER_STRING:
    case SV_TOKEN_NAME:
    case SV_TOKEN_NOT:
    case SV_TOKEN_OPEN:
    case SV_TOKEN_END:
    case SV_TOKEN_BAD:
        fail(parser, "has two operands without and, or between them");
        return false;
    }
    return false;
}

static void parse(struct parser *parser)
{
    bool has_operand = false;
    next(parser);
    while (!parser->has_failed && !(has_operand && parser->token == SV_TOKEN_END))
        has_operand = has_operand ? read_operator(parser) : read_operand(parser);
    reduce(parser, WAITING_OR);
    if (parser->depth > 0)
        fail(parser, "has a parenthesis that is not closed");
}

const struct sv_formula *sv_formula_parse(const char *text, struct sv_arena *arena,
                                          struct sv_str *problem)
{
    struct parser parser = {.arena = arena, .problem = problem};
    if (strlen(text) > SV_FORMULA_BYTES_MAX) {
        sv_str_addf(problem, "is longer than %d bytes", SV_FORMULA_BYTES_MAX);
        return NULL;
    }
    parser.formula = sv_arena_new(arena, struct sv_formula);
    if (parser.formula) {
        parser.formula->text = sv_arena_strdup(arena, text);
        size_t capacity = strlen(text) + 1 < SV_FORMULA_OPERATIONS_MAX ? strlen(text) + 1
                                                                       : SV_FORMULA_OPERATIONS_MAX;
        parser.formula->operation_capacity = capacity;
        parser.formula->operations = sv_arena_array(arena, struct operation, capacity);
        parser.formula->operands = sv_arena_array(arena, struct operand, capacity);
    }
    if (!parser.formula || !parser.formula->text || !parser.formula->operations ||
        !parser.formula->operands) {
        sv_str_add(problem, "out of memory");
        return NULL;
    }
    if (sv_tokens_begin(&parser.tokens, text))
        parse(&parser);
    else
        fail(&parser, parser.tokens.problem);
    sv_tokens_done(&parser.tokens);
    return parser.has_failed ? NULL : parser.formula;
}

const char *sv_formula_text(const struct sv_formula *formula)
{
    return formula->text;
}
