// Conflicts: processes that should run once and run more often. Each can be ended by hand or by a strategy, and all of them by one.
import { conciliate, keepOne, stopOne } from "../api/conciliation";
import { call } from "../api/call";
import { hrefs } from "../model/attention";
import { conflictOf, STRATEGIES, USER_WORDS } from "../model/conflicts";
import type { Conflict, ConflictCopy } from "../model/conflicts";
import type { Tables } from "../model/store";
import { dateAndClock, duration, plural } from "../model/words";
import { useAnswer } from "../ui/answer";
import { useTables, useTick } from "../ui/hooks";
import { State } from "../ui/state";
import type { PageProperties } from "./index";
import { uptimeOf } from "./processes";

function CopyRow(props: { one: ConflictCopy; conflict: Conflict; tables: Tables }) {
  const { one, conflict, tables } = props;
  const { copy } = one;
  const where = tables.nick(copy.identifier);
  return (
    <li class="conflict-copy" aria-label={`${conflict.namespec} at ${where}`}>
      <a class="conflict-where" href={hrefs.instance(copy.identifier)}>
        {where}
      </a>
      <State state={copy.statename} expected={copy.expected} />
      <span class="conflict-age">
        {one.age !== "between" && <span class="badge">{one.age}</span>}
        <span class="quiet">
          up {duration(one.uptime)}, since {dateAndClock(copy.start)}
        </span>
      </span>
      <span class="quiet number">pid {copy.pid}</span>
      <span class="row-actions">
        <button type="button" class="small" aria-label={`Keep ${conflict.namespec} at ${where}, stop the others`} onClick={() => keepOne(conflict, copy)}>
          Keep this one
        </button>
        <button type="button" class="small" aria-label={`Stop ${conflict.namespec} at ${where}`} onClick={() => stopOne(conflict, copy)}>
          Stop this one
        </button>
      </span>
    </li>
  );
}

function ConflictCard(props: { conflict: Conflict; tables: Tables }) {
  const { conflict, tables } = props;
  const rule = conflict.process?.rules?.running_failure_strategy;
  return (
    <article class="conflict" aria-label={`Conflict of ${conflict.namespec}`}>
      <header>
        <State state="CONFLICT" note="" />
        <h3>
          <a href={hrefs.process(conflict.namespec)}>{conflict.namespec}</a>
        </h3>
        <span class="quiet">
          runs in {plural(conflict.copies.length, "instance")}
          {rule && `; when it is lost: ${rule}`}
        </span>
      </header>
      <ul>
        {conflict.copies.map((one) => (
          <CopyRow key={one.copy.identifier} one={one} conflict={conflict} tables={tables} />
        ))}
      </ul>
      <footer>
        <span class="quiet">Let the cluster decide:</span>
        {STRATEGIES.map((one) => (
          <button key={one.name} type="button" class="small" title={one.words} aria-label={`${one.title}: ${conflict.namespec}`} onClick={() => conciliate(one.name, [conflict], false)}>
            {one.title}
          </button>
        ))}
      </footer>
    </article>
  );
}

function AllConflicts(props: { conflicts: Conflict[]; configured: string; isOpen: boolean }) {
  const { conflicts, configured } = props;
  const can = conflicts.length > 0 && props.isOpen;
  return (
    <section aria-label="Strategies">
      <div class="section-head">
        <h2>{conflicts.length ? "All conflicts at once" : "What a strategy does"}</h2>
        {configured && (
          <span class="quiet">
            conciliation_strategy is <b>{configured}</b>
          </span>
        )}
      </div>
      <ul class="strategies">
        {STRATEGIES.map((one) => (
          <li key={one.name}>
            <code>{one.name}</code>
            <span>
              {one.words} {one.name === configured && <span class="badge">by itself</span>}
            </span>
            <button type="button" class="small" disabled={!can} aria-label={`${one.title}: all conflicts`} title={can ? undefined : conflicts.length ? "The cluster is not in CONCILIATION" : "There is no conflict"} onClick={() => conciliate(one.name, conflicts, true)}>
              {one.title}…
            </button>
          </li>
        ))}
        <li>
          <code>USER</code>
          <span>
            {USER_WORDS} {configured === "USER" && <span class="badge">set</span>}
          </span>
          <span />
        </li>
      </ul>
    </section>
  );
}

export function ConciliationPage(_: PageProperties) {
  const tables = useTables("conflicts", "copy", "process", "supvisors", "instance");
  const now = useTick();
  const strategies = useAnswer(() => call<{ conciliation: string }>(null, "supvisors.get_strategies"), [tables.hello]);
  const conflicts = tables.conflicts.map((one) => conflictOf(tables, one, (copy) => Math.floor(uptimeOf(tables, copy, now))));
  const state = tables.supvisors?.fsm_statename;
  if (!tables.isCluster)
    return (
      <div class="page">
        <h1>Conciliation</h1>
        <p class="quiet">This daemon is in no cluster: there is nobody to be in conflict with.</p>
      </div>
    );
  return (
    <div class="page">
      <div class="page-head">
        <h1>Conciliation</h1>
        {state && <State state={state} />}
      </div>
      <section aria-label="Conflicts">
        {conflicts.length === 0 ? (
          <p class="all-well">
            <State state="RUNNING" note="" /> <span>No process runs more often than it should.</span>
          </p>
        ) : (
          <div class="conflicts">
            {conflicts.map((one) => (
              <ConflictCard key={one.namespec} conflict={one} tables={tables} />
            ))}
          </div>
        )}
      </section>
      <AllConflicts conflicts={conflicts} configured={strategies.value?.conciliation ?? ""} isOpen={state === "CONCILIATION"} />
    </div>
  );
}
