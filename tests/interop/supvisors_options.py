#!/usr/bin/python3
"""Every option of [rpcinterface:supvisors] means to svisord what it means to Supvisors 0.19."""
# seconds: 120

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import supvisors_facts
import tap

HEAD = """[supervisord]
[inet_http_server]
port=127.0.0.1:60000
[rpcinterface:supvisors]
supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface
"""

LIST = "supvisors_list=one,<two>10.0.0.2,three:60001"
VALUES = {
    "software_name": ["", "The software"],
    "multicast_group": ["239.0.0.1:1234", "224.0.0.0:1234", "240.0.0.1:1", "239.0.0.1", "239.0.0.1:0", "239.0.0:1",
                        "239.256.0.1:1", "x:1", "224.0.0.1:65535"],
    "stereotypes": ["", "a", "a,b , a,,c", "@TEST"],
    "core_identifiers": ["", "one", "one,two,,one"],
    "event_link": ["NONE", "zmq", "Ws", "tcp", ""],
    "event_port": ["1", "65535", "0", "65536", "x", " 7000 ", "-1"],
    "auto_fence": ["true", "false", "YES", "0", "maybe", ""],
    "synchro_options": ["STRICT", "LIST", "TIMEOUT", "USER", "strict,user", "CORE,USER", "STRICT,,LIST", "STRICT,NONE",
                        "", "STRICT,STRICT", "core"],
    "synchro_timeout": ["15", "1200", "14", "1201", "x", "15.5"],
    "inactivity_ticks": ["2", "720", "1", "721", "x", ""],
    "supvisors_failure_strategy": ["CONTINUE", "RESYNC", "shutdown", "STOP"],
    "starting_strategy": ["CONFIG", "LESS_LOADED", "most_loaded", "LOCAL", "LESS_LOADED_NODE", "MOST_LOADED_NODE", "X"],
    "conciliation_strategy": ["SENICIDE", "infanticide", "USER", "STOP", "RESTART", "RUNNING_FAILURE", "x"],
    "stats_enabled": ["OFF", "host", "PROCESS", "ALL", "true", "false", "HOST,PROCESS", "HOST,x", "", "off,HOST", "1"],
    "stats_collecting_period": ["1", "3600", "0.5", "3601", "7.5", "x"],
    "stats_periods": ["10", "60,5,10.5", "1,2,3,4", "", "0", "3601", "x", "5, 6"],
    "stats_histo": ["10", "1500", "9", "1501", "x"],
    "stats_irix_mode": ["true", "no", "x"],
    "tail_limit": ["0", "1KB", "2mb", "x"],
    "tailf_limit": ["5GB", "100", "KB"],
    "logfile": ["AUTO", "auto", "/tmp/x.log", "/no/such/directory/x.log"],
    "logfile_maxbytes": ["1MB", "x"],
    "logfile_backups": ["0", "x"],
    "loglevel": ["debug", "TRACE", "blather", "loud"],
}
LISTS = ["one", "one:60000", "<a>one", "<a>one:60000", "one,two", "one,,one", " one , two ", "<supervisor>one",
         "<supervisor>one:7000", "a b", "<>one", "<a>", "one:", "one:60000x", "a_b-c.d", "<a:b.c-d_e>one", "on/e",
         "<a>one:6000,<b>two:6000", "one:6000,<x>one:6000", "<a>one,<a>two", "é:6000"]
TOGETHER = [
    {"synchro_options": "STRICT,CORE", "core_identifiers": "one"},
    {"synchro_options": "STRICT", "supvisors_failure_strategy": "SHUTDOWN", "supvisors_list": "one,two"},
    {"synchro_options": "STRICT,TIMEOUT", "supvisors_failure_strategy": "RESYNC", "supvisors_list": "one,two"},
    {"multicast_group": "239.1.1.1:5000", "multicast_interface": "10.0.0.1", "multicast_ttl": "3"},
    {"multicast_group": "239.1.1.1:5000", "multicast_interface": "ANY", "multicast_ttl": "256"},
    {"multicast_group": "239.1.1.1:5000", "multicast_interface": "10.0.0", "multicast_ttl": "x"},
    {"multicast_group": "239.1.1.1:5000", "multicast_interface": "INADDR_ANY"},
    {"supvisors_list": "one,<two>10.0.0.2,three:60001", "event_port": "7000"},
]


