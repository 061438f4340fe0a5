#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int sv_error_trace(int error, const char *function, const char *file, int line)
{
    sv_log(SV_LOG_TRACE, "%s: %s at %s:%d", sv_errno_name(error), function, file, line);
    return error;
}

const char *sv_errno_name(int error)
{
    const char *name = strerrorname_np(abs(error));
    return name ? name : "E?";
}

const char *sv_errno_text(int error)
{
    const char *text = strerrordesc_np(abs(error));
    return text ? text : "unknown error";
}
