// Which logs to follow: a few letters of a process or an instance, and a button for each of its logs.
import { useMemo, useRef, useState } from "preact/hooks";
import { sourceKey, sourceOf, SOURCES_MAX } from "../model/logs/source";
import type { Channel, Source } from "../model/logs/source";
import type { Tables } from "../model/store";
import type { Copy } from "../model/types";
import { namespecOf } from "../model/types";
import { byText } from "../model/words";
import { Dialog } from "../ui/dialog";
import { useTables, versionOf } from "../ui/hooks";
import { Mark } from "../ui/state";
import { matches } from "../ui/table";

const SHOWN_MAX = 60;

interface Candidate {
  name: string;
  where: string;
  state: string;
  copy: Copy | null; // null: svisord itself
  instance: string;
}

function candidates(tables: Tables): Candidate[] {
  const list: Candidate[] = [];
  for (const copies of tables.copiesAt.values())
    for (const copy of copies.values())
      list.push({ name: namespecOf(copy.group, copy.name), where: tables.nick(copy.identifier), state: copy.statename, copy, instance: copy.identifier });
  list.sort((a, b) => byText(a.name, b.name) || byText(a.where, b.where));
  const own = [...tables.instances.values()].map((one) => ({
    name: "svisord", where: one.nick_identifier || one.identifier, state: one.statename, copy: null, instance: one.identifier,
  }));
  return [...list, ...own];
}

// The arrow keys go from row to row.
function moveByKey(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const list = event.currentTarget as HTMLElement;
  if (!step) return;
  const rows = [...list.querySelectorAll<HTMLElement>("li")];
  const here = document.activeElement as HTMLElement;
  const next = rows[rows.indexOf(here.closest("li")!) + step];
  const place = here.closest("li") ? [...here.closest("li")!.querySelectorAll("button")].indexOf(here as HTMLButtonElement) : 0;
  const buttons = next ? [...next.querySelectorAll<HTMLElement>("button:not(:disabled)")] : [];
  (buttons[Math.max(0, place)] ?? buttons[0] ?? list.querySelector("input"))?.focus();
  event.preventDefault();
}

function Choice(props: { source: Source; word: string; isChosen: boolean; isOff: boolean; why: string; name: string; onToggle: (source: Source) => void }) {
  return (
    <button
      type="button"
      class="small toggle"
      aria-pressed={props.isChosen}
      aria-label={`${props.word} of ${props.name}`}
      disabled={props.isOff && !props.isChosen}
      title={props.isOff ? props.why : undefined}
      onClick={() => props.onToggle(props.source)}
    >
      {props.word}
    </button>
  );
}

export function LogPicker(props: { chosen: Source[]; onToggle: (source: Source) => void; onClose: () => void }) {
  const tables = useTables("copy", "instance");
  const [text, setText] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const all = useMemo(() => candidates(tables), [tables, versionOf("copy", "instance")]);
  const found = useMemo(() => all.filter((one) => matches(text.trim(), `${one.name} ${one.where} ${one.state}`)), [all, text]);
  const keys = new Set(props.chosen.map(sourceKey));
  const isFull = props.chosen.length >= SOURCES_MAX;
  const choice = (one: Candidate, channel: Channel, word: string, isThere: boolean) => {
    const source = one.copy ? sourceOf(one.copy, channel) : { instance: one.instance, namespec: "", channel };
    const why = isFull ? `At most ${SOURCES_MAX} logs are followed together` : "It is not kept in a file of its own";
    const name = `${one.name} at ${one.where}`;
    return <Choice source={source} word={word} name={name} isChosen={keys.has(sourceKey(source))} isOff={!isThere || isFull} why={why} onToggle={props.onToggle} />;
  };
  return (
    <Dialog label="Choose logs" class="log-picker" onClose={props.onClose}>
      <h2>Choose logs</h2>
      <div ref={list} class="log-picker-body" onKeyDown={moveByKey}>
        <input
          type="search"
          aria-label="Name of a process or an instance"
          placeholder="Name of a process or an instance"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <ul aria-label="Logs that can be followed">
          {found.slice(0, SHOWN_MAX).map((one) => (
            <li key={`${one.instance} ${one.name} ${one.copy ? "" : "own"}`}>
              <Mark state={one.state} expected={one.copy?.expected} />
              <span class="log-picker-name">
                {one.name} {tables.isCluster && <span class="quiet">{one.where}</span>}
              </span>
              {one.copy ? (
                <>
                  {choice(one, "stdout", "Output", one.copy.has_stdout)}
                  {choice(one, "stderr", "Error output", one.copy.has_stderr)}
                </>
              ) : (
                choice(one, "stdout", "Log", true)
              )}
            </li>
          ))}
        </ul>
        {found.length > SHOWN_MAX && <p class="quiet">and {found.length - SHOWN_MAX} more: write some letters</p>}
        {found.length === 0 && <p class="quiet">Nothing has that name.</p>}
      </div>
      <div class="dialog-buttons">
        <span class="quiet">{props.chosen.length} chosen</span>
        <button type="button" class="primary" onClick={props.onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
