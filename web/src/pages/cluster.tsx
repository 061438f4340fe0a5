// The start page: what needs attention, the instances, the applications. Without a cluster: the processes of this daemon.
import * as actions from "../api/actions";
import { hrefs } from "../model/attention";
import type { Tables } from "../model/store";
import type { Application } from "../model/types";
import { byText, list, plural } from "../model/words";
import { useTables } from "../ui/hooks";
import { MenuButton } from "../ui/menu";
import { State } from "../ui/state";
import { FilterBox, matches, sortRows, Table, useTableQuery } from "../ui/table";
import type { Column } from "../ui/table";
import { AttentionList } from "./attention";
import { InstanceCards } from "./cards";
import type { PageProperties } from "./index";
import { ProcessTable } from "./processes";
import { TallyBar } from "./tally";

function failureOf(one: Application): string {
  return one.major_failure ? "MAJOR FAILURE" : one.minor_failure ? "MINOR FAILURE" : "";
}

function weight(one: Application): number {
  return one.major_failure ? 2 : one.minor_failure ? 1 : 0;
}

function sequence(one: Application): string {
  const start = one.rules?.start_sequence;
  return one.managed && start ? String(start) : "";
}

function applicationColumns(tables: Tables): Column<Application>[] {
  return [
    {
      id: "name", title: "Application", width: "minmax(9rem, 1.2fr)", order: (a, b) => byText(a.application_name, b.application_name),
      cell: (one) => <a href={hrefs.application(one.application_name)}>{one.application_name}</a>,
    },
    { id: "state", title: "State", width: "8.5rem", isUnder: true, order: (a, b) => byText(a.statename, b.statename), cell: (one) => <State state={one.statename} /> },
    {
      id: "failure", title: "Failure", width: "9rem", order: (a, b) => weight(a) - weight(b), isWide: true,
      cell: (one) => (failureOf(one) ? <State state={failureOf(one)} /> : <span class="quiet">none</span>),
    },
    {
      id: "processes", title: "Processes", width: "minmax(11rem, 2fr)", isWide: true,
      cell: (one) => <TallyBar tally={tables.tallyOf.get(one.application_name) ?? {}} />,
    },
    {
      id: "sequence", title: "Start sequence", width: "8rem", isNumber: true, isWide: true,
      order: (a, b) => (a.rules?.start_sequence ?? 0) - (b.rules?.start_sequence ?? 0), cell: sequence,
    },
    { id: "actions", title: "Actions", width: "9.5rem", isTitleHidden: true, cell: (one) => <ApplicationActions one={one} /> },
  ];
}

function ApplicationActions(props: { one: Application }) {
  const { application_name: name, managed, statename } = props.one;
  if (!managed) return <span class="row-note">not managed</span>;
  const isStopped = statename === "STOPPED";
  return (
    <span class="row-actions">
      {isStopped ? (
        <button type="button" class="small" aria-label={`Start ${name}`} onClick={() => actions.startApplication(name)}>
          Start
        </button>
      ) : (
        <button type="button" class="small" aria-label={`Stop ${name}`} onClick={() => actions.stopApplication(name)}>
          Stop
        </button>
      )}
      <MenuButton
        label={`More for ${name}`}
        items={[
          { text: "Restart", run: () => void actions.restartApplication(name) },
          { text: "Processes and rules", href: hrefs.application(name) },
        ]}
      />
    </span>
  );
}

function Applications() {
  const tables = useTables("application", "process");
  const query = useTableQuery("name", "app-");
  const columns = applicationColumns(tables);
  const all = [...tables.applications.values()];
  const rows = sortRows(all.filter((one) => matches(query.filter, one.application_name)), columns, query.sort);
  return (
    <section aria-label="Applications">
      <div class="section-head">
        <h2>
          Applications <span class="quiet">{all.length}</span>
        </h2>
        {all.length > 6 && <FilterBox query={query} label="Filter applications" />}
      </div>
      <Table label="Applications" columns={columns} rows={rows} keyOf={(one) => one.application_name} query={query} empty="No application has that name." />
    </section>
  );
}

// What ends the waiting for other instances, by synchro_options.
const ENDS: Record<string, string> = {
  STRICT: "all of supvisors_list are there",
  LIST: "all known instances are there",
  TIMEOUT: "synchro_timeout has passed",
  CORE: "all of core_identifiers are there",
  USER: "somebody ends it here",
};

// While the cluster waits for instances. With the option USER somebody may end that, and say who becomes Master, until there is one.
function Synchronization() {
  const tables = useTables("hello", "supvisors", "instance");
  if (tables.supvisors?.fsm_statename !== "SYNCHRONIZATION") return null;
  const options = tables.hello?.synchro_options ?? [];
  const canEnd = options.includes("USER") && !tables.supvisors.master_identifier;
  const instances = [...tables.instances.values()];
  const there = instances.filter((one) => one.statename === "RUNNING");
  const missing = instances.filter((one) => one.statename !== "RUNNING").map((one) => one.nick_identifier);
  return (
    <section class="banner tone-busy" aria-label="Synchronization">
      <p>
        <b>The cluster waits{missing.length > 0 && ` for ${list(missing)}`}</b> and starts no application yet. The waiting ends when{" "}
        {options.map((one) => ENDS[one]).join(", or ")}.
      </p>
      {canEnd && (
        <span class="row-actions">
          <button type="button" onClick={() => actions.endSynchronization("")}>
            End the synchronization
          </button>
          <MenuButton
            label="End it with a chosen Master"
            class="small"
            items={there.map((one) => ({ text: `${one.nick_identifier} becomes Master`, run: () => void actions.endSynchronization(one.identifier) }))}
          >
            With Master…
          </MenuButton>
        </span>
      )}
    </section>
  );
}

function Conflicts() {
  const tables = useTables("conflicts");
  if (tables.conflicts.length === 0) return null;
  return (
    <section class="banner tone-bad" aria-label="Conflicts">
      <p>
        <State state="CONFLICT" /> <b>{plural(tables.conflicts.length, "process runs", "processes run")} in more than one instance.</b>
      </p>
      <a class="button" href={hrefs.conciliation}>
        Resolve…
      </a>
    </section>
  );
}

export function Cluster(_: PageProperties) {
  const tables = useTables("hello");
  const own = tables.hello?.identifier ?? "";
  return (
    <div class="page">
      <h1 class="unseen">{tables.isCluster ? "Cluster" : "Processes"}</h1>
      <Synchronization />
      <Conflicts />
      <AttentionList />
      {tables.isCluster ? (
        <>
          <InstanceCards />
          <Applications />
        </>
      ) : (
        <ProcessTable identifier={own} />
      )}
    </div>
  );
}
