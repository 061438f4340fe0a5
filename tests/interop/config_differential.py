# Supervisor's own reader of configurations and `svisord --check` read the same files, and every value is compared.
# seconds: 120
"""Hand-written files from real life, and generated ones from a fixed seed.

The reference is supervisor.options.ServerOptions in this process. NEVER_NEGATIVE and REFUSED_ON_PURPOSE are the
deliberate differences: docs/migration.md explains them to users.
"""
import contextlib
import io
import os
import pwd
import random
import re
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import config_samples
import tap
from daemon import binary

SEED = 20221122
BATCHES, FILES_IN_BATCH = 8, 30
ENVIRONMENT = {"SHOP_HOME": "/srv/shop", "SHOP_PORT": "8080", "PER_CENT": "100%"}

# A negative time, count or size means nothing: svisord brings it to 0, with a warning.
NEVER_NEGATIVE = re.compile(r"startsecs|stopwaitsecs|startretries|minfds|minprocs|.*_backups|.*_maxbytes")
# What Supervisor takes, or fails at when it is too late, and svisord refuses at the start: its words, and the reason.
REFUSED_ON_PURPOSE = [
    (r"Invalid name", "a process name with a slash would leave the log directory"),
    (r"'0' is not a valid signal number", "a stop that sends nothing always ends in SIGKILL"),
    (r"format requires a name", "%s alone gives a print of all variables, passwords and all"),
]


def load_reference(path):
    """The tables of sections that Supervisor makes of the file, or the text of its refusal."""
    from supervisor.options import ServerOptions

    said = io.StringIO()
    options = ServerOptions()
    options.stderr = options.stdout = said
    with contextlib.redirect_stderr(said):
        try:
            options.realize(["-c", path], doc="")
        except SystemExit:
            return said.getvalue() or "refused"
    return describe_reference(options)


def truth(value):
    return "true" if value else "false"


def restart_word(value):
    from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected

    return {RestartUnconditionally: "true", RestartWhenExitUnexpected: "unexpected"}.get(value, "false")


def logfile_word(value):
    from supervisor.datatypes import Automatic

    return "NONE" if value is None else "AUTO" if value is Automatic else value


def octal(value):
    return None if value is None else f"{value:03o}"


def describe_process(config):
    from supervisor.options import signame

    row = {
        "command": config.command, "directory": config.directory, "user": config.uid, "umask": octal(config.umask),
        "priority": str(config.priority), "autostart": truth(config.autostart),
        "autorestart": restart_word(config.autorestart), "startsecs": str(config.startsecs),
        "startretries": str(config.startretries), "exitcodes": ",".join(map(str, config.exitcodes)),
        "stopsignal": signame(config.stopsignal)[3:], "stopwaitsecs": str(config.stopwaitsecs),
        "stopasgroup": truth(config.stopasgroup), "killasgroup": truth(config.killasgroup),
        "redirect_stderr": truth(config.redirect_stderr),
        "serverurl": "AUTO" if config.serverurl is None else config.serverurl,
        "environment": dict(config.environment),
    }
    for channel in ("stdout", "stderr"):
        def value(name, channel=channel):
            return getattr(config, f"{channel}_{name}")

        row[f"{channel}_logfile"] = logfile_word(value("logfile"))
        row[f"{channel}_logfile_maxbytes"] = value("logfile_maxbytes")
        row[f"{channel}_logfile_backups"] = str(value("logfile_backups"))
        row[f"{channel}_capture_maxbytes"] = value("capture_maxbytes")
        row[f"{channel}_events_enabled"] = truth(value("events_enabled"))
        row[f"{channel}_syslog"] = truth(value("syslog"))
    return row


