#!/usr/bin/python3
"""Writes the part of the Java client that follows from the tables that svisord is built from.

    generate.py DIRECTORY

From daemon/api/methods.def: an interface for each family of methods, and the class that calls them. From faults.def, choices.def and
other tables: an enum each. From deaths.def and resources.def: the two structs whose fields are rows there. make runs it before javac,
so what is built is always as the tables are, and nothing is checked in that could be stale.

What the tables do not know is below: the class of each result that is a struct or an array, and the parameters that have a better type
than text. A method without a row there gets Map or List; tests/integration/java_client.py says so.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
import defs

# The Java type of what a method answers, where it is a struct or an array.
RESULTS = {
    "supervisor.getState": "DaemonState",
    "supervisor.reloadConfig": "ReloadResult",
    "supervisor.startProcess": "List<ExecutionStatus>",
    "supervisor.startProcessGroup": "List<ExecutionStatus>",
    "supervisor.startAllProcesses": "List<ExecutionStatus>",
    "supervisor.stopProcess": "List<ExecutionStatus>",
    "supervisor.stopProcessGroup": "List<ExecutionStatus>",
    "supervisor.stopAllProcesses": "List<ExecutionStatus>",
    "supervisor.signalProcess": "List<ExecutionStatus>",
    "supervisor.signalProcessGroup": "List<ExecutionStatus>",
    "supervisor.signalAllProcesses": "List<ExecutionStatus>",
    "supervisor.clearAllProcessLogs": "List<ExecutionStatus>",
    "supervisor.getProcessInfo": "ProcessInfo",
    "supervisor.getAllProcessInfo": "List<ProcessInfo>",
    "supervisor.getAllConfigInfo": "List<ProgramConfig>",
    "supervisor.tailProcessStdoutLog": "LogTail",
    "supervisor.tailProcessStderrLog": "LogTail",
    "system.listMethods": "List<String>",
    "system.methodSignature": "List<String>",
    "system.multicall": "List<CallResult>",
    "svisor.reexec": "ReexecResult",
    "svisor.getKernelReport": "List<KernelAbility>",
    "svisor.getDeathCertificate": "DeathCertificate",
    "svisor.getDeathCertificates": "List<DeathCertificate>",
    "svisor.getResourceEvents": "List<ResourceEvent>",
    "svisor.getNetworkCounters": "NetworkCounters",
    "svisor.followLog": "LogPiece",
    "svisor.getTimeline": "List<TimelineRecord>",
    "svisor.getHostStatistics": "HostHistory",
    "svisor.getProcessStatistics": "ProcessHistory",
    "svisor.getUsage": "Usage",
    "svisor.why": "Explanation",
    "svisor.getNodes": "List<Node>",
    "svisor.getPlacement": "Placement",
    "supvisors.get_supvisors_state": "StateModes",
    "supvisors.get_all_instances_state_modes": "List<InstanceStateModes>",
    "supvisors.get_instance_state_modes": "List<InstanceStateModes>",
    "supvisors.get_master_identifier": "Optional<InstanceId>",
    "supvisors.get_strategies": "Strategies",
    "supvisors.get_all_instances_info": "List<InstanceInfo>",
    "supvisors.get_instance_info": "List<InstanceInfo>",
    "supvisors.get_all_applications_info": "List<ApplicationInfo>",
    "supvisors.get_application_info": "ApplicationInfo",
    "supvisors.get_application_rules": "ApplicationRules",
    "supvisors.get_all_process_info": "List<ClusterProcess>",
    "supvisors.get_process_info": "List<ClusterProcess>",
    "supvisors.get_process_rules": "List<ProcessRules>",
    "supvisors.get_conflicts": "List<ClusterProcess>",
    "supvisors.get_all_local_process_info": "List<LocalProcess>",
    "supvisors.get_local_process_info": "LocalProcess",
    "supvisors.get_all_inner_process_info": "List<InnerProcess>",
    "supvisors.get_inner_process_info": "List<InnerProcess>",
    "supvisors.test_start_application": "List<Prediction>",
    "supvisors.test_start_process": "List<Prediction>",
    "svisor.predictApplication": "List<Prediction>",
    "svisor.predictProcess": "List<Prediction>",
    "supvisors.get_statistics_status": "StatisticsStatus",
    "supvisors.get_network_info": "NetworkInfo",
}
# For one process these answer true, for group:* a list.
LIST_OR_TRUE = ("supervisor.startProcess", "supervisor.stopProcess", "supervisor.signalProcess")

# Parameters that take any value on the wire, and what they mean. A method's own row stands before that of all.
PARAMETERS = {
    ("supvisors.conciliate", "strategy"): "ConciliationStrategy",
    ("svisor.conciliate", "strategy"): "ConciliationStrategy",
    ("", "strategy"): "StartingStrategy",
    ("supvisors.change_log_level", "level"): "LogLevel",
    ("supvisors.update_numprocs", "numprocs"): "int",
    ("system.multicall", "calls"): "List<Call>",
}

TYPES = {"STRING": "String", "CHARS": "String", "SIGNAL": "String", "INT": "long", "BOOLEAN": "boolean", "DOUBLE": "double",
         "ARRAY": "List<Object>", "STRUCT": "Map<String, Object>", "ANY": "Object"}
PLAIN_RESULTS = {"String": "text", "int": "integer", "double": "real", "boolean": "flag", "List<String>": "texts",
                 "List<Object>": "list", "Map<String, Object>": "map"}
FAMILIES = {
    "supervisor": "Processes of one daemon, with the methods of Supervisor",
    "system": "The methods themselves, with those of Supervisor",
    "supvisors": "The cluster, with the methods of Supvisors",
    "svisor": "What neither Supervisor nor Supvisors has",
}

# Enums by the macro of their rows: file, macro, Java name, what they are.
CHOICES = "include/svisor/choices.def"
ENUMS = (
    ("include/svisor/process_states.def", "PROCESS_STATE", "ProcessState", "The state of a process"),
    (CHOICES, "STARTING_STRATEGY", "StartingStrategy", "How the instance is chosen that starts a process"),
    (CHOICES, "CONCILIATION_STRATEGY", "ConciliationStrategy", "What becomes of processes that run more than once"),
    (CHOICES, "STARTING_FAILURE_STRATEGY", "StartingFailureStrategy",
     "What becomes of an application when a process of it cannot be started"),
    (CHOICES, "RUNNING_FAILURE_STRATEGY", "RunningFailureStrategy", "What becomes of an application when a process of it is lost"),
    (CHOICES, "SUPVISORS_FAILURE_STRATEGY", "SupvisorsFailureStrategy", "What becomes of the cluster when instances are missing"),
    (CHOICES, "DISTRIBUTION", "Distribution", "Over how much of the cluster an application may spread"),
    (CHOICES, "SUPVISORS_STATE", "SupvisorsState", "What an instance thinks that the cluster is doing"),
    (CHOICES, "INSTANCE_STATE", "InstanceState", "The state of an instance"),
    (CHOICES, "APPLICATION_STATE", "ApplicationState", "The state of an application"),
    ("include/svisor/death_causes.def", "DEATH_CAUSE", "DeathCause", "What ended a run; each completes the sentence \"a run that …\""),
    ("include/svisor/resources.def", "RESOURCE", "Resource", "What a program, or its group, can run short of"),
    ("daemon/api/faults.def", "FAULT", "Fault", "Why a call was refused"),
)
EXTRA = {
    "ProcessState": [("DELETED", -1, "it does not exist any more (in events)")],
    "Fault": [("OTHER", -1, "One that this version of the client does not know; see {@link FaultException#code}.")],
}
PROCESS_STATES = {
    "STOPPED": "it does not run", "STARTING": "it was started, and is not yet up", "RUNNING": "it runs",
    "BACKOFF": "a start failed, and will be tried again", "STOPPING": "it was asked to end", "EXITED": "it ended by itself",
    "FATAL": "it could not be started", "UNKNOWN": "nobody knows",
}

NOTE = "// Written by clients/java/generate.py from {}; change that.\n"


def java(text):
    """As the words of a Javadoc comment."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("@", "{@literal @}").replace("*/", "*&#47;")
    return re.sub(r"\{&#64;literal ", "{@literal ", text)


