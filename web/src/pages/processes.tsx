// The processes of one instance, by group, with what can be done with them there. No rule of the cluster counts here.
import { useMemo } from "preact/hooks";
import * as actions from "../api/actions";
import { call } from "../api/call";
import { hrefs, whyOf } from "../model/attention";
import { store } from "../model/index";
import { logsHref, sourceOf } from "../model/logs/source";
import type { Tables } from "../model/store";
import { canStart, isCrash, isUp, namespecOf } from "../model/types";
import type { Copy } from "../model/types";
import { byText, dateAndClock, duration, percent, reasonOf } from "../model/words";
import { useTables, useTick } from "../ui/hooks";
import { MenuButton } from "../ui/menu";
import type { MenuItem } from "../ui/menu";
import { usePoll } from "../ui/poll";
import { namesIn, setNames, setQuery, useRoute } from "../ui/route";
import { State } from "../ui/state";
import { FilterBox, matches, sortRows, Table, useTableQuery } from "../ui/table";
import type { Column, TableQuery } from "../ui/table";
import { PeriodChoice, pollMs, ProcessCharts, usePeriod } from "./statistics";
import type { Usage } from "./statistics";

// A row is a group with what it has, or one process.
interface GroupRow {
  group: string;
  copies: Copy[];
  isShrunk: boolean;
}
type Row = GroupRow | Copy;
const isGroup = (row: Row): row is GroupRow => "copies" in row;

// Seconds that the clock of the instance is ahead of the browser's.
function skewOf(tables: Tables, identifier: string): number {
  const instance = tables.instances.get(identifier);
  const between = instance?.remote_time && instance.local_time ? instance.remote_time - instance.local_time : 0;
  return store.clockSkew + between;
}

export function uptimeOf(tables: Tables, copy: Copy, now: number): number {
  if (!isUp(copy.statename) && copy.statename !== "STOPPING") return NaN;
  return now / 1000 + skewOf(tables, copy.identifier) - copy.start;
}

// What is there to say besides the state: since when it is stopped, why it failed.
export function noteOf(tables: Tables, copy: Copy): string {
  if (copy.statename === "RUNNING") return copy.extra_args ? `with ${copy.extra_args}` : "";
  if (isCrash(copy.statename, copy.expected) || copy.statename === "UNKNOWN") return whyOf(tables, copy);
  if (copy.statename === "EXITED" && copy.why) return reasonOf(copy.why);
  if (copy.stop > 0) return `${copy.statename === "EXITED" ? "ended" : "stopped"} ${dateAndClock(copy.stop)}`;
  return copy.start === 0 ? "not started yet" : "";
}

// `where` says which copy, on pages that show several.
export function menuOf(copy: Copy, where = ""): MenuItem[] {
  const { program_name: program } = copy;
  const namespec = namespecOf(copy.group, copy.name);
  const tail = (channel: "stdout" | "stderr") => logsHref([sourceOf(copy, channel)]);
  const away = store.tables.awayWords(copy.identifier);
  const items: MenuItem[] = [
    { text: "Restart", run: () => void actions.restartCopy(copy), isOff: !isUp(copy.statename), why: "It does not run" },
    { text: "Follow its output", href: tail("stdout"), isOff: !copy.has_stdout, why: "Its output is not kept" },
    { text: "Follow its error output", href: tail("stderr"), isOff: !copy.has_stderr, why: "Its error output is not kept" },
    { text: "Clear its logs", run: () => void actions.clearLogs(copy), isOff: !copy.has_stdout && !copy.has_stderr, why: "It has no logs" },
    { text: `Send a signal${where}…`, run: () => void actions.signalCopy(copy), isOff: copy.pid === 0, why: "It does not run" },
    { text: `Write to its input${where}…`, run: () => void actions.sendInput(copy), isOff: copy.pid === 0 || !isUp(copy.statename), why: "It does not run" },
    ...(store.tables.isCluster
      ? [
          copy.disabled
            ? { text: `Enable ${program}${where || " here"}`, run: () => void actions.enableProgram(program, [copy.identifier]) }
            : { text: `Disable ${program}${where || " here"}…`, run: () => void actions.disableProgram(program, [copy.identifier]) },
        ]
      : []),
  ];
  return [{ text: "Why this state?", href: hrefs.process(namespec) }, ...(away ? items.map((one) => ({ ...one, isOff: true, why: away })) : items)];
}

