// The logs of several programs, of any instances, in one view.
import { useState } from "preact/hooks";
import { sortedAttention } from "../model/attention";
import { formatFollow, logsHref, logsOfProcess, parseFollow, sourceKey, SOURCES_MAX } from "../model/logs/source";
import type { Source } from "../model/logs/source";
import type { Tables } from "../model/store";
import { useTables } from "../ui/hooks";
import { LogPanel } from "../ui/log-panel";
import { setQuery } from "../ui/route";
import { State } from "../ui/state";
import type { PageProperties } from "./index";
import { LogPicker } from "./log-picker";

const SUGGESTED_MAX = 6;

function Suggestions() {
  const tables = useTables("attention", "copy");
  const failed = sortedAttention(tables).filter((one) => one.kind === "process" && logsOfProcess(tables, tables.keyOf(one.title)).length > 0);
  if (failed.length === 0) return null;
  return (
    <>
      <h2>Needs attention</h2>
      <ul aria-label="Logs of what needs attention">
        {failed.slice(0, SUGGESTED_MAX).map((one) => (
          <li key={one.title}>
            <State state={one.state} expected={false} /> <a href={logsHref(logsOfProcess(tables, tables.keyOf(one.title)))}>the logs of {one.title}</a>
          </li>
        ))}
      </ul>
    </>
  );
}

function Start(props: { onPick: () => void }) {
  return (
    <section class="log-start">
      <p>
        Output and error output of any processes, and the logs of the instances: here they are followed together, each line with the name of where it
        came from.
      </p>
      <p>
        <button type="button" class="primary" onClick={props.onPick}>
          Choose logs
        </button>
      </p>
      <Suggestions />
    </section>
  );
}

// Of an identifier or a nickname: addresses are also written by hand.
function identifierOf(tables: Tables, name: string): string {
  if (tables.instances.has(name)) return name;
  return [...tables.instances.values()].find((one) => one.nick_identifier === name)?.identifier ?? name;
}

export function LogsPage(props: PageProperties) {
  const tables = useTables("instance");
  const [isPicking, setPicking] = useState(false);
  const sources = parseFollow(props.query.get("follow") ?? "").map((one) => ({ ...one, instance: identifierOf(tables, one.instance) }));
  const set = (next: Source[]) => setQuery({ follow: formatFollow(next.slice(0, SOURCES_MAX)) });
  const toggle = (source: Source) => {
    const rest = sources.filter((one) => sourceKey(one) !== sourceKey(source));
    set(rest.length < sources.length ? rest : [...sources, source]);
  };
  return (
    <div class="page logs-page">
      <h1 class={sources.length ? "unseen" : ""}>Logs</h1>
      {sources.length === 0 ? (
        <Start onPick={() => setPicking(true)} />
      ) : (
        <LogPanel sources={sources} onRemove={(key) => set(sources.filter((one) => sourceKey(one) !== key))}>
          <li>
            <button type="button" class="small" onClick={() => setPicking(true)}>
              + Add a log
            </button>
          </li>
        </LogPanel>
      )}
      {isPicking && <LogPicker chosen={sources} onToggle={toggle} onClose={() => setPicking(false)} />}
    </div>
  );
}