def camel(name):
    words = name.split("_")
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


def sentence(text):
    if "." not in text.split(" ")[0]:  # the name of a method stays as it is
        text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."


class Parameter:
    """One parameter of a method."""

    def __init__(self, method, row):
        wire, self.wire_name = row.words[:2]
        self.name = camel(self.wire_name)
        self.is_optional = row.macro == "OPTIONAL"
        self.fallback = row.words[2] if self.is_optional else None
        self.type = PARAMETERS.get((method, self.wire_name)) or (
            PARAMETERS.get(("", self.wire_name)) if wire == "CHARS" else None) or TYPES[wire]
        # A row tells the names and numbers that text may have; an enum has them itself.
        enums = {name: doc[:1].lower() + doc[1:] for _, _, name, doc in ENUMS}
        self.doc = enums.get(self.type) or row.words[-1]


class Method:
    """One row of methods.def."""

    def __init__(self, row, at):
        def word(column):
            return row.words[at[column]]

        self.name, self.help, self.doc, self.result_doc = (word(column) for column in ("name", "help", "doc", "result_doc"))
        self.family, self.java = self.name.split(".")
        self.java = camel(self.java)
        self.faults = word("faults").split()
        is_long = "SV_METHOD_WAITS" in word("flags")
        self.kind = "QUERY" if word("kind") == "QUERY" else "LONG_COMMAND" if is_long else "COMMAND"
        wire = word("result")
        self.result = RESULTS.get(self.name) or ("int" if wire == "INT" else TYPES[wire])
        self.is_typed = self.name in RESULTS or wire not in ("ARRAY", "STRUCT")
        self.parameters = [Parameter(self.name, one) for one in row.words
                           if isinstance(one, defs.Row) and one.macro in ("REQUIRED", "OPTIONAL")]

    def convert(self, value):
        """The expression that makes the result of what came."""
        if self.result == "Object":
            return value
        if self.result in PLAIN_RESULTS:
            return f"Results.{PLAIN_RESULTS[self.result]}({value})"
        inner = re.match(r"(List|Optional)<(\w+)>", self.result)
        if self.result == "List<CallResult>":
            return f"Results.each({value}, CallResult::new)"
        if self.result in ("LogTail", "ReloadResult"):
            return f"new {self.result}(Results.list({value}))"
        how = "struct" if not inner else "optional" if inner[1] == "Optional" else \
            "structsOrTrue" if self.name in LIST_OR_TRUE else "structs"
        return f"Results.{how}({value}, {inner[2] if inner else self.result}::new)"

    def returns(self):
        if self.name in LIST_OR_TRUE:
            return "nothing for one process, for group:* what became of each"
        return self.result_doc


