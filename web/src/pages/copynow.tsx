// What a process does in one instance now, and why: in words, with what it says of itself, what it lacks, what it wrote last.
import { callThere } from "../api/call";
import { hrefs } from "../model/attention";
import { networkInWords } from "../model/deaths";
import type { Why } from "../model/deaths";
import type { Tables } from "../model/store";
import { isUp } from "../model/types";
import type { Copy } from "../model/types";
import { dateAndClock, duration } from "../model/words";
import { useAnswer } from "../ui/answer";
import { Facts } from "../ui/facts";
import type { FactRow } from "../ui/facts";
import { useTick } from "../ui/hooks";
import { State } from "../ui/state";
import { uptimeOf } from "./processes";

// What it lacks, and what it has sent, come without news of /live.
const AGAIN_MS = 5000;

function factsOf(copy: Copy, why: Why | undefined, tables: Tables, now: number): FactRow[] {
  const uptime = uptimeOf(tables, copy, now);
  const rows: [string, string | undefined][] = [
    ["Up", Number.isFinite(uptime) ? `${duration(uptime)}, since ${dateAndClock(copy.start)}` : ""],
    ["Ended", !isUp(copy.statename) && copy.stop > 0 ? dateAndClock(copy.stop) : ""],
    ["Next try", why?.next_start ? dateAndClock(why.next_start) : ""],
    ["Pid", copy.pid ? String(copy.pid) : ""],
    ["Run", why?.run ? String(why.run) : ""],
    ["Arguments", copy.extra_args],
    ["It says", why?.status_text],
    ["Its check says", why?.probe_text],
    ["Network", why && networkInWords(why.network)],
    ["Network of its group", why && networkInWords(why.network, "group_")],
    ["Start failed", copy.statename === "EXITED" ? "" : copy.spawnerr], // Supervisor's "Bad exit code -1" is no start
  ];
  return rows.flatMap(([name, value]) => (value ? [{ name, value }] : []));
}

function Shortages(props: { why: Why | undefined }) {
  const shortages = props.why?.resources ?? [];
  if (shortages.length === 0) return null;
  return (
    <div class="shortages">
      <h4>What it ran short of</h4>
      <ul>
        {shortages.slice(0, 6).map((one) => (
          <li key={`${one.resource} ${one.last_ms}`}>
            <time class="quiet">{dateAndClock(one.last_ms / 1000)}</time> <span class="tone-warn">{one.text}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function CopyNow(props: { copy: Copy; namespec: string; tables: Tables }) {
  const { copy, namespec, tables } = props;
  const now = useTick();
  const turn = `${copy.statename} ${copy.pid} ${copy.stop} ${isUp(copy.statename) && !document.hidden ? Math.floor(now / AGAIN_MS) : 0}`;
  const keys = [copy.identifier, tables.isThere(copy.identifier), namespec, turn, tables.hello];
  const answer = useAnswer(() => callThere<Why>(copy.identifier, "svisor.why", { name: namespec }), keys);
  const follow = (channel: string) => `#/logs?follow=${encodeURIComponent(`${copy.identifier}/${namespec}${channel}`)}`;
  const lines = isUp(copy.statename) ? (answer.value?.last_output ?? []) : [];
  return (
    <article class="now" aria-label={tables.isCluster ? `At ${tables.nick(copy.identifier)}` : "Now"}>
      <header>
        <State state={copy.statename} expected={copy.expected} />
        {tables.isCluster && (
          <h3>
            at <a href={hrefs.instance(copy.identifier)}>{tables.nick(copy.identifier)}</a>
          </h3>
        )}
        {copy.disabled && <span class="badge">disabled</span>}
        <span class="now-logs">
          {copy.has_stdout && <a href={follow("")}>output</a>}
          {copy.has_stderr && <a href={follow("/stderr")}>error output</a>}
        </span>
      </header>
      <p class="now-why">{answer.error ?? answer.value?.text ?? (copy.why || copy.description)}</p>
      <Facts facts={factsOf(copy, answer.value, tables, now)} />
      <Shortages why={answer.value} />
      {lines.length > 0 && (
        <pre class="tail" aria-label="Its last lines">
          {lines.join("\n")}
        </pre>
      )}
    </article>
  );
}
