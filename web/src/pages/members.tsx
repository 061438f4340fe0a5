// The processes of an application by their start sequence. Each can be opened: then a row for each instance that knows it follows.
import { useMemo } from "preact/hooks";
import * as actions from "../api/actions";
import { call } from "../api/call";
import { hrefs } from "../model/attention";
import { expectation, sequenceTitle } from "../model/rules";
import type { Tables } from "../model/store";
import { canStart, isUp, namespecOf } from "../model/types";
import type { Application, Copy, Process } from "../model/types";
import { byText, duration, percent, reasonOf } from "../model/words";
import { useTables, useTick } from "../ui/hooks";
import { MenuButton } from "../ui/menu";
import type { MenuItem } from "../ui/menu";
import { usePoll } from "../ui/poll";
import { namesIn, setNames, setQuery, useRoute } from "../ui/route";
import { State } from "../ui/state";
import { FilterBox, matches, Table, useTableQuery } from "../ui/table";
import type { Column } from "../ui/table";
import { menuOf, noteOf, uptimeOf } from "./processes";
import { PeriodChoice, pollMs, ProcessCharts, usePeriod } from "./statistics";
import type { Usage } from "./statistics";

type Row =
  | { kind: "step"; sequence: number; count: number }
  | { kind: "process"; process: Process; copies: Copy[]; isOpen: boolean }
  | { kind: "copy"; process: Process; copy: Copy };

const specOf = (process: Process) => namespecOf(process.application_name, process.process_name);

function copiesOf(tables: Tables, process: Process): Copy[] {
  const copies = [...(tables.copiesOf.get(`${process.application_name}:${process.process_name}`)?.values() ?? [])];
  const place = new Map([...tables.instances.keys()].map((one, index) => [one, index]));
  return copies.sort((a, b) => (place.get(a.identifier) ?? 0) - (place.get(b.identifier) ?? 0));
}

function rowsOf(tables: Tables, members: Process[], filter: string, open: Set<string>): Row[] {
  const steps = new Map<number, Process[]>();
  for (const process of members) {
    if (!matches(filter, `${process.process_name} ${process.statename} ${process.identifiers.map((one) => tables.nick(one)).join(" ")}`)) continue;
    const sequence = process.rules?.start_sequence ?? 0;
    steps.set(sequence, [...(steps.get(sequence) ?? []), process]);
  }
  // What starts on request only comes last.
  const order = [...steps.keys()].sort((a, b) => (a || 1e6) - (b || 1e6));
  return order.flatMap((sequence) => {
    const processes = steps.get(sequence)!.sort((a, b) => byText(a.process_name, b.process_name));
    const rows: Row[] = [{ kind: "step", sequence, count: processes.length }];
    for (const process of processes) {
      const copies = copiesOf(tables, process);
      const isOpen = open.has(process.process_name);
      rows.push({ kind: "process", process, copies, isOpen });
      if (isOpen) rows.push(...copies.map((copy): Row => ({ kind: "copy", process, copy })));
    }
    return rows;
  });
}

// ---- cells ----

function Name(props: { process: Process; isOpen: boolean }) {
  const { process, isOpen } = props;
  const name = process.process_name;
  return (
    <span class="group-name">
      <button type="button" class="plain twist" aria-expanded={isOpen} aria-label={`${isOpen ? "Hide" : "Show"} ${name} in each instance`} onClick={() => setNames("open", [name], !isOpen)}>
        {isOpen ? "▾" : "▸"}
      </button>
      <a href={hrefs.process(specOf(process))}>{name}</a>
      {process.rules?.required && <span class="badge" title="Without it the application fails">required</span>}
      {process.rules?.wait_exit && <span class="badge" title="wait_exit: the next step starts when it has ended">ends</span>}
    </span>
  );
}