def all_methods():
    """The methods, and the old names with what they stand for."""
    at = defs.columns("METHOD", "daemon/api/method.c")
    table = defs.rows("daemon/api/methods.def")
    return ([Method(row, at) for row in table if row.macro == "METHOD"],
            {row.words[0]: row.words[1] for row in table if row.macro == "ALIAS"})


def fault_docs():
    return {row.words[0]: row.words[-1] for row in defs.rows("daemon/api/faults.def", "FAULT")}


def comment(lines, indent="    "):
    return indent + "/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines) + indent + " */\n"


def method_comment(method, count, faults):
    lines = [java(sentence(method.help))]
    more = [java(line) for line in method.doc.split("\n") if line]
    if more:
        lines += ["", "<p>" + more[0], *more[1:]]
    left_out = [f"{{@code {one.name}}} = {one.fallback or 'an empty text'}" for one in method.parameters[count:]]
    if left_out:
        lines += ["", "<p>Here " + ", ".join(left_out) + "."]
    lines.append("")
    lines += [f"@param {one.name} {java(one.doc)}" for one in method.parameters[:count]]
    lines.append(f"@return {java(method.returns())}")
    named = [f"{{@link Fault#{name}}}: {java(faults[name])}" for name in method.faults]
    lines.append("@throws FaultException if the server refuses" + (":<ul>" if named else ""))
    lines += [f"    <li>{one}" for one in named] + ["    </ul>"] * bool(named)
    lines.append("@throws SvisorException if there is no answer that can be read")
    return comment(lines)


def signature(method, count):
    words = ", ".join(f"{one.type} {one.name}" for one in method.parameters[:count])
    return f"{method.result} {method.java}({words})"


def overloads(method):
    """How many parameters a call may have."""
    required = sum(1 for one in method.parameters if not one.is_optional)
    return range(required, len(method.parameters) + 1)


def fallback(parameter):
    if parameter.type == "String":
        return f'"{parameter.fallback}"'
    return parameter.fallback


IMPORTS = "import java.util.List;\nimport java.util.Map;\nimport java.util.Optional;\n\nimport org.svisor.model.*;\n"


