#!/usr/bin/python3
"""The same rules files give the same rules in svisord and in Supvisors 0.19, for every process and every field."""
# seconds: 200

import glob
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import supvisors_facts
import tap

INSTANCES = ["one:60000", "two:60000", "three:60000"]
HEAD = """[supervisord]
[inet_http_server]
port=127.0.0.1:60000
[rpcinterface:supvisors]
supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface
"""
PROCESSES = [["web", "server"], ["web", "server_1"], ["web", "server_12"], ["web", "other"], ["db", "server"],
             ["db", "backup"], ["web_1", "server"], ["web-2", "server"], ["web-0", "worker"], ["x-10", "worker"],
             ["größe", "maß"], ["none", "none"]]


def program(text, name='name="server"'):
    return f'<application name="web"><programs><program {name}>{text}</program></programs></application>'


# Each is the content of <root>, or the list of the contents of several files.
FILES = [
    "",
    '<application name="web"/>',
    '<application pattern="we"><start_sequence>3</start_sequence></application>',
    # every value
    '<application name="web"><distribution>SINGLE_NODE</distribution><identifiers>one, two,,one</identifiers>'
    '<start_sequence>4</start_sequence><stop_sequence>2</stop_sequence><starting_strategy>LOCAL</starting_strategy>'
    '<starting_failure_strategy>STOP</starting_failure_strategy>'
    '<running_failure_strategy>SHUTDOWN</running_failure_strategy>'
    '<operational_status>any(\'server.*\') and not "other"</operational_status><programs>'
    '<program name="server"><identifiers>three</identifiers><start_sequence>1</start_sequence>'
    '<stop_sequence>9</stop_sequence><required>true</required><wait_exit>1</wait_exit>'
    '<expected_loading>100</expected_loading><starting_failure_strategy>CONTINUE</starting_failure_strategy>'
    '<running_failure_strategy>RESTART_APPLICATION</running_failure_strategy></program>'
    '<program pattern="server_"/></programs></application>',
    # numbers and truth
    program("<start_sequence> +5 </start_sequence><stop_sequence>0</stop_sequence>"),
    program("<start_sequence>-1</start_sequence><stop_sequence>-3</stop_sequence>"),
    program("<required> true </required><start_sequence>1</start_sequence>"),
    program("<required>true</required>"),
    program("<required>0</required><wait_exit>false</wait_exit>"),
    program("<start_sequence><!-- one -->1</start_sequence><identifiers>one<!-- and -->,two</identifiers>"),
    program("<identifiers><![CDATA[one]]>,two</identifiers>"),
    program("<identifiers> </identifiers>"),
    program("<identifiers/>"),
    # refused
    program("<start_sequence>128</start_sequence>"), program("<start_sequence>x</start_sequence>"),
    program("<start_sequence/>"), program("<required>yes</required>"), program("<expected_loading>101</expected_loading>"),
    program("<expected_loading>-1</expected_loading>"), program("<unknown/>"),
    program("<starting_failure_strategy>stop</starting_failure_strategy>"),
    program("<running_failure_strategy> STOP </running_failure_strategy>"),
    program("<start_sequence>1</start_sequence><start_sequence>2</start_sequence>"),
    program("<starting_strategy>LOCAL</starting_strategy>"), program("text"), program("", 'name="server" more="1"'),
    '<application name="web"><required>true</required></application>', "<alias>one</alias>", "<programs/>", "<model>",
    '<application name="web"><programs><model name="a"/></programs></application>', "&unknown;", "text",
    # signs
    program("<identifiers>#</identifiers>", 'pattern="server"'), program("<identifiers>@</identifiers>", 'pattern="."'),
    program("<identifiers>#,@,one</identifiers>", 'pattern="server"'), program("<identifiers>#,one</identifiers>"),
    program("<identifiers>@</identifiers>"), program("<identifiers>#,*,one</identifiers>", 'pattern="server"'),
    program("<identifiers>one,*,two</identifiers>"), program("<identifiers>*</identifiers>"),
    program("<identifiers>#,one</identifiers>", 'name="server" pattern="server"'),
    '<application pattern="web"><identifiers>#</identifiers><start_sequence>2</start_sequence></application>',
    '<application pattern=""><identifiers>#,two,one</identifiers><start_sequence>2</start_sequence>'
    "<distribution>SINGLE_INSTANCE</distribution></application>",
    '<application name="web"><identifiers>@,one</identifiers></application>',
    '<application name="web-2"><identifiers>#</identifiers><stop_sequence>7</stop_sequence></application>',
    # aliases
    '<alias name="a">one,two</alias>' + program("<identifiers>a,three</identifiers>"),
    '<alias name="all">a,b</alias><alias name="a">one</alias><alias name="b">two</alias>'
    + program("<identifiers>all</identifiers>"),
    '<alias name="a">one</alias><alias name="b">two</alias><alias name="all">a,b</alias>'
    + program("<identifiers>all</identifiers>"),
    '<alias name="a">one</alias>' + program("<identifiers>a,a</identifiers>"),
    '<alias name="a">a,one</alias>' + program("<identifiers>a</identifiers>"),
    '<alias name="a">one</alias><alias name="a">two</alias>' + program("<identifiers>a</identifiers>"),
    '<alias name="a">#,two,three</alias>' + program("<identifiers>a</identifiers>", 'pattern="server"'),
    '<alias name="a">*</alias>' + program("<identifiers>one,a</identifiers>"),
    '<alias name="a"/>' + program("<identifiers>a</identifiers>"),
    '<alias name="a"> , ,</alias>' + program("<identifiers>one,a,two</identifiers>"),
    # models
    '<model name="m"><start_sequence>3</start_sequence><required>true</required></model>'
    + program("<reference>m</reference><stop_sequence>1</stop_sequence>"),
    '<model name="1"><reference>2</reference><start_sequence>1</start_sequence></model>'
    '<model name="2"><reference>3</reference><start_sequence>2</start_sequence><stop_sequence>2</stop_sequence></model>'
    '<model name="3"><start_sequence>3</start_sequence><stop_sequence>3</stop_sequence>'
    "<expected_loading>3</expected_loading></model>" + program("<reference>1</reference>"),
    '<model name="1"><reference>1</reference><start_sequence>1</start_sequence></model>'
    + program("<reference>1</reference>"),
    '<model name="1"><reference>2</reference><wait_exit>true</wait_exit></model>'
    '<model name="2"><reference>1</reference><start_sequence>4</start_sequence></model>'
    + program("<reference>1</reference>"),
    program("<reference>nobody</reference><start_sequence>1</start_sequence>"),
    '<model name="m"><start_sequence>1</start_sequence></model><model name="m"><start_sequence>2</start_sequence></model>'
    + program("<reference>m</reference>"),
    "<model><start_sequence>1</start_sequence></model>" + program("<reference/>"),
    '<model name="m"><identifiers>#,one</identifiers></model>'
    + program("<reference>m</reference><identifiers>two</identifiers>", 'pattern="server"'),
    '<model name="m"><identifiers>@</identifiers></model>'
    + program("<reference>m</reference><identifiers>#</identifiers>", 'pattern="server"'),
    '<model name="m"><running_failure_strategy>STOP_APPLICATION</running_failure_strategy></model>'
    '<application name="web"><running_failure_strategy>RESTART</running_failure_strategy><programs>'
    '<program name="server"><reference>m</reference></program><program name="other"/></programs></application>',
    # names and patterns
    program("<start_sequence>1</start_sequence>", 'pattern="serv"').replace(
        "</programs>", '<program pattern="server_"><start_sequence>2</start_sequence></program>'
                       '<program pattern="^s"><start_sequence>3</start_sequence></program>'
                       '<program pattern="[a-z]+_\\d"><start_sequence>4</start_sequence></program></programs>'),
    program("<start_sequence>1</start_sequence>", 'pattern="serv"').replace(
        "</programs>", '<program pattern="rver"><start_sequence>2</start_sequence></program></programs>'),
    program("<start_sequence>1</start_sequence>", 'pattern="a|server|.*"'),
    program("<start_sequence>1</start_sequence>", 'pattern="^server$"'),
    program("<start_sequence>1</start_sequence>", 'pattern=""'),
    program("<start_sequence>1</start_sequence>", ""),
    program("<start_sequence>1</start_sequence>").replace(
        "</programs>", '<program name="server"><start_sequence>2</start_sequence></program></programs>'),
    program("<start_sequence>1</start_sequence>", 'pattern="s"').replace(
        "</programs>", '<program pattern="s"><start_sequence>2</start_sequence></program></programs>'),
    '<application name="web"><start_sequence>1</start_sequence></application>'
    '<application name="web"><start_sequence>2</start_sequence></application>',
    '<application pattern="web"><start_sequence>1</start_sequence></application>'
    '<application pattern="web_"><start_sequence>2</start_sequence></application>'
    '<application pattern="[-_]"><start_sequence>3</start_sequence></application>',
    '<application pattern="gr..e"><start_sequence>1</start_sequence><programs><program pattern="^\\w+$">'
    '<start_sequence>2</start_sequence></program><program pattern="m"><start_sequence>3</start_sequence></program>'
    "</programs></application>"
    '<application pattern="gr.{2,3}e"><start_sequence>4</start_sequence></application>',
    "<application/>",
    # several files
    [program("<reference>m</reference>"), '<model name="m"><start_sequence>5</start_sequence></model>'],
    ['<application name="web"><start_sequence>1</start_sequence></application>',
     '<application name="web"><start_sequence>2</start_sequence></application>'],
    ['<application pattern="w"><start_sequence>1</start_sequence></application>',
     '<application name="web"><start_sequence>2</start_sequence></application>'],
    ['<application name="web"/>', "<broken"],
    ['<alias name="all">a</alias>' + program("<identifiers>all</identifiers>"), '<alias name="a">two</alias>'],
]
FORMULAS = ["all('.*')", "any('server.*')", "'server'", '"server" and not \'other\'', " all('.*')", "\nall('.*')",
            "all('.*')\n", "all('a'\n)", "all('a')\nor 'b'", "'a' or", "('a'", "server", "len('a')", "any()", "'a' 'b'",
            "r'\\d'", "not 'a' or 'b' and 'c'", "any('a', 'b')", "any('a',)", "", "and", "'a' # why", "'a\\x6'", "1",
            "not not 'a'", "'''a'''", "any(any('a'))", "'a' not 'b'", "b'a'", "(('a'))"]