function Where(props: { tables: Tables; process: Process; isManaged: boolean }) {
  const { process, tables } = props;
  if (process.identifiers.length > 1 && props.isManaged)
    return (
      <a class="conflict-link" href={hrefs.conciliation}>
        <State state="CONFLICT" note={process.identifiers.map((one) => tables.nick(one)).join(", ")} />
      </a>
    );
  return (
    <>
      {process.identifiers.map((one, index) => (
        <span key={one}>
          {index > 0 && ", "}
          <a href={hrefs.instance(one)}>{tables.nick(one)}</a>
        </span>
      ))}
    </>
  );
}

function processNote(tables: Tables, process: Process, copies: Copy[], isUpApplication: boolean): string {
  const wanted = expectation(process.statename, process.expected_exit, process.rules, isUpApplication);
  const args = process.extra_args && isUp(process.statename) ? `with ${process.extra_args}` : "";
  const failed = copies.filter((one) => one.statename === process.statename && one.statename !== "STOPPED").sort((a, b) => b.stop - a.stop)[0];
  const why = canStart(process.statename) ? reasonOf((failed && noteOf(tables, failed)) || process.why || "") : "";
  return [wanted, args, why].filter(Boolean).join(" · ");
}

function processMenu(process: Process, copies: Copy[], strategy: string, isManaged: boolean): MenuItem[] {
  const namespec = specOf(process);
  const running = copies.find((one) => isUp(one.statename));
  const shown = running ?? [...copies].sort((a, b) => b.start - a.start)[0];
  const program = copies[0]?.program_name ?? process.process_name;
  const identifiers = copies.map((one) => one.identifier);
  const disabled = copies.filter((one) => one.disabled).map((one) => one.identifier);
  const follow = shown ? (channel: string) => `#/logs?follow=${encodeURIComponent(`${shown.identifier}/${namespec}${channel}`)}` : undefined;
  return [
    { text: "Restart…", run: () => void actions.restartProcess(namespec, strategy), isOff: !isManaged, why: "It is not managed" },
    actions.startAtItem(namespec),
    { text: "Why, and its last runs", href: hrefs.process(namespec) },
    { text: "Follow its output", href: follow?.(""), isOff: !shown?.has_stdout, why: "Its output is not kept" },
    { text: "Follow its error output", href: follow?.("/stderr"), isOff: !shown?.has_stderr, why: "Its error output is not kept" },
    { text: "Clear its logs", run: () => shown && void actions.clearLogs(shown), isOff: !shown, why: "Nobody has it" },
    { text: `Disable ${program} everywhere…`, run: () => void actions.disableProgram(program, identifiers), isOff: disabled.length === copies.length, why: "It is disabled" },
    { text: `Enable ${program} everywhere`, run: () => void actions.enableProgram(program, disabled), isOff: disabled.length === 0, why: "It is enabled" },
    { text: `Number of processes of ${program}…`, run: () => void actions.updateNumprocs(program, identifiers) },
  ];
}

function ProcessActions(props: { row: Row & { kind: "process" }; strategy: string; isManaged: boolean }) {
  const { process, copies } = props.row;
  const namespec = specOf(process);
  const isStartable = canStart(process.statename);
  return (
    <span class="row-actions">
      {isStartable ? (
        <button type="button" class="small" disabled={!props.isManaged} title={props.isManaged ? undefined : "It has no rules: choose an instance"} aria-label={`Start ${namespec}`} onClick={() => actions.startProcess(namespec, props.strategy)}>
          Start
        </button>
      ) : (
        <button type="button" class="small" disabled={process.statename === "STOPPING"} aria-label={`Stop ${namespec}`} onClick={() => actions.stopProcess(namespec)}>
          Stop
        </button>
      )}
      <MenuButton label={`More for ${namespec}`} items={processMenu(process, copies, props.strategy, props.isManaged)} />
    </span>
  );
}

