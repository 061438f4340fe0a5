/*
 * Errors: 0 is done, negative errno is unexpected, positive is a named outcome of that function.
 *
 * A negative value is passed up unchanged; error_trace() marks the way it took, at debug level:
 *
 *     int r = sv_cgroup_create(...);
 *     if (r < 0)
 *         return error_trace(r);
 *
 * After dbus-broker src/util/error.h: the sign says whether to forward or to handle.
 */
#ifndef SV_BASE_ERROR_H
#define SV_BASE_ERROR_H

int sv_error_trace(int error, const char *function, const char *file, int line);
/* "ENOENT" for 2 or -2; "E?" for a number without a name. */
const char *sv_errno_name(int error);
/* "No such file or directory" for 2 or -2. */
const char *sv_errno_text(int error);

#define error_trace(error) sv_error_trace((error), __func__, __FILE__, __LINE__)

#endif