def describe_group(group):
    from supervisor import events
    from supervisor.options import EventListenerPoolConfig, FastCGIGroupConfig

    row = {"priority": str(group.priority)}
    if isinstance(group, EventListenerPoolConfig):
        wanted = tuple(group.pool_events)
        row["events"] = sorted(name for name, kind in vars(events.EventTypes).items()
                               if isinstance(kind, type) and issubclass(kind, wanted))
        row["buffer_size"] = str(group.buffer_size)
    if isinstance(group, FastCGIGroupConfig):
        row["socket"] = group.socket_config.url
        row["socket_backlog"] = group.socket_config.backlog and str(group.socket_config.backlog)
        if group.socket_config.url.startswith("unix:"):
            row["socket_mode"] = octal(group.socket_config.mode)
            row["socket_owner"] = owner_word(*(group.socket_config.owner or (-1, -1)))
    return row


def owner_word(uid, gid):
    """As svisord prints it; -1 is what was not given."""
    return None if uid == -1 else str(uid) if gid == -1 else f"{uid}:{gid}"


def describe_server(config):
    row = {"username": config["username"]}
    if config["family"] == socket.AF_UNIX:
        uid, gid = config["chown"]
        row.update(file=config["file"], chmod=octal(config["chmod"]), chown=owner_word(uid, gid))
    else:
        row.update(port=f"{config['host'] or '*'}:{config['port']}")
    return row


def describe_reference(options):
    from supervisor.loggers import getLevelNumByDescription

    levels = {getLevelNumByDescription(word): word
              for word in ("critical", "error", "warn", "info", "debug", "trace", "blather")}
    section = options.configroot.supervisord
    found = {"supervisord": {
        "logfile": options.logfile, "logfile_maxbytes": options.logfile_maxbytes,
        "logfile_backups": str(options.logfile_backups), "loglevel": levels[options.loglevel],
        "pidfile": options.pidfile, "umask": octal(options.umask), "nodaemon": truth(options.nodaemon),
        "silent": truth(options.silent), "minfds": str(options.minfds), "minprocs": str(options.minprocs),
        "nocleanup": truth(options.nocleanup), "strip_ansi": truth(options.strip_ansi),
        "childlogdir": options.childlogdir, "user": options.uid, "directory": options.directory,
        "identifier": options.identifier, "environment": dict(section.environment)}}
    for config in options.server_configs:
        found[config["section"]] = describe_server(config)
    groups = sorted(options.process_group_configs)
    for order, group in enumerate(groups):
        if f"group {group.name}" in found:
            continue  # Supervisor adds the first and drops the others without a word
        found[f"group {group.name}"] = describe_group(group)
        for config in group.process_configs:
            found[f"process {group.name}:{config.name}"] = describe_process(config)
    return found


def read_size(text):
    match = re.fullmatch(r"(\d+)(KB|MB|GB)?", text)
    return int(match.group(1)) << {None: 0, "KB": 10, "MB": 20, "GB": 30}[match.group(2)]


def read_environment(text):
    """A="1",B='x "y"'; a quote ends where a comma and the next name, or the end, follow."""
    found = {}
    for match in re.finditer(r"""([^=,"']+)=(?:"(.*?)"|'(.*?)')(?:,(?=[^=,"']+=["'])|\n*\Z)""", text, re.S):
        found[match.group(1)] = match.group(2) if match.group(2) is not None else match.group(3)
    return found


def uid_of(text):
    return int(text) if text.isdigit() else pwd.getpwnam(text).pw_uid


READ = {"environment": read_environment, "user": uid_of, "events": lambda text: sorted(text.split(","))}


def read_check(text):
    """The same tables, of what svisord --check printed. Blocks are parted by blank lines and begin with their name."""
    found = {}
    row = key = None
    for line in text.split("\n"):
        process = re.match(r"; process (.*), of \[", line)
        section = re.fullmatch(r"\[(.*)\]", line)
        option = re.match(r"([a-z_]+)=(.*)", line)
        if process:
            row = found.setdefault("process " + process.group(1), {})
        elif section:
            kind, colon, name = section.group(1).partition(":")
            is_group = colon and kind in ("program", "group", "fcgi-program", "eventlistener")
            row = found.setdefault("group " + name if is_group else section.group(1), {})
        elif option and row is not None:
            key = option.group(1)
            row[key] = option.group(2)
        elif row and key and not line.startswith(";"):
            row[key] += "\n" + line
    for row in found.values():
        for key, value in row.items():
            value = value.rstrip("\n") if key != "command" else value
            read = read_size if key.endswith("maxbytes") else READ.get(key, lambda same: same)
            row[key] = read(value)
    return found