function CopyActions(props: { copy: Copy; tables: Tables }) {
  const { copy } = props;
  const namespec = namespecOf(copy.group, copy.name);
  const where = props.tables.nick(copy.identifier);
  const away = props.tables.awayWords(copy.identifier);
  return (
    <span class="row-actions">
      {canStart(copy.statename) ? (
        <button type="button" class="small" disabled={copy.disabled || away !== ""} title={away || (copy.disabled ? "It is disabled" : undefined)} aria-label={`Start ${namespec} at ${where}`} onClick={() => actions.startAt(namespec, copy.identifier)}>
          Start here
        </button>
      ) : (
        <button type="button" class="small" disabled={copy.statename === "STOPPING" || away !== ""} title={away || undefined} aria-label={`Stop ${namespec} at ${where}`} onClick={() => actions.stopCopy(copy)}>
          Stop here
        </button>
      )}
      <MenuButton label={`More for ${namespec} at ${where}`} items={menuOf(copy)} />
    </span>
  );
}

// ---- the table ----

type Usages = Record<string, Usage | null>;

// What is used, of all instances where something of it runs.
function useUsages(identifiers: string[], period: number): Usages | null {
  const ask = async (): Promise<Usages> => {
    const answers = await Promise.allSettled(identifiers.map((one) => call<Usage>(one, "svisor.getUsage", { period })));
    return Object.fromEntries(answers.map((one, index) => [identifiers[index]!, one.status === "fulfilled" ? one.value : null]));
  };
  return usePoll(ask, pollMs(period || 4), [identifiers.join(), period]).value;
}

interface Surroundings {
  tables: Tables;
  application: Application;
  strategy: string;
  now: number;
  usages: Usages | null;
  shown: string;
}

function usageColumn(around: Surroundings, id: string, title: string, place: 0 | 1): Column<Row> {
  const of = (copy: Copy) => around.usages?.[copy.identifier]?.processes[namespecOf(copy.group, copy.name)]?.[place];
  return {
    id, title, width: "4.5rem", isNumber: true, isWide: true,
    cell: (row) => {
      if (row.kind === "step") return null;
      const up = (row.kind === "copy" ? [row.copy] : row.copies).filter((one) => isUp(one.statename));
      const value = up[0] && up.length === 1 ? of(up[0]) : undefined;
      if (value === undefined || !up[0]) return "";
      const words = `${up[0].identifier}/${specOf(row.process)}`;
      return (
        <button type="button" class="plain number-link" aria-pressed={around.shown === words} aria-label={`${title} of ${specOf(row.process)}: ${percent(value)}, show its history`} onClick={() => setQuery({ stats: around.shown === words ? null : words })}>
          {percent(value)}
        </button>
      );
    },
  };
}

function columnsOf(around: Surroundings): Column<Row>[] {
  const { tables, application, now } = around;
  const isUpApplication = application.statename !== "STOPPED";
  const upOf = (row: Row) => (row.kind === "step" ? undefined : row.kind === "copy" ? row.copy : row.copies.find((one) => isUp(one.statename)));
  return [
    {
      id: "name", title: "Process", width: "minmax(13.75rem, 1.5fr)",
      cell: (row) => {
        if (row.kind === "step") return <b class="step-title">{sequenceTitle(row.sequence, row.count)}</b>;
        if (row.kind === "process") return <Name process={row.process} isOpen={row.isOpen} />;
        return <a class="indent" href={hrefs.instance(row.copy.identifier)}>{tables.nick(row.copy.identifier)}</a>;
      },
    },
    {
      id: "state", title: "State", width: "minmax(7rem, 10.5rem)", isUnder: true,
      cell: (row) => {
        if (row.kind === "step") return null;
        if (row.kind === "copy") return <State state={row.copy.statename} expected={row.copy.expected} isDisabled={row.copy.disabled} />;
        return <State state={row.process.statename} expected={row.process.expected_exit} isDisabled={row.copies.length > 0 && row.copies.every((one) => one.disabled)} />;
      },
    },
    {
      id: "where", title: "Runs at", width: "minmax(5rem, 0.8fr)", isWide: true,
      cell: (row) => (row.kind === "process" ? <Where tables={tables} process={row.process} isManaged={application.managed} /> : null),
    },
    { id: "load", title: "Load", width: "3rem", isNumber: true, isWide: true, cell: (row) => (row.kind === "process" && row.process.rules?.expected_loading ? `${row.process.rules.expected_loading}%` : "") },
    {
      id: "note", title: "Note", width: "minmax(8rem, 2.4fr)", isUnder: true, span: (row) => (upOf(row)?.pid ? 1 : around.usages ? 5 : 3),
      cell: (row) => {
        if (row.kind === "step") return null;
        const note = row.kind === "copy" ? noteOf(tables, row.copy) : processNote(tables, row.process, row.copies, isUpApplication);
        return <span class="quiet cut" title={note}>{note}</span>;
      },
    },
    { id: "pid", title: "Pid", width: "4.5rem", isNumber: true, isWide: true, cell: (row) => upOf(row)?.pid || "" },
    {
      id: "uptime", title: "Uptime", width: "5rem", isNumber: true, isWide: true,
      cell: (row) => {
        const copy = upOf(row);
        return copy ? duration(uptimeOf(tables, copy, now)) : "";
      },
    },
    ...(around.usages ? [usageColumn(around, "cpu", "CPU", 0), usageColumn(around, "mem", "Memory", 1)] : []),
    {
      id: "actions", title: "Actions", width: "7.5rem", isTitleHidden: true,
      cell: (row) => {
        if (row.kind === "process") return <ProcessActions row={row} strategy={around.strategy} isManaged={application.managed} />;
        return row.kind === "copy" ? <CopyActions copy={row.copy} tables={tables} /> : null;
      },
    },
  ];
}

