"""What Supvisors itself understands of options and rules: JSON in, JSON out.

    SUPVISORS_SRC=checkout supvisors_reference.py < cases > answers

A case is {"options": {key: text}} or {"rules": {file name: XML}, "options": …, "processes": [[application, process], …],
"instances": [identifier, …]}, or a question about a formula, names or an assignment (formula_of() and below). Runs Supvisors'
own SupvisorsOptions, Parser, ApplicationStatus, SupvisorsMapper and HomogeneousGroup, with nothing else of it.
"""

import json
import os
import sys
import tempfile
import types

sys.path.insert(0, os.environ["SUPVISORS_SRC"])

from supervisor.datatypes import Automatic  # noqa: E402
from supervisor.states import ProcessStates  # noqa: E402
from supvisors.application import ApplicationRules, ApplicationStatus, HomogeneousGroup  # noqa: E402
from supvisors.internal_com import mapper  # noqa: E402
from supvisors.options import SupvisorsOptions, get_logger_configuration  # noqa: E402
from supvisors.process import ProcessRules  # noqa: E402
from supvisors import sparser  # noqa: E402

HTTP_PORT = 60000


class Quiet:
    """A logger that keeps nothing."""

    def __getattr__(self, name):
        return lambda *_: None


class Address:
    """Stands for a look-up of a host name, which a test must not do."""

    def __init__(self, *_, **__):
        self.ipv4_addresses = ["192.0.2.1"]


mapper.NetworkAddress = Address
sparser.stderr = open(os.devnull, "w", encoding="utf-8")  # the faults of the schema, which are expected
DEFAULT_CONDITIONS = list(SupvisorsOptions.SYNCHRO_DEFAULT_OPTIONS)


def supvisors_of(case, folder):
    supervisord = types.SimpleNamespace(options=types.SimpleNamespace(here=folder, environ_expansions={}))
    supvisors = types.SimpleNamespace(logger=Quiet())
    supvisors.supervisor_data = types.SimpleNamespace(
        identifier="supervisor", server_port=HTTP_PORT,
        autorestart=lambda _: False, disable_autorestart=lambda _: None)
    # the first one of a process takes what does not hold out of the list of the class
    SupvisorsOptions.SYNCHRO_DEFAULT_OPTIONS = list(DEFAULT_CONDITIONS)
    supvisors.options = SupvisorsOptions(supervisord, supvisors.logger, **case.get("options", {}))
    supvisors.mapper = types.SimpleNamespace(instances=dict.fromkeys(case.get("instances", [])))
    return supvisors


def instances_of(supvisors):
    known = {}
    for item in supvisors.options.supvisors_list or []:
        one = mapper.SupvisorsInstanceId(item, supvisors)
        if not one.ip_address:
            raise ValueError(item)
        known[one.identifier] = f"<{one.nick_identifier}>{one.identifier}:{one.event_port}"
    return list(known.values())


def options_of(case):
    try:
        log = get_logger_configuration(**case["options"])
        supvisors = supvisors_of(case, "/")
        instances = instances_of(supvisors)
    except ValueError:
        return None
    options = supvisors.options
    group = options.multicast_group
    return {
        "supvisors_list": instances,
        "stereotypes": sorted(options.stereotypes),
        "core_identifiers": sorted(options.core_identifiers),
        "software_name": options.software_name,
        "multicast_group": f"{group[0]}:{group[1]}" if group else None,
        "multicast_interface": (options.multicast_interface or "ANY") if group else None,
        "multicast_ttl": options.multicast_ttl if group else None,
        "event_link": options.event_link.name,
        "event_port": options.event_port or HTTP_PORT + 1,
        "auto_fence": options.auto_fence,
        "synchro_options": sorted(one.name for one in options.synchro_options),
        "synchro_timeout": options.synchro_timeout,
        "inactivity_ticks": options.inactivity_ticks,
        "supvisors_failure_strategy": options.supvisors_failure_strategy.name,
        "starting_strategy": options.starting_strategy.name,
        "conciliation_strategy": options.conciliation_strategy.name,
        "host_stats": options.host_stats_enabled,
        "process_stats": options.process_stats_enabled,
        "stats_collecting_period": options.collecting_period,
        "stats_periods": options.stats_periods,
        "stats_histo": options.stats_histo,
        "stats_irix_mode": options.stats_irix_mode,
        "tail_limit": options.tail_limit,
        "tailf_limit": options.tailf_limit,
        "logfile": "AUTO" if log["logfile"] is Automatic else log["logfile"],
    }


