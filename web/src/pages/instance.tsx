// One instance: its processes, its host, what can be done with its daemon.
import { useMemo } from "preact/hooks";
import * as actions from "../api/actions";
import { hrefs } from "../model/attention";
import type { Source } from "../model/logs/source";
import type { Tables } from "../model/store";
import type { Instance } from "../model/types";
import { reasonOf } from "../model/words";
import { useTables } from "../ui/hooks";
import { LogPanel } from "../ui/log-panel";
import { MenuButton } from "../ui/menu";
import type { MenuItem } from "../ui/menu";
import { NotThere } from "../ui/not-there";
import { State } from "../ui/state";
import { Host } from "./host";
import type { PageProperties } from "./index";
import { ProcessTable } from "./processes";

// What can be done with the daemon of an instance.
export function daemonItems(tables: Tables, identifier: string): MenuItem[] {
  const levels = actions.LOG_LEVELS.map((level) => ({ text: `Log from ${level} on`, run: () => void actions.changeLogLevel(identifier, level) }));
  return [
    { text: "Its log", href: `${hrefs.instance(identifier)}/log` },
    { text: "Clear its log", run: () => void actions.clearMainLog(identifier) },
    ...(tables.isCluster ? levels : []),
    { text: "Restart svisord", run: () => void actions.restartInstance(identifier), isDangerous: true },
    { text: "Shut svisord down", run: () => void actions.shutdownInstance(identifier), isDangerous: true },
  ];
}

function Head(props: { tables: Tables; one: Instance; view: string }) {
  const { tables, one, view } = props;
  const href = hrefs.instance(one.identifier);
  const views: [string, string, string][] = [["", "Processes", href], ["host", "Host", `${href}/host`], ["log", "Log", `${href}/log`]];
  const facts = [one.node_name && `${one.node_name}:${one.port}`, one.version, ...(one.stereotypes ?? [])].filter(Boolean);
  return (
    <header class="page-head">
      <h1>{one.nick_identifier || one.identifier}</h1>
      {tables.supvisors?.master_identifier === one.identifier && <span class="badge badge-master">★ Master</span>}
      <State state={one.statename} />
      {tables.isCluster && <span class="quiet">load {one.loading}%</span>}
      <span class="quiet">{facts.join(" · ")}</span>
      <span class="page-tools">
        <nav class="tabs" aria-label="Views of this instance">
          {views.map(([word, title, to]) => (
            <a key={word} href={to} aria-current={view === word ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        {tables.isThere(one.identifier) && <MenuButton label={`More for ${one.nick_identifier}`} items={daemonItems(tables, one.identifier)} />}
      </span>
    </header>
  );
}

function DaemonLog(props: { identifier: string }) {
  const sources = useMemo<Source[]>(() => [{ instance: props.identifier, namespec: "", channel: "stdout" }], [props.identifier]);
  return <LogPanel sources={sources} />;
}

export function InstancePage(props: PageProperties) {
  const tables = useTables("instance", "supvisors");
  const [, identifier = "", view = ""] = props.path;
  const one = tables.instances.get(identifier);
  if (!one) return <NotThere what={`instance ${identifier}`} />;
  const isThere = tables.isThere(identifier);
  return (
    <div class={`page ${view === "log" ? "logs-page" : ""}`}>
      <Head tables={tables} one={one} view={view} />
      {!isThere && <p class="tone-warn">{reasonOf(one.why || "It is not heard.")}</p>}
      {view === "host" && isThere && <Host identifier={identifier} />}
      {view === "log" && isThere && <DaemonLog identifier={identifier} />}
      {view === "" && (isThere || (tables.copiesAt.get(identifier)?.size ?? 0) > 0) && <ProcessTable identifier={identifier} />}
    </div>
  );
}