WORDS = {
    "identifiers": ["*", "one", "two,one", "#", "@", "#,two,three", "a", "b,one", "all", "@,#"],
    "start_sequence": ["0", "1", "5", "127"], "stop_sequence": ["0", "2", "6"],
    "starting_failure_strategy": ["ABORT", "STOP", "CONTINUE"],
    "running_failure_strategy": ["CONTINUE", "RESTART_PROCESS", "STOP_APPLICATION", "RESTART_APPLICATION", "SHUTDOWN",
                                 "RESTART"],
}
OF_PROGRAM = {"required": ["true", "false", "1", "0"], "wait_exit": ["true", "false"],
              "expected_loading": ["0", "7", "100"], "reference": ["m1", "m2", "m3", "m4"], **WORDS}
OF_APPLICATION = {"distribution": ["ALL_INSTANCES", "SINGLE_INSTANCE", "SINGLE_NODE"],
                  "starting_strategy": ["CONFIG", "LESS_LOADED", "MOST_LOADED", "LOCAL", "LESS_LOADED_NODE",
                                        "MOST_LOADED_NODE"],
                  "operational_status": ["all('.*')", "'server' or 'other'"], **WORDS}
PATTERNS = ["server", "server_", "ser.*", "^s", "\\d+$", "er_1", "web", "web[-_]", "o", "[a-z]+", ".", "x|db", "worker"]