function CopyActions(props: { copy: Copy }) {
  const { copy } = props;
  const namespec = namespecOf(copy.group, copy.name);
  const away = store.tables.awayWords(copy.identifier);
  return (
    <span class="row-actions">
      {canStart(copy.statename) || copy.statename === "STOPPING" ? (
        <button type="button" class="small" disabled={!canStart(copy.statename) || copy.disabled || away !== ""} title={away || (copy.disabled ? "It is disabled" : undefined)} aria-label={`Start ${namespec}`} onClick={() => actions.startCopy(copy)}>
          Start
        </button>
      ) : (
        <button type="button" class="small" disabled={away !== ""} title={away || undefined} aria-label={`Stop ${namespec}`} onClick={() => actions.stopCopy(copy)}>
          Stop
        </button>
      )}
      <MenuButton label={`More for ${namespec}`} items={menuOf(copy)} />
    </span>
  );
}

function GroupActions(props: { row: GroupRow; identifier: string }) {
  const { row, identifier } = props;
  const hasUp = row.copies.some((one) => isUp(one.statename));
  return (
    <span class="row-actions">
      <button type="button" class="small" aria-label={`${hasUp ? "Stop" : "Start"} all of ${row.group}`} onClick={() => actions.groupVerb(hasUp ? "stop" : "start", identifier, row.group)}>
        {hasUp ? "Stop all" : "Start all"}
      </button>
      <MenuButton
        label={`More for all of ${row.group}`}
        items={[
          { text: "Start all", run: () => void actions.groupVerb("start", identifier, row.group) },
          { text: "Stop all", run: () => void actions.groupVerb("stop", identifier, row.group), isOff: !hasUp, why: "Nothing of it runs" },
          { text: "Restart all", run: () => void actions.groupVerb("restart", identifier, row.group) },
        ]}
      />
    </span>
  );
}

function GroupName(props: { row: GroupRow }) {
  const { group, copies, isShrunk } = props.row;
  const up = copies.filter((one) => one.statename === "RUNNING").length;
  return (
    <span class="group-name">
      <button type="button" class="plain twist" aria-expanded={!isShrunk} aria-label={`${isShrunk ? "Expand" : "Shrink"} ${group}`} onClick={() => setNames("shrunk", [group], !isShrunk)}>
        {isShrunk ? "▸" : "▾"}
      </button>
      <b>{group}</b>
      <span class="quiet cut">
        {up} of {copies.length} running
      </span>
    </span>
  );
}

// A measure, which leads to its history, and away from it again.
function Measure(props: { title: string; namespec: string; value: number; isShown: boolean }) {
  const { title, namespec, value, isShown } = props;
  const label = `${title} of ${namespec}: ${percent(value)}, ${isShown ? "hide" : "show"} its history`;
  const toggle = () => setQuery({ stats: isShown ? null : namespec });
  return (
    <button type="button" class="plain number-link" aria-pressed={isShown} aria-label={label} onClick={toggle}>
      {percent(value)}
    </button>
  );
}

