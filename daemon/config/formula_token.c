/*
 * What Python's tokenizer makes of a formula, as far as a formula can go: string literals with
 * their prefixes and escapes, words, parentheses, commas, comments.
 *
 * Two habits of Python that users meet: a text that begins with a blank is an "unexpected indent",
 * and a line that ends outside of parentheses ends the formula.
 */
#include "config/formula_token.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "config/pytext.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || (unsigned char)c >= 0x80;
}

static const char *skip_comment(const char *text)
{
    return *text == '#' ? text + strcspn(text, "\n") : text;
}

bool sv_tokens_begin(struct sv_tokens *tokens, const char *text)
{
    *tokens = (struct sv_tokens){.rest = text};
    for (const char *line = text;; line++) {
        const char *first = line;
        while (is_blank(*first))
            first++;
        const char *end = skip_comment(first);
        if (*end != '\n') {
            tokens->rest = first;
            tokens->problem = *end == '\0'    ? "is empty"
                              : first != line ? "begins with a blank, which Python, and so "
                                                "Supvisors, takes for an error; begin it right "
                                                "behind <operational_status>"
                                              : NULL;
            return !tokens->problem;
        }
        line = end;
    }
}

void sv_tokens_done(struct sv_tokens *tokens)
{
    sv_str_done(&tokens->text);
}

/* What may stand between two words. Outside of parentheses, nothing may follow the end of a line.
 */
static bool skip_blanks(struct sv_tokens *tokens)
{
    bool has_line_end = false;
    for (;; tokens->rest++) {
        tokens->rest = skip_comment(tokens->rest);
        has_line_end = has_line_end || (*tokens->rest == '\n' && tokens->depth == 0);
        if (!is_blank(*tokens->rest) && *tokens->rest != '\n')
            break;
    }
    if (!has_line_end || *tokens->rest == '\0')
        return true;
    tokens->problem = "goes on in a second line; put parentheses around it";
    return false;
}

static void add_code_point(struct sv_str *text, uint32_t code)
{
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    unsigned char bytes[4];
    for (size_t i = count; i-- > 1; code >>= 6)
        bytes[i] = (unsigned char)(0x80 | (code & 0x3F));
    bytes[0] = (unsigned char)(count == 1 ? code : marks[count] | code);
    sv_str_append(text, bytes, count);
}

/* Up to `digits` digits of that base. Returns how many there were. */
static size_t read_digits(const char *text, size_t digits, unsigned base, uint32_t *ret_code)
{
    static const char all[] = "0123456789abcdef";
    size_t count = 0;
    *ret_code = 0;
    for (; count < digits && text[count] != '\0'; count++) {
        char lower =
            text[count] >= 'A' && text[count] <= 'F' ? (char)(text[count] | 0x20) : text[count];
        const char *place = memchr(all, lower, base);
        if (!place)
            break;
        *ret_code = *ret_code * base + (uint32_t)(place - all);
    }
    return count;
}

/* The escape behind a backslash. Returns its bytes; 0: it is broken. */
static size_t read_escape(const char *text, struct sv_str *out)
{
    static const char letters[] = "\\'\"abfnrtv";
    static const char meanings[] = "\\'\"\a\b\f\n\r\t\v";
    static const struct {
        char letter;
        size_t digits;
    } numbers[] = {{'x', 2}, {'u', 4}, {'U', 8}};
    uint32_t code = 0;
    if (*text == '\n')
        return 1;
    const char *letter = strchr(letters, *text);
    if (*text && letter) {
        sv_str_add_char(out, meanings[letter - letters]);
        return 1;
    }
    size_t octal = read_digits(text, 3, 8, &code);
    if (octal > 0) {
        add_code_point(out, code);
        return code > 0 ? octal : 0;
    }
    for (size_t i = 0; i < SV_ARRAY_LENGTH(numbers); i++) {
        if (*text != numbers[i].letter)
            continue;
        bool is_good = read_digits(text + 1, numbers[i].digits, 16, &code) == numbers[i].digits &&
                       code > 0 && code < 0x110000 && !(code >= 0xD800 && code < 0xE000);
        if (is_good)
            add_code_point(out, code);
        return is_good ? 1 + numbers[i].digits : 0;
    }
    if (*text == 'N' || *text == '\0')
        return 0;
    sv_str_add_char(out, '\\'); /* Python leaves alone what it does not know, such as \d */
    return SIZE_MAX;
}

/* Whether the quotes that end the literal are next; three of them for one that began with three. */
static bool is_end(const char *text, char quote, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text[i] != quote)
            return false;
    return true;
}

