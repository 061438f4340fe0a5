/* A parsed formula. Private to formula.c and formula_evaluate.c. */
#ifndef SV_CONFIG_FORMULA_PRIVATE_H
#define SV_CONFIG_FORMULA_PRIVATE_H

#include "config/formula.h"

enum operation_kind {
    OPERATION_OPERAND,
    OPERATION_AND,
    OPERATION_OR,
    OPERATION_NOT,
    OPERATION_ANY,
    OPERATION_ALL,
    OPERATION_DROP,        /* an argument too many: Supvisors looks at the first only */
    OPERATION_UNSUPPORTED, /* an operand that is none */
    OPERATION_OTHER_CALL,  /* takes a value, gives an error */
};

struct operation {
    enum operation_kind kind;
    uint32_t operand;
};

struct operand {
    const char *text;
    const struct sv_pattern *pattern; /* NULL: only a name */
};

struct sv_formula {
    const char *text;
    struct operation *operations;
    size_t operation_count;
    size_t operation_capacity; /* no sign of the text is more than one operation */
    struct operand *operands;
    size_t operand_count;
};

#endif
