// The command palette: a few letters, and one goes to any page, instance, application or process, or does something with it.
import { useMemo, useRef, useState } from "preact/hooks";
import * as actions from "../api/actions";
import { hrefs } from "../model/attention";
import { store } from "../model/index";
import type { Tables } from "../model/store";
import { logsHref, logsOfApplication, logsOfProcess } from "../model/logs/source";
import type { Source } from "../model/logs/source";
import { canStart, isUp, namespecOf, splitNamespec } from "../model/types";
import { Dialog } from "./dialog";
import { Observable, useValue } from "./observable";
import { go } from "./route";
import { Mark } from "./state";
import { matches } from "./table";

interface Entry {
  text: string;
  kind: string;
  state?: string;
  isExpected?: boolean;
  run: () => void;
}

const isOpen = new Observable(false);
export function openPalette(): void {
  isOpen.value = true;
}

const SHOWN_MAX = 40;

function pages(tables: Tables): Entry[] {
  const to = (text: string, href: string): Entry => ({ text, kind: "page", run: () => go(href) });
  const list = [to(tables.isCluster ? "Cluster" : "Processes", "#/"), to("Timeline", "#/timeline"), to("Logs", "#/logs")];
  if (tables.isCluster) list.push(to("Conciliation", hrefs.conciliation));
  else if (tables.hello) list.push(to("Host", `${hrefs.instance(tables.hello.identifier)}/host`));
  return list;
}

function instances(tables: Tables): Entry[] {
  return [...tables.instances.values()].map((one) => ({
    text: one.nick_identifier || one.identifier,
    kind: "instance",
    state: one.statename,
    run: () => go(hrefs.instance(one.identifier)),
  }));
}

function applications(tables: Tables): Entry[] {
  return [...tables.applications.values()].flatMap((one) => {
    const name = one.application_name;
    const entry = (text: string, run: () => void): Entry => ({ text, kind: "action", run });
    const list: Entry[] = [{ text: name, kind: "application", state: one.statename, run: () => go(hrefs.application(name)) }];
    if (!one.managed) return list;
    if (one.statename === "STOPPED") list.push(entry(`Start application ${name}`, () => void actions.startApplication(name)));
    else list.push(entry(`Stop application ${name}`, () => void actions.stopApplication(name)));
    list.push(entry(`Restart application ${name}`, () => void actions.restartApplication(name)));
    return list;
  });
}

function processes(tables: Tables): Entry[] {
  return [...tables.processes.values()].flatMap((one) => {
    const namespec = namespecOf(one.application_name, one.process_name);
    const entry = (text: string, run: () => void): Entry => ({ text, kind: "action", run });
    const list: Entry[] = [{ text: namespec, kind: "process", state: one.statename, isExpected: one.expected_exit, run: () => go(hrefs.process(namespec)) }];
    if (canStart(one.statename)) list.push(entry(`Start ${namespec}`, () => void actions.startProcess(namespec)));
    if (isUp(one.statename)) {
      list.push(entry(`Stop ${namespec}`, () => void actions.stopProcess(namespec)));
      list.push(entry(`Restart ${namespec}`, () => void actions.restartProcess(namespec)));
    }
    return list;
  });
}

// To the logs of processes, applications and instances.
function logs(tables: Tables): Entry[] {
  const entry = (what: string, find: () => Source[]): Entry => ({ text: `Follow the ${what}`, kind: "action", run: () => go(logsHref(find())) });
  const copies = [...tables.copiesOf].filter(([, here]) => [...here.values()].some((one) => one.has_stdout || one.has_stderr));
  return [
    ...copies.map(([key]) => entry(`logs of ${namespecOf(...splitNamespec(key))}`, () => logsOfProcess(tables, key))),
    ...[...tables.applications.keys()].map((name) => entry(`logs of all of ${name}`, () => logsOfApplication(tables, name))),
    ...[...tables.instances.keys()].map((one) => entry(`log of svisord at ${tables.nick(one)}`, () => [{ instance: one, namespec: "", channel: "stdout" }])),
  ];
}