def interface(family, methods, faults):
    name = family.capitalize() + "Methods"
    out = f"package org.svisor;\n\n{NOTE.format('daemon/api/methods.def')}\n{IMPORTS}\n"
    out += comment([f"{FAMILIES[family]}: {{@code {family}.*}}.", "",
                    "<p>Each may also throw a {@link FaultException} with {@link Fault#INCORRECT_PARAMETERS}, or",
                    "{@link Fault#SHUTDOWN_STATE} while the daemon stops. {@link SvisorClient} has one that calls."], "")
    out += f"public interface {name} {{\n"
    bodies = []
    for method in methods:
        for count in overloads(method):
            text = method_comment(method, count, faults) + f'    @RemoteMethod("{method.name}")\n'
            if count == len(method.parameters):
                text += f"    {signature(method, count)};\n"
            else:
                names = [one.name for one in method.parameters[:count]] + [fallback(one) for one in method.parameters[count:]]
                text += f"    default {signature(method, count)} {{\n        return {method.java}({', '.join(names)});\n    }}\n"
            bodies.append(text)
    return name, out + "\n".join(bodies) + "}\n"


def implementation(family, methods):
    name = family.capitalize() + "Calls"
    out = f"package org.svisor;\n\n{NOTE.format('daemon/api/methods.def')}\n{IMPORTS}\n"
    out += f"final class {name} implements {family.capitalize()}Methods {{\n    private final Caller caller;\n\n"
    out += f"    {name}(Caller caller) {{\n        this.caller = caller;\n    }}\n"
    for method in methods:
        words = "".join(f", {one.name}" for one in method.parameters)
        call = f'caller.call(Caller.Kind.{method.kind}, "{method.name}"{words})'
        out += f"\n    @Override\n    public {signature(method, len(method.parameters))} {{\n"
        out += f"        return {method.convert(call)};\n    }}\n"
    return name, out + "}\n"


def enum_rows(path, macro, name):
    """(name, number, text) of each constant."""
    found = []
    for place, row in enumerate(defs.rows(path, macro)):
        words = row.words
        if name == "ProcessState":
            words = [words[0], words[1], PROCESS_STATES[words[0]]]
        elif name == "Resource":
            words = [words[0], str(place), words[-1]]
        found.append((words[0], int(words[1]), java(words[-1])))
    return found + EXTRA.get(name, [])


def enum(path, macro, name, doc):
    package = "org.svisor" if name == "Fault" else "org.svisor.model"
    has_code = name != "Resource"  # that one has no numbers on the wire
    out = f"package {package};\n\n{NOTE.format(path)}\n" + ("import java.util.Optional;\n\n" if has_code else "")
    out += f"/** {java(sentence(doc))} */\npublic enum {name} {{\n"
    rows = enum_rows(path, macro, name)
    out += ",\n".join(f"    /** {sentence(text)} */\n    {constant}" + (f"({code})" if has_code else "")
                      for constant, code, text in rows) + ";\n"
    if has_code:
        out += f"""
    private final int code;

    {name}(int code) {{
        this.code = code;
    }}

    /** @return its number on the wire */
    public int code() {{
        return code;
    }}

    /**
     * @param code a number on the wire
     * @return what it means; empty: this version of the client does not know it
     */
    public static Optional<{name}> ofCode(int code) {{
        for ({name} one : values())
            if (one.code == code)
                return Optional.of(one);
        return Optional.empty();
    }}
"""
    return package, name, out + "}\n"


EVENT_TYPE = """
    private final String header;
    private final boolean isClassic;

    EventType(String header, boolean isClassic) {
        this.header = header;
        this.isClassic = isClassic;
    }

    /** @return the header on the wire */
    public String header() {
        return header;
    }

    /** @return whether it is one of Supvisors' seven; the others are svisor's own, and must be asked for by name */
    public boolean isClassic() {
        return isClassic;
    }

    /**
     * @param header a header on the wire
     * @return what it means; empty: this version of the client does not know it
     */
    public static Optional<EventType> ofHeader(String header) {
        for (EventType one : values())
            if (one.header.equals(header))
                return Optional.of(one);
        return Optional.empty();
    }
}
"""


def event_type():
    path = "include/svisor/publications.def"
    out = f"package org.svisor.events;\n\n{NOTE.format(path)}\nimport java.util.Optional;\n\n"
    out += "/** The headers under which events are published (docs/events.md). */\npublic enum EventType {\n"
    constants = []
    for row in defs.rows(path, "PUBLICATION"):
        tag, header, kind = row.words[:3]
        constants.append(f'    /** {java(sentence(row.words[-1]))} */\n    {tag}("{header}", {"true" if kind == "CLASSIC" else "false"})')
    return "org.svisor.events", "EventType", out + ",\n".join(constants) + ";\n" + EVENT_TYPE