def random_file(seed):
    """A rules file that the schema takes, with everything in it that rules can have."""
    chance = random.Random(seed)

    def element(tag, values, attributes, more=""):
        chosen = chance.sample(sorted(values), chance.randint(0, min(5, len(values))))
        inner = "".join(f"<{key}>{chance.choice(values[key])}</{key}>" for key in chosen)
        return f"<{tag}{attributes}>{inner}{more}</{tag}>"

    def label(names):
        attributes = ""
        if chance.random() < 0.5:
            attributes += f' name="{chance.choice(names)}"'
        if not attributes or chance.random() < 0.2:
            attributes += f' pattern="{chance.choice(PATTERNS)}"'
        return attributes

    parts = [f'<alias name="{name}">{text}</alias>' for name, text in
             [("all", "a,b"), ("a", "one,two"), ("b", "three"), ("all", "b,one")] if chance.random() < 0.6]
    parts += [element("model", OF_PROGRAM, f' name="m{number}"') for number in range(1, 5) if chance.random() < 0.8]
    for _ in range(chance.randint(1, 4)):
        names = sorted({name for _, name in PROCESSES})
        programs = "".join(element("program", OF_PROGRAM, label(names)) for _ in range(chance.randint(0, 5)))
        parts.append(element("application", OF_APPLICATION, label(sorted({name for name, _ in PROCESSES})),
                             f"<programs>{programs}</programs>"))
    chance.shuffle(parts)
    return "".join(parts)


