"""Runs a command to which the kernel refuses some system calls, as old kernels and strict seccomp profiles do.

    refuse_calls.py NUMBER[,NUMBER...] COMMAND [ARGUMENT...]

The numbers of new calls are the same on every architecture: 424 pidfd_send_signal, 434 pidfd_open, 435 clone3.
"""

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000
ENOSYS = 38


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    steps = [(LOAD_WORD, 0, 0, 0)]
    for number in sys.argv[1].split(","):
        steps += [(JUMP_IF_EQUAL, 0, 1, int(number)), (RETURN, 0, 0, FAIL_WITH | ENOSYS)]
    steps.append((RETURN, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program):
        sys.exit(f"no seccomp filter on {platform.release()}: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