def cases():
    # ini strips a value, so the reference is given what ini gives
    found = [{"supvisors_list": text.strip()} for text in LISTS]
    found += [{key: text.strip()} for key, texts in VALUES.items() for text in texts]
    found += [{key: text.strip(), "supvisors_list": "one,two"} for key, texts in VALUES.items() for text in texts
              if key in ("synchro_options", "core_identifiers")]
    return [{"options": one} for one in found + TOGETHER]


def words(text):
    return sorted(text.split(",")) if text else []


def svisord_says(options, folder):
    """The same shape as supvisors_reference.options_of(); None: refused."""
    path = os.path.join(folder, "svisord.conf")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(HEAD + "".join(f"{key}={text}\n" for key, text in options.items()))
    done = subprocess.run([os.path.join(tap_options.build, "svisord"), "--check", "-c", path], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        return None
    said = next(keys for title, keys in supvisors_facts.sections(done.stdout) if title == "[rpcinterface:supvisors]")
    types = said["stats_enabled"]
    return {
        "supvisors_list": said["supvisors_list"].split(",") if options.get("supvisors_list") else [],
        "stereotypes": words(said["stereotypes"]),
        "core_identifiers": words(said["core_identifiers"]),
        "software_name": said["software_name"],
        "multicast_group": said.get("multicast_group"),
        "multicast_interface": said.get("multicast_interface"),
        "multicast_ttl": int(said["multicast_ttl"]) if "multicast_ttl" in said else None,
        "event_link": said["event_link"],
        "event_port": int(said["event_port"]),
        "auto_fence": said["auto_fence"] == "true",
        "synchro_options": words(said["synchro_options"]),
        "synchro_timeout": int(said["synchro_timeout"]),
        "inactivity_ticks": int(said.get("inactivity_ticks", 2)),
        "supvisors_failure_strategy": said["supvisors_failure_strategy"],
        "starting_strategy": said["starting_strategy"],
        "conciliation_strategy": said["conciliation_strategy"],
        "host_stats": types in ("HOST", "ALL"),
        "process_stats": types in ("PROCESS", "ALL"),
        "stats_collecting_period": float(said["stats_collecting_period"]),
        "stats_periods": [float(one) for one in said["stats_periods"].split(",")],
        "stats_histo": int(said["stats_histo"]),
        "stats_irix_mode": said["stats_irix_mode"] == "true",
        "tail_limit": int(said["tail_limit"]),
        "tailf_limit": int(said["tailf_limit"]),
        "logfile": said["logfile"],
    }


def differences(options, expected, actual):
    if expected is None or actual is None:
        both = [None if one is None else "accepted" for one in (expected, actual)]
        return [] if both[0] == both[1] else [f"{options}: Supvisors {both[0] or 'refused'}, svisord "
                                              f"{both[1] or 'refused'}"]
    return [f"{options}: {key}: Supvisors {expected[key]!r}, svisord {actual[key]!r}" for key in expected
            if expected[key] != actual[key]]


@tap.test("every value of every option is taken, defaulted or refused alike")
def _():
    found = []
    asked = cases()
    with tempfile.TemporaryDirectory() as folder:
        for case, expected in zip(asked, supvisors_facts.answers("supvisors_options", asked, tap_options.record)):
            found += differences(case["options"], expected, svisord_says(case["options"], folder))
    print(f"# {len(asked)} cases")
    tap.check_true(not found, "\n".join(found))


if __name__ == "__main__":
    tap_options = tap.arguments(lambda parser: parser.add_argument("--record", action="store_true"))
    tap.run_all(tap_options)