def case(contents, options=None, root=True):
    contents = contents if isinstance(contents, list) else [contents]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return {"rules": {f"{number}.xml": f"{head}<root>{text}</root>" if root else text
                      for number, text in enumerate(contents)},
            "options": options or {}, "processes": PROCESSES, "instances": INSTANCES}


def configuration(one, folder):
    groups = {}
    for application, name in one["processes"]:
        groups.setdefault(application, []).append(name)
    text = HEAD + f"rules_files={folder}/*.xml\n"
    text += "".join(f"{key}={value}\n" for key, value in one["options"].items())
    text += "".join(f"[program:{name}]\ncommand=/bin/true\n" for name in sorted({n for ns in groups.values() for n in ns}))
    return text + "".join(f"[group:{name}]\nprograms={','.join(names)}\n" for name, names in groups.items())


def names(text):
    return text.split(",") if text else []


def common(said):
    return {"identifiers": names(said["identifiers"]), "at_identifiers": names(said.get("at_identifiers", "")),
            "hash_identifiers": names(said.get("hash_identifiers", "")),
            "start_sequence": int(said["start_sequence"]), "stop_sequence": int(said["stop_sequence"]),
            "starting_failure_strategy": said["starting_failure_strategy"],
            "running_failure_strategy": said["running_failure_strategy"]}


def application_of(said):
    found = {"managed": said["managed"] == "true", "distribution": said["distribution"],
             "starting_strategy": said["starting_strategy"], "operational_status": said.get("operational_status", ""),
             **common(said)}
    if "hash_number" in said:  # Supvisors resolves it at once, svisord when the instances are there
        listed = INSTANCES if "*" in found["hash_identifiers"] else found["hash_identifiers"]
        found["identifiers"] = [listed[(int(said["hash_number"]) - 1) % len(listed)]]
    return found


def process_of(said):
    return {"required": said["required"] == "true", "wait_exit": said["wait_exit"] == "true",
            "expected_loading": int(said["expected_loading"]), **common(said)}