// What processes have used in the last period; without measures there are no such columns.
function usageColumns(tables: Tables, usage: Usage, shown: string): Column<Row>[] {
  const used = (copy: Copy, place: 0 | 1) => usage.processes[namespecOf(copy.group, copy.name)]?.[place];
  const loading = (copy: Copy) => tables.processes.get(`${copy.group}:${copy.name}`)?.rules?.expected_loading ?? 0;
  const sum = (copies: Copy[], of: (copy: Copy) => number | undefined) => copies.reduce((all, copy) => all + (of(copy) ?? 0), 0);
  const running = (row: GroupRow) => row.copies.filter((one) => isUp(one.statename));
  const column = (id: string, title: string, place: 0 | 1): Column<Row> => ({
    id, title, width: "4.5rem", isNumber: true, isWide: true, order: (a, b) => (used(a as Copy, place) ?? -1) - (used(b as Copy, place) ?? -1),
    cell: (row) => {
      if (isGroup(row)) return running(row).length ? <span class="quiet">{percent(sum(running(row), (copy) => used(copy, place)))}</span> : "";
      const value = used(row, place);
      const namespec = namespecOf(row.group, row.name);
      return value !== undefined && <Measure title={title} namespec={namespec} value={value} isShown={shown === namespec} />;
    },
  });
  const load: Column<Row> = {
    id: "load", title: "Load", width: "4rem", isNumber: true, isWide: true, order: (a, b) => loading(a as Copy) - loading(b as Copy),
    cell: (row) => {
      const value = isGroup(row) ? sum(running(row), loading) : loading(row);
      return value ? <span class={isGroup(row) || !isUp(row.statename) ? "quiet" : ""}>{value}%</span> : "";
    },
  };
  return [...(tables.isCluster ? [load] : []), column("cpu", "CPU", 0), column("mem", "Memory", 1)];
}

// A part of its own, so that the time that goes by draws this and nothing else.
function Uptime(props: { tables: Tables; copy: Copy }) {
  return <>{duration(uptimeOf(props.tables, props.copy, useTick()))}</>;
}

function copyColumns(tables: Tables, identifier: string, usage: Usage | null, shown: string): Column<Row>[] {
  const of = (cell: (copy: Copy) => preact.ComponentChildren) => (row: Row) => (isGroup(row) ? null : cell(row));
  const by = (order: (a: Copy, b: Copy) => number) => (a: Row, b: Row) => order(a as Copy, b as Copy);
  const uptime = (copy: Copy) => uptimeOf(tables, copy, Date.now());
  return [
    {
      id: "name", title: "Process", width: "minmax(10rem, 1.3fr)", order: by((a, b) => byText(a.name, b.name)),
      cell: (row) => (isGroup(row) ? <GroupName row={row} /> : <a class={row.name === row.group ? "single" : "indent"} href={hrefs.process(namespecOf(row.group, row.name))}>{row.name}</a>),
    },
    {
      id: "state", title: "State", width: "minmax(7rem, 10rem)", isUnder: true, order: by((a, b) => byText(a.statename, b.statename)),
      cell: of((copy) => <State state={copy.statename} expected={copy.expected} isDisabled={copy.disabled} />),
    },
    {
      id: "note", title: "Note", width: "minmax(8rem, 2.4fr)", isUnder: true, span: (row) => (isGroup(row) || row.pid ? 1 : 3), // no pid, no uptime
      cell: of((copy) => <span class="quiet cut" title={noteOf(tables, copy)}>{noteOf(tables, copy)}</span>),
    },
    { id: "pid", title: "Pid", width: "5rem", isNumber: true, isWide: true, order: by((a, b) => a.pid - b.pid), cell: of((copy) => copy.pid || "") },
    {
      id: "uptime", title: "Uptime", width: "6rem", isNumber: true, isWide: true, order: by((a, b) => (uptime(a) || 0) - (uptime(b) || 0)),
      cell: of((copy) => <Uptime tables={tables} copy={copy} />),
    },
    ...(usage ? usageColumns(tables, usage, shown) : []),
    {
      id: "actions", title: "Actions", width: "7rem", isTitleHidden: true,
      cell: (row) => (!isGroup(row) ? <CopyActions copy={row} /> : tables.isThere(identifier) ? <GroupActions row={row} identifier={identifier} /> : null),
    },
  ];
}