/* The backslash at tokens->rest, and what belongs to it. */
static bool read_backslash(struct sv_tokens *tokens, bool is_raw)
{
    tokens->rest++;
    if (is_raw && *tokens->rest != '\0') {
        sv_str_add_char(&tokens->text, '\\');
        sv_str_add_char(&tokens->text, *tokens->rest++);
        return true;
    }
    size_t length = is_raw ? 0 : read_escape(tokens->rest, &tokens->text);
    if (length == 0)
        tokens->problem = "has a broken escape behind a backslash; write r'…' for a pattern";
    else
        tokens->rest += length == SIZE_MAX ? 0 : length;
    return length > 0;
}

/* The literal that begins with the quote at tokens->rest. */
static bool read_literal(struct sv_tokens *tokens, bool is_raw)
{
    char quote = *tokens->rest;
    size_t count = is_end(tokens->rest, quote, 3) ? 3 : 1;
    tokens->rest += count;
    while (!is_end(tokens->rest, quote, count)) {
        if (*tokens->rest == '\0' || (*tokens->rest == '\n' && count == 1)) {
            tokens->problem = "has a string without its closing quote";
            return false;
        }
        if (*tokens->rest != '\\')
            sv_str_add_char(&tokens->text, *tokens->rest++);
        else if (!read_backslash(tokens, is_raw))
            return false;
    }
    tokens->rest += count;
    return true;
}

enum literal_kind { LITERAL_TEXT, LITERAL_BYTES, LITERAL_FORMATTED };

static const struct literal {
    const char *prefix;
    bool is_raw;
    enum literal_kind kind;
} literals[] = {
    {"", false, LITERAL_TEXT},       {"u", false, LITERAL_TEXT},
    {"r", true, LITERAL_TEXT},       {"b", false, LITERAL_BYTES},
    {"br", true, LITERAL_BYTES},     {"rb", true, LITERAL_BYTES},
    {"f", false, LITERAL_FORMATTED}, {"fr", true, LITERAL_FORMATTED},
    {"rf", true, LITERAL_FORMATTED},
};

/* The kind of string literal that begins here; NULL: none. */
static const struct literal *find_literal(const char *text)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(literals); i++) {
        size_t length = strlen(literals[i].prefix);
        if (strncasecmp(text, literals[i].prefix, length) == 0 &&
            (text[length] == '\'' || text[length] == '"'))
            return &literals[i];
    }
    return NULL;
}

static enum sv_token_kind read_strings(struct sv_tokens *tokens)
{
    size_t counts[] = {[LITERAL_TEXT] = 0, [LITERAL_BYTES] = 0, [LITERAL_FORMATTED] = 0};
    const struct literal *literal;
    while ((literal = find_literal(tokens->rest))) {
        counts[literal->kind]++;
        tokens->rest += strlen(literal->prefix);
        if (!read_literal(tokens, literal->is_raw) || !skip_blanks(tokens))
            return SV_TOKEN_BAD;
    }
    if (counts[LITERAL_BYTES] > 0 && counts[LITERAL_TEXT] + counts[LITERAL_FORMATTED] > 0) {
        tokens->problem = "has text behind bytes; write '…' without b";
        return SV_TOKEN_BAD;
    }
    return counts[LITERAL_BYTES] + counts[LITERAL_FORMATTED] == 0 ? SV_TOKEN_STRING
                                                                  : SV_TOKEN_OTHER_STRING;
}

static enum sv_token_kind read_word(struct sv_tokens *tokens)
{
    static const struct {
        const char *word;
        enum sv_token_kind kind;
    } words[] = {{"and", SV_TOKEN_AND}, {"or", SV_TOKEN_OR}, {"not", SV_TOKEN_NOT}};
    while (is_word(*tokens->rest))
        sv_str_add_char(&tokens->text, *tokens->rest++);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(words); i++)
        if (strcmp(sv_str_text(&tokens->text), words[i].word) == 0)
            return words[i].kind;
    return SV_TOKEN_NAME;
}

enum sv_token_kind sv_tokens_next(struct sv_tokens *tokens)
{
    sv_str_clear(&tokens->text);
    if (!skip_blanks(tokens))
        return SV_TOKEN_BAD;
    if (find_literal(tokens->rest))
        return read_strings(tokens);
    if (is_word(*tokens->rest))
        return read_word(tokens);
    char c = *tokens->rest;
    if (c == '\0')
        return SV_TOKEN_END;
    tokens->rest++;
    if (c == '(')
        tokens->depth++;
    if (c == ')' && tokens->depth > 0)
        tokens->depth--;
    if (c == '(' || c == ')' || c == ',')
        return c == '(' ? SV_TOKEN_OPEN : c == ')' ? SV_TOKEN_CLOSE : SV_TOKEN_COMMA;
    tokens->problem = "has a sign that means nothing here; write names in quotes, and, or, not, "
                      "any(), all() and parentheses";
    return SV_TOKEN_BAD;
}