def svisord_says(one):
    """The same shape as supvisors_reference.rules_of()."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in one["rules"].items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                stream.write(text)
        path = os.path.join(folder, "svisord.conf")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(configuration(one, folder))
        done = subprocess.run([os.path.join(tap_options.build, "svisord"), "--check", "-c", path], capture_output=True,
                              text=True, check=False)
    if done.returncode != 0:
        tap.check_true(".xml" in done.stderr, f"refused without a word about the rules: {done.stderr}")
        return {"is_accepted": False}
    answer = {"is_accepted": True, "applications": {}, "processes": {}}
    for title, said in supvisors_facts.sections(done.stdout):
        match = re.match(r"; rules of (application|process) (.*), from ", title)
        if match and match.group(1) == "application":
            answer["applications"][match.group(2)] = application_of(said)
        elif match:
            answer["processes"][match.group(2)] = process_of(said)
    return answer


def differences(one, expected):
    actual = svisord_says(one)
    if expected["is_accepted"] != actual["is_accepted"] or not actual["is_accepted"]:
        return [] if expected == actual else [f"{one['rules']}: Supvisors {expected['is_accepted']}, svisord "
                                              f"{actual['is_accepted']}"]
    found = []
    for kind, defaults in supvisors_facts.DEFAULTS.items():
        tap.check(sorted(actual[kind]), sorted(expected[kind]), kind)
        for name, fields in expected[kind].items():
            for key, default in defaults.items():
                said = actual[kind][name][key]
                value = fields.get(key, default)
                value = value.replace("\n", " ") if isinstance(value, str) else value
                if said != value:
                    found.append(f"{name}: {key}: Supvisors {value!r}, svisord {said!r} with {one['rules']}")
    return found


def compare(name, cases):
    found = []
    for one, expected in zip(cases, supvisors_facts.answers(name, cases, tap_options.record)):
        found += differences(one, expected)
    print(f"# {len(cases)} cases of {len(PROCESSES)} processes")
    tap.check_true(not found, "\n".join(found[:20]))


@tap.test("every form of a rule is understood or refused alike")
def _():
    compare("supvisors_rules", [case(one) for one in FILES] + [
        case(f'<application name="web"><operational_status>{text}</operational_status></application>')
        for text in FORMULAS] + [
        case('<application name="web"/>', {"starting_strategy": "MOST_LOADED"}),
        case("", root=False), case("<root/>", root=False), case("<other/>", root=False), case("<root>", root=False),
        case('<root xmlns="urn:x"/>', root=False),
        case('<root xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
             'xsi:noNamespaceSchemaLocation="nowhere.xsd"><application name="web"/></root>', root=False)])


@tap.test("generated rules files are understood alike")
def _():
    compare("supvisors_rules_generated", [case(random_file(seed)) for seed in range(40)])


@tap.test("more generated rules files are understood alike")
def _():
    if not os.environ.get("SUPVISORS_SRC"):
        tap.skip("SUPVISORS_SRC is not set, and not so much is recorded")
    tap_options.record = False
    compare("", [case(random_file(seed)) for seed in range(1000, 1300)])


@tap.test("the rules files of Supvisors' own tests are understood alike")
def _():
    if not os.environ.get("SUPVISORS_SRC"):
        tap.skip("SUPVISORS_SRC is not set, and they are not ours to keep")
    tap_options.record = False
    cases = []
    for path in sorted(glob.glob(os.path.join(os.environ["SUPVISORS_SRC"], "supvisors", "test", "**", "*.xml"),
                                 recursive=True)):
        with open(path, encoding="utf-8") as stream:
            one = case(stream.read(), root=False)
        labels = re.findall(r'<(application|program)\s+(?:name|pattern)="([^"]*)"', one["rules"]["0.xml"])
        application = "nobody"
        for kind, label in labels:
            application = label if kind == "application" else application
            # a word that a pattern would match: the pattern without its signs
            one["processes"] = one["processes"] + [[re.sub(r"\W", "", application) or "all",
                                                    re.sub(r"\W", "", label) or "all"]]
        cases.append(one)
    tap.check_true(cases, "there are none")
    compare("", cases)


if __name__ == "__main__":
    tap_options = tap.arguments(lambda parser: parser.add_argument("--record", action="store_true"))
    tap.run_all(tap_options)
