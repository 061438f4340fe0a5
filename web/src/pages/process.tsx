// One process: what it does now and why, how it ended last and who did it, its runs before, what it lacks, what it uses, what
// happened to it. What only its own instances know is asked of each of them.
import type { ComponentChildren } from "preact";
import * as actions from "../api/actions";
import { call, callThere } from "../api/call";
import { hrefs } from "../model/attention";
import type { Certificate } from "../model/deaths";
import { processFacts } from "../model/rules";
import type { Tables } from "../model/store";
import { canStart, isUp, namespecOf, splitNamespec } from "../model/types";
import type { Copy, Process } from "../model/types";
import { byText, plural } from "../model/words";
import { useAnswer } from "../ui/answer";
import { Facts } from "../ui/facts";
import { useTables } from "../ui/hooks";
import { MenuButton } from "../ui/menu";
import type { MenuItem } from "../ui/menu";
import { NotThere } from "../ui/not-there";
import { State } from "../ui/state";
import { RecentEvents } from "../ui/timeline-list";
import { CertificateView, Run } from "./certificate";
import { CopyNow } from "./copynow";
import type { PageProperties } from "./index";
import { menuOf } from "./processes";
import { PeriodChoice, ProcessCharts, usePeriod } from "./statistics";

export interface Ended {
  identifier: string;
  certificate: Certificate;
}

// The certificates of all instances, the newest first; asked again when a copy has come to another state or run, and when who was
// not heard is there again.
function useDeaths(copies: Copy[], namespec: string, tables: Tables) {
  const turns = copies.map((one) => `${one.identifier} ${tables.isThere(one.identifier)} ${one.statename} ${one.pid} ${one.stop}`).join();
  const ask = async () => {
    const answers = await Promise.allSettled(copies.map((one) => callThere<Certificate[]>(one.identifier, "svisor.getDeathCertificates", { name: namespec })));
    const deaths = answers.flatMap((answer, index) => (answer.status === "fulfilled" ? answer.value.map((certificate): Ended => ({ identifier: copies[index]!.identifier, certificate })) : []));
    deaths.sort((a, b) => (b.certificate.ended_ms ?? 0) - (a.certificate.ended_ms ?? 0));
    const silent = answers.flatMap((answer, index) => (answer.status === "rejected" ? [copies[index]!.identifier] : []));
    return { deaths, silent };
  };
  return useAnswer(ask, [turns, namespec, tables.hello]);
}

// What is up first, then what was up last.
function sortedCopies(tables: Tables, key: string): Copy[] {
  const copies = [...(tables.copiesOf.get(key)?.values() ?? [])];
  const rank = (one: Copy) => (isUp(one.statename) || one.statename === "STOPPING" ? 0 : one.start > 0 ? 1 : 2);
  return copies.sort((a, b) => rank(a) - rank(b) || b.start - a.start || byText(a.identifier, b.identifier));
}

function Section(props: { title: string; note?: string; children: ComponentChildren; tools?: ComponentChildren }) {
  return (
    <section aria-label={props.title}>
      <div class="section-head">
        <h2>
          {props.title} {props.note && <span class="quiet">{props.note}</span>}
        </h2>
        {props.tools}
      </div>
      {props.children}
    </section>
  );
}

function moreOf(namespec: string, copies: Copy[], tables: Tables): MenuItem[] {
  const [first] = copies;
  if (!first) return [];
  const where = tables.isCluster ? ` at ${tables.nick(first.identifier)}` : "";
  const items: MenuItem[] = menuOf(first, where).filter((one) => one.href !== hrefs.process(namespec) && one.text !== "Restart");
  return [
    ...(tables.isCluster ? [actions.startAtItem(namespec)] : []),
    ...items,
    ...(tables.isCluster
      ? [{ text: `Number of processes of ${first.program_name}…`, run: () => void actions.updateNumprocs(first.program_name, copies.map((one) => one.identifier)) }]
      : []),
  ];
}