def application_of(supvisors, parser, name):
    rules = ApplicationRules(supvisors)
    if parser:
        rules.starting_strategy = supvisors.options.starting_strategy
        parser.load_application_rules(name, rules)
    return rules


def process_of(supvisors, parser, application, application_name, name):
    rules = ProcessRules(supvisors)
    rules.starting_failure_strategy = application.starting_failure_strategy
    rules.running_failure_strategy = application.running_failure_strategy
    if parser:
        parser.load_program_rules(f"{application_name}:{name}", rules)
    return rules


def common(rules):
    return {
        "identifiers": rules.identifiers, "at_identifiers": rules.at_identifiers,
        "hash_identifiers": rules.hash_identifiers,
        "start_sequence": rules.start_sequence, "stop_sequence": rules.stop_sequence,
        "starting_failure_strategy": rules.starting_failure_strategy.name,
        "running_failure_strategy": rules.running_failure_strategy.name,
    }


def rules_of(case):
    with tempfile.TemporaryDirectory() as folder:
        supvisors = supvisors_of(case, folder)
        supvisors.options.rules_files = []
        for name, text in sorted(case["rules"].items()):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            supvisors.options.rules_files.append(path)
        try:
            parser = sparser.Parser(supvisors)
        except Exception:  # Supvisors goes on without rules after any of them
            return {"is_accepted": False}
        answer = {"is_accepted": True, "applications": {}, "processes": {}}
        for application_name, name in case["processes"]:
            application = application_of(supvisors, parser, application_name)
            answer["applications"][application_name] = {
                "managed": application.managed, "distribution": application.distribution.name,
                "starting_strategy": application.starting_strategy.name,
                "operational_status": application.status_formula or "", **common(application)}
            process = process_of(supvisors, parser, application, application_name, name)
            answer["processes"][f"{application_name}:{name}"] = {
                "required": process.required, "wait_exit": process.wait_exit,
                "expected_loading": process.expected_load, **common(process)}
        return answer


def formula_of(case):
    """{"formula": text, "processes": {name: is good}} -> TRUE, FALSE, ERROR or REFUSED."""
    supvisors = types.SimpleNamespace(logger=Quiet())
    rules = ApplicationRules(supvisors)
    try:
        rules.status_formula = case["formula"]
    except Exception:  # what cannot be parsed is logged and not used
        return "REFUSED"
    application = ApplicationStatus("application", rules, supvisors)
    application.processes = {
        name: types.SimpleNamespace(expected_exit=True,
                                    displayed_state=ProcessStates.RUNNING if is_good else ProcessStates.FATAL)
        for name, is_good in case["processes"].items()}
    try:
        result = application.evaluate(rules.status_tree)
    except Exception:  # also those that Supvisors does not expect: a bad pattern, any()
        return "ERROR"
    return str(result).upper() if isinstance(result, bool) else "ERROR"


def mapper_of(instances):
    """instances: [[identifier, nickname, [stereotype, …]], …]"""
    supvisors = types.SimpleNamespace(logger=Quiet())
    mapper.LocalNetwork = lambda _: None
    found = mapper.SupvisorsMapper(supvisors)
    for identifier, nick, stereotypes in instances:
        found._instances[identifier] = types.SimpleNamespace(stereotypes=[])
        found._nick_identifiers[nick] = identifier
        found._assign_stereotypes(identifier, stereotypes)
    return found


def names_of(case):
    """{"names": [name, …], "instances": …} -> identifiers."""
    return mapper_of(case["instances"]).filter(case["names"])


def assignment_of(case):
    """{"sign": "@" or "#", "names": …, "instances": …, "assigned": [identifier or None, …]} -> identifiers."""
    supvisors = types.SimpleNamespace(logger=Quiet(), mapper=mapper_of(case["instances"]))
    group = HomogeneousGroup("program", supvisors)
    for index, identifier in enumerate(case["assigned"]):
        wanted = [] if identifier else case["names"]
        rules = types.SimpleNamespace(identifiers=[identifier] if identifier else [],
                                      at_identifiers=wanted if case["sign"] == "@" else [],
                                      hash_identifiers=wanted if case["sign"] == "#" else [])
        group.add_process(types.SimpleNamespace(process_index=index, rules=rules, namespec=str(index)))
    group.resolve_rules()
    return [(process.rules.identifiers or [None])[0] for process in group.processes]


KINDS = {"rules": rules_of, "formula": formula_of, "sign": assignment_of, "names": names_of, "options": options_of}


def main():
    cases = json.load(sys.stdin)
    json.dump([next(ask for key, ask in KINDS.items() if key in case)(case) for case in cases], sys.stdout)


if __name__ == "__main__":
    main()