function soloProcesses(tables: Tables): Entry[] {
  return [...tables.copiesAt.values()].flatMap((copies) => [...copies.values()]).flatMap((copy) => {
    const namespec = namespecOf(copy.group, copy.name);
    const list: Entry[] = [{ text: namespec, kind: "process", state: copy.statename, isExpected: copy.expected, run: () => go(hrefs.process(namespec)) }];
    if (canStart(copy.statename)) list.push({ text: `Start ${namespec}`, kind: "action", run: () => void actions.startCopy(copy) });
    if (isUp(copy.statename)) {
      list.push({ text: `Stop ${namespec}`, kind: "action", run: () => void actions.stopCopy(copy) });
      list.push({ text: `Restart ${namespec}`, kind: "action", run: () => void actions.restartCopy(copy) });
    }
    return list;
  });
}

function whole(tables: Tables): Entry[] {
  if (!tables.isCluster) return [];
  const entry = (text: string, run: () => void): Entry => ({ text, kind: "action", run });
  return [
    entry("Start what is missing (restart sequence)", () => void actions.restartSequence()),
    entry("Restart the cluster", () => void actions.restartCluster()),
    entry("Shut down the cluster", () => void actions.shutdownCluster()),
  ];
}

function everything(tables: Tables): Entry[] {
  const all = tables.isCluster ? processes(tables) : soloProcesses(tables);
  return [...pages(tables), ...instances(tables), ...applications(tables), ...all, ...logs(tables), ...whole(tables)];
}

// What begins with the words comes first; places before actions, unless an action was asked for.
function find(entries: Entry[], text: string): Entry[] {
  const wanted = text.trim().toLowerCase();
  const found = entries.filter((one) => matches(wanted, one.text) && (wanted !== "" || one.kind !== "action"));
  const rank = (one: Entry) => {
    const lower = one.text.toLowerCase();
    return (lower.startsWith(wanted) ? 0 : lower.includes(wanted) ? 1 : 2) * 2 + (one.kind === "action" ? 1 : 0);
  };
  if (wanted) found.sort((a, b) => rank(a) - rank(b) || a.text.length - b.text.length);
  return found.slice(0, SHOWN_MAX);
}

function Choices(props: { found: Entry[]; chosen: number; run: (entry: Entry) => void }) {
  return (
    <div role="listbox" id="palette-list" class="palette-list" aria-label="What was found">
      {props.found.map((one, index) => (
        <div
          key={`${one.kind} ${one.text}`}
          id={`palette-${index}`}
          role="option"
          class="palette-item"
          aria-selected={index === props.chosen}
          onClick={() => props.run(one)}
        >
          {one.state ? <Mark state={one.state} expected={one.isExpected} /> : <span class="mark" aria-hidden="true">{one.kind === "action" ? "›" : ""}</span>}
          <span class="palette-text">{one.text}</span>
          <span class="quiet">{one.kind}</span>
        </div>
      ))}
      {props.found.length === 0 && <p class="quiet palette-none">Nothing has that name.</p>}
    </div>
  );
}

function PaletteDialog() {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const entries = useMemo(() => everything(store.tables), []);
  const found = useMemo(() => find(entries, text), [entries, text]);
  const close = () => (isOpen.value = false);
  const run = (entry: Entry) => {
    close();
    entry.run();
  };
  const choose = (next: number) => {
    const place = (next + found.length) % Math.max(1, found.length);
    setChosen(place);
    list.current?.querySelector(`#palette-${place}`)?.scrollIntoView({ block: "nearest" });
  };
  const onKey = (event: KeyboardEvent) => {
    const entry = found[chosen];
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" && entry) run(entry);
    else if (event.key === "Escape") close(); // the field would only empty itself
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label="Go to, or do" class="palette" onClose={close}>
      <div ref={list}>
        <input
          type="search"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found.length ? `palette-${chosen}` : undefined}
          aria-label="Name of an instance, application or process, or an action"
          placeholder="Go to, or do: web, node 2, stop shop…"
          autocomplete="off"
          spellcheck={false}
          data-focus
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKey}
        />
        <Choices found={found} chosen={chosen} run={run} />
      </div>
    </Dialog>
  );
}

export function Palette() {
  return useValue(isOpen) ? <PaletteDialog /> : null;
}
