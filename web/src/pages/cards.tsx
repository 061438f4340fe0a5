// A card for each instance: its state, its load, and what runs there.
import { useMemo } from "preact/hooks";
import { hrefs } from "../model/attention";
import type { Tables } from "../model/store";
import { isUp } from "../model/types";
import type { Copy, Instance } from "../model/types";
import { byText, plural, reasonOf } from "../model/words";
import { useTables } from "../ui/hooks";
import { Mark, State } from "../ui/state";
import { TallyBar } from "./tally";

const NAMES_MAX = 12;

// What runs there, by group: "shop 3 of 4".
function groupsOf(copies: Iterable<Copy>): [group: string, up: Copy[], all: number][] {
  const groups = new Map<string, { up: Copy[]; all: number }>();
  for (const copy of copies) {
    let group = groups.get(copy.group);
    if (!group) groups.set(copy.group, (group = { up: [], all: 0 }));
    group.all++;
    if (isUp(copy.statename)) group.up.push(copy);
  }
  return [...groups].filter(([, one]) => one.up.length > 0).map(([name, one]) => [name, one.up, one.all] as [string, Copy[], number]).sort((a, b) => byText(a[0], b[0]));
}

function Running(props: { tables: Tables; identifier: string }) {
  const { tables, identifier } = props;
  const groups = useMemo(() => groupsOf(tables.copiesAt.get(identifier)?.values() ?? []), [tables, identifier, tables.changesAt.get(identifier)]);
  if (groups.length === 0) return <p class="quiet card-nothing">Nothing runs here.</p>;
  return (
    <ul class="running" aria-label="What runs here">
      {groups.slice(0, NAMES_MAX).map(([group, up]) => (
        <li key={group}>
          <a href={props.tables.isCluster && props.tables.applications.has(group) ? hrefs.application(group) : hrefs.process(group)}>{group}</a>
          <span class="quiet">{up.length === 1 && up[0] && up[0].name === up[0].group ? "" : names(up)}</span>
        </li>
      ))}
      {groups.length > NAMES_MAX && <li class="quiet">and {plural(groups.length - NAMES_MAX, "more group")}</li>}
    </ul>
  );
}

function names(up: Copy[]): string {
  const sorted = up.map((one) => one.name).sort(byText);
  return sorted.length <= 3 ? sorted.join(", ") : `${sorted.slice(0, 2).join(", ")} +${sorted.length - 2}`;
}

function Load(props: { loading: number }) {
  const share = Math.min(100, props.loading);
  const tone = props.loading > 90 ? "bad" : props.loading > 75 ? "warn" : "good";
  return (
    <span class="load" title="The sum of expected_loading of what runs here">
      <span class="load-bar" aria-hidden="true">
        <span class={`load-part tone-${tone}`} style={{ width: `${share}%` }} />
      </span>
      <span class="load-words">load {props.loading}%</span>
    </span>
  );
}

function Card(props: { tables: Tables; one: Instance }) {
  const { one, tables } = props;
  const isMaster = tables.supvisors?.master_identifier === one.identifier;
  const isOwn = tables.hello?.identifier === one.identifier;
  const isThere = tables.isThere(one.identifier);
  const isBad = one.statename === "FAILED" || one.statename === "ISOLATED";
  return (
    <article class={`card ${isThere ? "" : "card-away"} ${isBad ? "card-bad" : ""}`} aria-label={one.nick_identifier}>
      <header>
        <h3>
          <a href={hrefs.instance(one.identifier)}>{one.nick_identifier || one.identifier}</a>
        </h3>
        {isMaster && <span class="badge badge-master">★ Master</span>}
        <State state={one.statename} />
      </header>
      <p class="card-facts quiet">
        {one.node_name}
        {one.port ? `:${one.port}` : ""}
        {one.version && ` · ${one.version}`}
        {one.stereotypes?.map((word) => ` · ${word}`)}
        {isOwn && " · serves this page"}
      </p>
      {isThere ? (
        <>
          <Load loading={one.loading} />
          <TallyBar tally={tables.tallyAt.get(one.identifier) ?? {}} />
          <Running tables={tables} identifier={one.identifier} />
          {one.process_failure && (
            <p class="card-failure tone-bad">
              <Mark state="FATAL" /> a process has failed here
            </p>
          )}
        </>
      ) : (
        <p class="card-why">{reasonOf(one.why || "It is not heard.")}</p>
      )}
    </article>
  );
}

export function InstanceCards() {
  const tables = useTables("instance", "copy", "supvisors");
  const all = [...tables.instances.values()];
  return (
    <section aria-label="Instances">
      <div class="section-head">
        <h2>
          Instances <span class="quiet">{all.length}</span>
        </h2>
      </div>
      <div class="cards">
        {all.map((one) => (
          <Card key={one.identifier} tables={tables} one={one} />
        ))}
      </div>
    </section>
  );
}
