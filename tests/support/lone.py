"""A svisord without a cluster: what its file begins with, and the server itself.

    with serve(options.build, PORT + "[program:web]\\ncommand=sleep 1000\\n") as server: ...
"""

import tap
from daemon import Server, binary

HEAD = """
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=lone
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
SOCKET = """
[unix_http_server]
file=@SOCK@
"""
PORT = """
[inet_http_server]
port=127.0.0.1:@PORT@
"""


def serve(build, config, **more):
    """`config` after HEAD; without svisord the test is skipped."""
    if binary("svisord", build) is None:
        tap.skip(f"{build}/svisord is not built")
    return Server("svisord", build, HEAD + config, **more)