function rowsOf(copies: Iterable<Copy>, query: TableQuery, columns: Column<Row>[], shrunk: Set<string>): Row[] {
  const groups = new Map<string, Copy[]>();
  for (const copy of copies) {
    if (!matches(query.filter, `${copy.group}:${copy.name} ${copy.statename}`)) continue;
    const group = groups.get(copy.group);
    if (group) group.push(copy);
    else groups.set(copy.group, [copy]);
  }
  const rows: Row[] = [];
  for (const group of [...groups.keys()].sort(byText)) {
    const members = groups.get(group)!;
    const [only] = members;
    if (members.length === 1 && only?.name === group) {
      rows.push(only); // a program that is in no group is called once
      continue;
    }
    const isShrunk = shrunk.has(group) && !query.filter;
    rows.push({ group, copies: members, isShrunk });
    if (!isShrunk) rows.push(...sortRows<Row>(members.slice(), columns, query.sort));
  }
  return rows;
}

function useUsage(identifier: string, period: number): Usage | null {
  const isThere = store.tables.isThere(identifier);
  const ask = () => (isThere ? call<Usage>(identifier, "svisor.getUsage", { period }) : Promise.resolve(null));
  return usePoll(ask, pollMs(period || 4), [identifier, period, isThere]).value;
}

function Detail(props: { identifier: string; namespec: string; usage: Usage; period: number }) {
  return (
    <section class="detail" aria-label={`Statistics of ${props.namespec}`}>
      <div class="section-head">
        <h2>{props.namespec}</h2>
        <PeriodChoice periods={props.usage.periods} period={props.period} />
        <button type="button" class="small detail-close" onClick={() => setQuery({ stats: null })}>
          Close
        </button>
      </div>
      <ProcessCharts identifier={props.identifier} namespec={props.namespec} period={props.period} />
    </section>
  );
}

export function ProcessTable(props: { identifier: string }) {
  const tables = useTables("copy", "instance", "timeline");
  const query = useTableQuery("name");
  const { query: words } = useRoute();
  const shrunk = useMemo(() => namesIn(words, "shrunk"), [words.get("shrunk")]);
  const copies = tables.copiesAt.get(props.identifier);
  const period = usePeriod();
  const usage = useUsage(props.identifier, period);
  const shown = words.get("stats") ?? "";
  const isThere = tables.isThere(props.identifier);
  const columns = useMemo(() => copyColumns(tables, props.identifier, usage, shown), [tables, props.identifier, usage, shown, tables.deathCount, isThere]);
  const rows = rowsOf(copies?.values() ?? [], query, columns, shrunk);
  const groups = rows.filter(isGroup).map((one) => one.group);
  const isAllShrunk = groups.length > 0 && groups.every((one) => shrunk.has(one));
  return (
    <section aria-label="Processes">
      {shown && usage && <Detail identifier={props.identifier} namespec={shown} usage={usage} period={period} />}
      <div class="section-head">
        <h2>
          Processes <span class="quiet">{copies?.size ?? 0}</span>
        </h2>
        <FilterBox query={query} label="Filter processes" />
        <button type="button" class="small" onClick={() => setNames("shrunk", groups, !isAllShrunk)}>
          {isAllShrunk ? "Expand all" : "Shrink all"}
        </button>
        {isThere && (
          <MenuButton
            label="All processes"
            class="small"
            items={[
              { text: "Start all", run: () => void actions.allVerb("start", props.identifier) },
              { text: "Stop all", run: () => void actions.allVerb("stop", props.identifier), isDangerous: true },
              { text: "Restart all", run: () => void actions.allVerb("restart", props.identifier), isDangerous: true },
            ]}
          >
            All…
          </MenuButton>
        )}
      </div>
      <Table
        label="Processes"
        columns={columns}
        rows={rows}
        query={query}
        keyOf={(row) => (isGroup(row) ? `group ${row.group}` : `${row.group}:${row.name}`)}
        classOf={(row) => (isGroup(row) ? "tr-group" : "")}
        empty={copies ? "No process has that name." : "There are no processes here."}
      />
    </section>
  );
}
