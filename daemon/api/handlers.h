/* The functions behind the rows of methods.def: each settles its call, or leaves members that wait.
 */
#ifndef SV_API_HANDLERS_H
#define SV_API_HANDLERS_H

#include "api/call.h"
#include "api/method.h"

#define ALIAS(name, method)
#define METHOD(name, handler, ...)                                                                 \
    void sv_method_##handler(struct sv_api_call *call, const struct sv_argument *arguments);
#include "api/methods.def"
#undef METHOD
#undef ALIAS

#endif
