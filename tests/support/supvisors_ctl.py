"""supervisorctl with the plug-in of Supvisors, many command lines in one process: its start takes longer than all of them.

    SUPVISORS_SRC=checkout supvisors_ctl.py CONFIGURATION < lines > answers

Each answer is a line of JSON: [what was printed, exit code].
"""

import contextlib
import io
import json
import os
import sys

sys.path.insert(0, os.environ["SUPVISORS_SRC"])

from supervisor.options import ClientOptions  # noqa: E402
from supervisor.supervisorctl import Controller  # noqa: E402

options = ClientOptions()
options.realize(["-c", sys.argv[1], "help"])
for line in sys.stdin:
    controller = Controller(options)
    printed = io.StringIO()
    controller.stdout = printed
    with contextlib.redirect_stdout(printed):
        controller.onecmd(line.rstrip("\n"))
    print(json.dumps([printed.getvalue(), controller.exitstatus]), flush=True)
