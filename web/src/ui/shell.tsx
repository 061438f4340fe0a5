// What is around every page: the state of the cluster, the ways to the pages, search, theme, connection.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import * as actions from "../api/actions";
import { hrefs } from "../model/attention";
import { live, store } from "../model/index";
import type { Tables } from "../model/store";
import { list } from "../model/words";
import { ConfirmDialog } from "./dialog";
import { Help, openHelp } from "./help";
import { useTables } from "./hooks";
import { listenForKeys } from "./keyboard";
import { LinkState, LostBar } from "./link";
import { MenuButton } from "./menu";
import type { MenuItem } from "./menu";
import { useValue } from "./observable";
import { openPalette, Palette } from "./palette";
import { PlanDialog } from "./plan";
import { go } from "./route";
import { Mark, State } from "./state";
import { setTheme, theme } from "./theme";
import { Toasts } from "./toasts";

function Brand(props: { tables: Tables }) {
  const { hello } = props.tables;
  return (
    <a class="brand" href="#/" aria-label="Start page">
      {hello?.software_icon ? <img src="software-icon" alt="" height="24" /> : <img src="dashboard/icon.svg" alt="" width="24" height="24" />}
      <span>{hello?.software_name || "svisor"}</span>
    </a>
  );
}

// The word for a state of the cluster; its modes beside it.
function ClusterState(props: { tables: Tables }) {
  const { supvisors, hello } = props.tables;
  if (!supvisors) return hello && <div class="cluster-state"><span class="fact">{hello.supervisor_identifier}</span></div>;
  const names = (identifiers: string[]) => list(identifiers.map((one) => props.tables.nick(one)), 2);
  const master = supvisors.master_identifier;
  return (
    <div class="cluster-state" role="group" aria-label="State of the cluster">
      <State state={supvisors.fsm_statename} />
      <span class="fact fact-master">{master ? <>Master <a href={hrefs.instance(master)}>{props.tables.nick(master)}</a></> : "no Master"}</span>
      {supvisors.starting_jobs.length > 0 && <span class="fact tone-busy">starting at {names(supvisors.starting_jobs)}</span>}
      {supvisors.stopping_jobs.length > 0 && <span class="fact tone-busy">stopping at {names(supvisors.stopping_jobs)}</span>}
      {supvisors.degraded_mode && <span class="fact tone-warn">degraded: instances are missing</span>}
    </div>
  );
}

function Ways(props: { tables: Tables; path: string[] }) {
  const { tables } = props;
  const first = props.path[0] ?? "";
  const view = first === "instances" && (props.path[2] ?? "");
  const own = tables.hello ? hrefs.instance(tables.hello.identifier) : "#/";
  const ways: [string, string, boolean][] = tables.isCluster
    ? [["Cluster", "#/", first === ""], ["This instance", own, first === "instances" && props.path[1] === tables.hello?.identifier]]
    : [["Processes", "#/", first === "" || view === ""], ["Host", `${own}/host`, view === "host"], ["Daemon", `${own}/log`, view === "log"]];
  ways.push(["Timeline", "#/timeline", first === "timeline"], ["Logs", "#/logs", first === "logs"]);
  if (tables.isCluster) ways.push(["Conciliation", hrefs.conciliation, first === "conciliation"]);
  const nav = useRef<HTMLElement>(null);
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }), [first]); // on a phone not all are in sight
  return (
    <nav aria-label="Pages" ref={nav}>
      {ways.map(([word, href, isHere]) => (
        <a key={word} href={href} aria-current={isHere ? "page" : undefined}>
          {word}
          {word === "Conciliation" && tables.conflicts.length > 0 && (
            <span class="count tone-bad" aria-label={`, ${tables.conflicts.length} conflicts`}>
              <Mark state="CONFLICT" />
              {tables.conflicts.length}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

function moreItems(current: string, isCluster: boolean): MenuItem[] {
  const themes = (["auto", "light", "dark"] as const).map((one) => ({
    text: `${one === current ? "✓ " : ""}Theme: ${one === "auto" ? "as the system" : one}`,
    run: () => setTheme(one),
  }));
  const more: MenuItem[] = [...themes, { text: "Keys and marks", run: openHelp }, { text: "Remote methods", href: "api/" }];
  if (!isCluster) return more;
  return [
    ...more,
    { text: "Start what is missing", run: () => void actions.restartSequence() },
    { text: "Restart the cluster", run: () => void actions.restartCluster(), isDangerous: true },
    { text: "Shut down the cluster", run: () => void actions.shutdownCluster(), isDangerous: true },
  ];
}

// "/" goes to the filter of the page, or, where there is none, to the palette.
function focusSearch(): void {
  const filter = document.querySelector<HTMLInputElement>("main input.filter");
  if (filter) filter.focus();
  else openPalette();
}

function useKeys(): void {
  useEffect(
    () =>
      listenForKeys({
        "Ctrl K": openPalette,
        "/": focusSearch,
        "?": openHelp,
        "g c": () => go("#/"),
        "g t": () => go("#/timeline"),
        "g l": () => go("#/logs"),
        "g m": () => store.tables.hello && go(hrefs.instance(store.tables.hello.identifier)),
      }),
    [],
  );
}

// The style sheets of css_files come after ours, so that they count.
function useUserStyles(files: string[]): void {
  useEffect(() => {
    const links = files.map((href) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = href.slice(1); // beside the page
      document.head.append(link);
      return link;
    });
    return () => links.forEach((one) => one.remove());
  }, [files.join()]);
}

export function Shell(props: { path: string[]; children: ComponentChildren }) {
  const tables = useTables("hello", "supvisors", "conflicts", "instance", "link");
  const current = useValue(theme);
  useKeys();
  useUserStyles(tables.hello?.css_files ?? []);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>
        To the content
      </a>
      <header class={`top ${live.link.state === "lost" ? "top-old" : ""}`}>
        <Brand tables={tables} />
        <Ways tables={tables} path={props.path} />
        <ClusterState tables={tables} />
        <div class="top-tools">
          <button type="button" class="search-button" onClick={openPalette} aria-label="Go to, or do (Ctrl K)">
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
              <path d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3 14 14" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
            </svg>
            <span class="search-word">Go to…</span>
            <kbd>Ctrl K</kbd>
          </button>
          <LinkState />
          <MenuButton label="More" items={moreItems(current, tables.isCluster)} />
        </div>
      </header>
      <LostBar />
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
      <Toasts />
      <ConfirmDialog />
      <PlanDialog />
      <Palette />
      <Help />
    </>
  );
}