// By the rules where the cluster manages it; otherwise in its one instance.
function Actions(props: { namespec: string; process: Process | undefined; copies: Copy[]; isManaged: boolean; tables: Tables }) {
  const { namespec, process, copies, isManaged, tables } = props;
  const [first] = copies;
  if (!first) return null;
  const state = isManaged && process ? process.statename : first.statename;
  const run = (byRules: () => void, here: () => void) => (isManaged ? byRules : here);
  return (
    <span class="page-tools page-actions">
      {canStart(state) ? (
        <button type="button" class="primary" onClick={run(() => void actions.startProcess(namespec), () => void actions.startCopy(first))}>
          Start{isManaged && "…"}
        </button>
      ) : (
        <>
          <button type="button" disabled={state === "STOPPING"} onClick={run(() => void actions.stopProcess(namespec), () => void actions.stopCopy(first))}>
            Stop{isManaged && "…"}
          </button>
          <button type="button" disabled={state === "STOPPING"} onClick={run(() => void actions.restartProcess(namespec), () => void actions.restartCopy(first))}>
            Restart{isManaged && "…"}
          </button>
        </>
      )}
      <MenuButton label={`More for ${namespec}`} class="button" items={moreOf(namespec, copies, tables)}>
        More…
      </MenuButton>
    </span>
  );
}

function Deaths(props: { copies: Copy[]; namespec: string; tables: Tables }) {
  const { value, error } = useDeaths(props.copies, props.namespec, props.tables);
  if (!value) return <p class="quiet">{error ?? "Asking how it ended…"}</p>;
  const [last, ...before] = value.deaths;
  const silent = value.silent.map((one) => props.tables.nick(one)).join(", ");
  const where = (identifier: string) => (props.tables.isCluster ? props.tables.nick(identifier) : "");
  return (
    <>
      <Section title="Its last end">
        {last && <CertificateView certificate={last.certificate} where={where(last.identifier)} />}
        {!last && !silent && <p class="quiet">No run of it has ended yet.</p>}
        {silent && <p class="tone-warn">Not heard: {silent}. What ended there is not known now.</p>}
      </Section>
      {before.length > 0 && (
        <Section title="Ends before" note={String(before.length)}>
          <ul class="runs">
            {before.map((one) => (
              <Run key={`${one.identifier} ${one.certificate.ended_ms} ${one.certificate.run}`} certificate={one.certificate} where={where(one.identifier)} />
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

function Charts(props: { copy: Copy; namespec: string }) {
  const period = usePeriod();
  const periods = useAnswer(() => call<{ periods: number[] }>(props.copy.identifier, "svisor.getUsage"), [props.copy.identifier]);
  return (
    <Section title="What it uses" tools={<PeriodChoice periods={periods.value?.periods ?? []} period={period} />}>
      <ProcessCharts identifier={props.copy.identifier} namespec={props.namespec} period={period} />
    </Section>
  );
}

export function ProcessPage(props: PageProperties) {
  const tables = useTables("process", "copy", "instance", "application");
  const [group, name] = splitNamespec(props.path[1] ?? "");
  const namespec = namespecOf(group, name);
  const key = `${group}:${name}`;
  const process = tables.processes.get(key);
  const copies = sortedCopies(tables, key);
  const [first] = copies;
  if (!first) return <NotThere what={`process ${namespec}`} />;
  const isManaged = tables.applications.get(group)?.managed ?? false;
  const seen = copies.filter((one) => one.start > 0 || one.statename !== "STOPPED");
  const running = copies.find((one) => isUp(one.statename) && tables.isThere(one.identifier));
  return (
    <div class="page">
      <header class="page-top">
        <div class="page-head">
          <h1>{namespec}</h1>
          {process ? <State state={process.statename} expected={process.expected_exit} /> : <State state={first.statename} expected={first.expected} />}
          {tables.applications.has(group) && (
            <span class="quiet">
              of <a href={hrefs.application(group)}>{group}</a>
            </span>
          )}
          <Actions namespec={namespec} process={process} copies={copies} isManaged={isManaged} tables={tables} />
        </div>
        {process?.why && <p class="quiet">The cluster: {process.why}.</p>}
      </header>
      <Section title="Now" note={copies.length > 1 ? `known in ${plural(copies.length, "instance")}` : ""}>
        <div class="nows">
          {(seen.length ? seen : copies.slice(0, 1)).map((one) => (
            <CopyNow key={one.identifier} copy={one} namespec={namespec} tables={tables} />
          ))}
        </div>
        {seen.length > 0 && copies.length > seen.length && (
          <p class="quiet nows-rest">
            Never started at {copies.filter((one) => !seen.includes(one)).map((one) => `${tables.nick(one.identifier)}${one.disabled ? " (disabled)" : ""}`).join(", ")}.
          </p>
        )}
      </Section>
      <Deaths copies={copies} namespec={namespec} tables={tables} />
      {running && <Charts copy={running} namespec={namespec} />}
      <RecentEvents filter={{ process: namespec }} />
      {isManaged && process?.rules && (
        <Section title="Rules">
          <Facts facts={processFacts(process.rules, (one) => tables.nick(one))} />
        </Section>
      )}
    </div>
  );
}