def accessor(key, type_, expression, doc, name=None):
    return f"\n    /** @return {java(doc)} */\n    public {type_} {name or camel(key)}() {{\n        return {expression};\n    }}\n"


STRUCT_HEAD = """package org.svisor.model;

{note}
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** {doc} */
public class {name} extends Struct {{
    /** @param fields what came */
    public {name}(Map<String, Object> fields) {{
        super(fields);
    }}
"""


def optional(key, doc):
    return accessor(key, "OptionalLong", f'optionalNumber("{key}")', doc)


def optional_text(key, doc):
    return accessor(key, "Optional<String>", f'optionalText("{key}")', doc)


def death_certificate():
    words = ("oom_scope", "stage", "strays_end")
    flags = ("core_dumped", "escalated")
    out = STRUCT_HEAD.format(note=NOTE.format("include/svisor/deaths.def"), name="DeathCertificate",
                             doc="What is known of the end of one run of a process (docs/deaths.md); what is not known is empty.")
    out += accessor("summary", "String", 'text("summary")', "the whole in plain words")
    out += accessor("text", "String", 'text("text")', "its first sentence, without the name")
    for row in defs.rows("include/svisor/deaths.def"):
        key, doc = row.words[1], row.words[-1]
        if key in ("group", "name"):
            out += accessor(key, "String", f'text("{key}")', doc)
        elif key == "run":
            out += accessor(key, "long", 'number("run")', doc)
        elif key == "cause":
            out += accessor(key, "DeathCause", 'choice("cause", DeathCause.class)', "what ended it")
        elif key == "tail":
            out += accessor(key, "List<String>", 'has("tail") ? texts("tail") : List.of()', doc)
        elif key in flags:
            out += accessor(key, "Optional<Boolean>", f'optionalFlag("{key}")', doc.replace("1: ", "whether "))
        elif row.macro == "DEATH_TEXT" or key in words:
            out += optional_text(key, re.sub(r": enum.*", "", doc))
        else:
            out += optional(key, doc)
    for key in ("signal_name", "stop_signal_name", "sender_signal_name", "error_name"):
        out += optional_text(key, "the name of that number")
    return "org.svisor.model", "DeathCertificate", out + "}\n"


def resource_event():
    out = STRUCT_HEAD.format(note=NOTE.format("include/svisor/resources.def"), name="ResourceEvent",
                             doc="What a program, or its group, ran short of (docs/resources.md).")
    out += accessor("resource", "Resource", 'choice("resource", Resource.class)', "what it was")
    out += accessor("text", "String", 'text("text")', "the whole in plain words")
    for key, doc in (("count", "how often"), ("first_ms", "when first, in milliseconds since 1970"),
                     ("last_ms", "when last, in milliseconds since 1970")):
        out += accessor(key, "long", f'number("{key}")', doc)
    out += accessor("group", "String", 'text("group")', "name of the group")
    out += optional_text("name", "name of the process; empty: the group itself ran short")
    out += optional("run", "number of the run; empty: the group itself ran short")
    out += optional("pid", "process id; empty: the group itself ran short")
    for row in defs.rows("include/svisor/resources.def", "RESOURCE_NUMBER"):
        out += optional(row.words[0], row.words[-1])
    return "org.svisor.model", "ResourceEvent", out + "}\n"


def sources():
    """(package, class, text) of everything."""
    methods, _ = all_methods()
    faults = fault_docs()
    for family in FAMILIES:
        own = [method for method in methods if method.family == family]
        yield ("org.svisor", *interface(family, own, faults))
        yield ("org.svisor", *implementation(family, own))
    strange = sorted({method.family for method in methods} - set(FAMILIES))
    if strange:
        raise SystemExit(f"generate.py: methods of {strange}: give FAMILIES a row, and SvisorClient a method")
    for row in ENUMS:
        yield enum(*row)
    yield event_type()
    yield death_certificate()
    yield resource_event()


def main():
    directory = sys.argv[1]
    for package, name, text in sources():
        folder = os.path.join(directory, package.replace(".", "/"))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name + ".java"), "w", encoding="utf-8") as stream:
            stream.write(text)


if __name__ == "__main__":
    main()