def load_ours(path):
    program = binary("svisord", tap_options.build)
    if program is None:
        tap.skip("svisord is not built")
    done = subprocess.run([program, "--check", "-c", path], capture_output=True, text=True, timeout=30)
    tap.check_true(done.returncode in (0, 2), f"svisord --check ended with {done.returncode}: {done.stderr}")
    return read_check(done.stdout) if done.returncode == 0 else done.stderr


def is_brought_inside(key, reference, ours):
    return NEVER_NEGATIVE.fullmatch(key) and int(reference) < 0 and int(ours) == 0


def differences(reference, ours):
    if isinstance(reference, str) or isinstance(ours, str):
        if isinstance(reference, str) and isinstance(ours, str):
            return []
        if isinstance(ours, str) and any(re.search(pattern, ours) for pattern, _ in REFUSED_ON_PURPOSE):
            return []
        word = {True: "refuses", False: "takes"}
        return [f"supervisord {word[isinstance(reference, str)]} it, svisord {word[isinstance(ours, str)]} it: "
                + (reference if isinstance(reference, str) else ours)]
    lines = []
    ours = {name: row for name, row in ours.items() if not re.match(r"supervisorctl|rpcinterface:|svisor$", name)}
    for name in sorted(set(reference) | set(ours)):
        if name not in reference or name not in ours:
            lines.append(f"{name}: only {'supervisord' if name in reference else 'svisord'} has it")
            continue
        for key, value in reference[name].items():
            mine = ours[name].get(key)
            if value != mine and not is_brought_inside(key, value, mine):
                lines.append(f"{name}: {key}: supervisord reads {value!r}, svisord {mine!r}")
    return lines


def compare(files):
    """`files` are name and text; the first is the main one. What both read, or why not, and every difference."""
    with tempfile.TemporaryDirectory(prefix="svt-") as directory:
        for name, text in files.items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text.replace("@DIR@", directory))
        main = os.path.join(directory, next(iter(files)))
        reference = load_reference(main)
        return reference, differences(reference, load_ours(main))


def register():
    for name, files in config_samples.SAMPLES.items():
        @tap.test(f"read alike: {name}")
        def _(files=files):
            reference, lines = compare(files)
            tap.check_true(not lines, "\n".join(lines))
            tap.check_true(isinstance(reference, dict), f"supervisord says {reference}")

    for batch in range(BATCHES):
        @tap.test(f"generated files are read alike, batch {batch + 1} of {BATCHES} of seed {SEED}")
        def _(batch=batch):
            found = []
            taken_count = 0
            for number in range(FILES_IN_BATCH):
                text = config_samples.generate(random.Random(f"{SEED}/{batch}/{number}"))
                reference, lines = compare({"supervisord.conf": text})
                taken_count += isinstance(reference, dict)
                if lines:
                    found += [f"file {batch}/{number}:", *lines, *("| " + line for line in text.split("\n"))]
            tap.check_true(not found, "\n".join(found[:120]))
            tap.check_true(taken_count * 2 > FILES_IN_BATCH, f"only {taken_count} files were taken: a weak test")


if __name__ == "__main__":
    register()
    tap_options = tap.arguments()
    os.environ.update(ENVIRONMENT)
    try:
        import supervisor.options  # noqa: F401
    except ImportError:
        print("1..1\nok 1 - configurations are read alike # SKIP the real Supervisor is not installed: make deps")
        sys.exit(0)
    tap.run_all(tap_options)