function Detail(props: { shown: string; usages: Usages | null; tables: Tables; period: number }) {
  const slash = props.shown.indexOf("/");
  const [identifier, namespec] = [props.shown.slice(0, slash), props.shown.slice(slash + 1)];
  return (
    <section class="detail" aria-label={`Statistics of ${namespec}`}>
      <div class="section-head">
        <h2>
          {namespec} <span class="quiet">at {props.tables.nick(identifier)}</span>
        </h2>
        <PeriodChoice periods={props.usages?.[identifier]?.periods ?? []} period={props.period} />
        <button type="button" class="small detail-close" onClick={() => setQuery({ stats: null })}>
          Close
        </button>
      </div>
      <ProcessCharts identifier={identifier} namespec={namespec} period={props.period} />
    </section>
  );
}

const keyOf = (row: Row) => (row.kind === "step" ? `step ${row.sequence}` : row.kind === "process" ? `process ${row.process.process_name}` : `copy ${row.copy.identifier} ${row.process.process_name}`);
const classOf = (row: Row) => (row.kind === "step" ? "tr-group" : row.kind === "copy" ? "tr-copy" : "");

export function MemberTable(props: { application: Application; members: Process[]; strategy: string }) {
  const tables = useTables("process", "copy", "instance");
  const now = useTick();
  const query = useTableQuery("", "");
  const { query: words } = useRoute();
  const open = useMemo(() => namesIn(words, "open"), [words.get("open")]);
  const names = props.members.map((one) => one.process_name);
  const isAllOpen = names.length > 0 && names.every((one) => open.has(one));
  const period = usePeriod();
  const usages = useUsages([...new Set(props.members.flatMap((one) => one.identifiers))].sort(byText), period);
  const shown = words.get("stats") ?? "";
  const columns = columnsOf({ tables, application: props.application, strategy: props.strategy, now, usages, shown });
  return (
    <section aria-label="Processes">
      {shown.includes("/") && <Detail shown={shown} usages={usages} tables={tables} period={period} />}
      <div class="section-head">
        <h2>
          Processes <span class="quiet">{names.length}</span>
        </h2>
        <FilterBox query={query} label="Filter processes" />
        <button type="button" class="small" onClick={() => setNames("open", names, !isAllOpen)}>
          {isAllOpen ? "Hide the instances" : "Show each instance"}
        </button>
      </div>
      <Table label="Processes" columns={columns} rows={rowsOf(tables, props.members, query.filter, open)} keyOf={keyOf} classOf={classOf} empty="No process has that name." />
    </section>
  );
}
