// One application: how it is, its rules, and its processes in the order in which they start, each with its copies in the
// instances. What is done here goes by the rules of the cluster; in the rows of single instances it does not.
import type { ComponentChildren } from "preact";
import * as actions from "../api/actions";
import { attentionOfApplication } from "../model/attention";
import { membersOf } from "../model/plan";
import { applicationFacts, STARTING_WORDS } from "../model/rules";
import type { Tables } from "../model/store";
import type { Application } from "../model/types";
import { useTables } from "../ui/hooks";
import { NotThere } from "../ui/not-there";
import { setQuery } from "../ui/route";
import { State } from "../ui/state";
import { RecentEvents } from "../ui/timeline-list";
import { Facts } from "../ui/facts";
import type { PageProperties } from "./index";
import { MemberTable } from "./members";
import { TallyBar } from "./tally";

// In words why it is not whole, or that it is.
function Health(props: { one: Application; tables: Tables }) {
  const { one, tables } = props;
  const attention = attentionOfApplication(one);
  if (attention)
    return (
      <p class="health">
        <State state={attention.state} /> <span>{attention.words(tables)}</span>
      </p>
    );
  if (one.statename !== "RUNNING") return null;
  return <p class="health quiet">{one.managed ? "It works: nothing that counts is missing." : "It is not managed: it has no rules, and each instance runs its own."}</p>;
}

function StrategySelect(props: { value: string; own: string }) {
  return (
    <label class="inline-field">
      <span class="quiet">Starting strategy</span>
      <select value={props.value} title={`Each process goes to ${STARTING_WORDS[props.value]}`} onChange={(event) => setQuery({ strategy: event.currentTarget.value === props.own ? null : event.currentTarget.value })}>
        {actions.STRATEGIES.map((one) => (
          <option key={one} value={one}>
            {one === props.own ? `${one} (its rule)` : one}
          </option>
        ))}
      </select>
    </label>
  );
}

function Actions(props: { one: Application; strategy: string }) {
  const { application_name: name, statename } = props.one;
  const isStopped = statename === "STOPPED";
  return (
    <span class="page-actions">
      <button type="button" class={isStopped ? "primary" : ""} disabled={!isStopped} title={isStopped ? undefined : "It runs already"} onClick={() => actions.startApplication(name, props.strategy)}>
        Start…
      </button>
      <button type="button" disabled={isStopped} title={isStopped ? "It does not run" : undefined} onClick={() => actions.stopApplication(name)}>
        Stop…
      </button>
      <button type="button" onClick={() => actions.restartApplication(name, props.strategy)}>
        Restart…
      </button>
    </span>
  );
}

function Rules(props: { one: Application; tables: Tables }) {
  const { rules } = props.one;
  if (!rules?.managed && !props.one.managed) return null;
  return (
    <section aria-label="Rules">
      <div class="section-head">
        <h2>Rules</h2>
      </div>
      <Facts facts={applicationFacts(rules ?? { managed: true }, (one) => props.tables.nick(one))} />
    </section>
  );
}

function Head(props: { one: Application; tables: Tables; children?: ComponentChildren }) {
  const { one, tables } = props;
  return (
    <header class="page-top">
      <div class="page-head">
        <h1>{one.application_name}</h1>
        <State state={one.statename} />
        {!one.managed && <span class="badge">not managed</span>}
        {props.children}
      </div>
      <Health one={one} tables={tables} />
      <TallyBar tally={tables.tallyOf.get(one.application_name) ?? {}} />
    </header>
  );
}

export function ApplicationPage(props: PageProperties) {
  const tables = useTables("application", "process");
  const name = props.path[1] ?? "";
  const one = tables.applications.get(name);
  if (!one) return <NotThere what={`application ${name}`} />;
  const own = one.rules?.starting_strategy ?? "CONFIG";
  const strategy = props.query.get("strategy") ?? own;
  return (
    <div class="page">
      <Head one={one} tables={tables}>
        {one.managed && (
          <span class="page-tools">
            <StrategySelect value={strategy} own={own} />
            <Actions one={one} strategy={strategy} />
          </span>
        )}
      </Head>
      <MemberTable application={one} members={membersOf(tables, name)} strategy={strategy} />
      <Rules one={one} tables={tables} />
      <RecentEvents filter={{ application: name }} />
    </div>
  );
}
