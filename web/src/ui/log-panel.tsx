// Logs that are followed, one line after the other as they arrive, with search:
//
//     <LogPanel sources={sources} />
//
// What is searched and how it is shown are words of the address: q, re, case (an expression, capitals count), only (nothing but the
// lines that were found), cut (long lines are not wrapped), time.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { store } from "../model/index";
import { placeOf } from "../model/logs/buffer";
import type { Line, LogBuffer } from "../model/logs/buffer";
import type { Follower } from "../model/logs/follower";
import { compile } from "../model/logs/search";
import { formatFollow, labelsOf, sourceKey, sourceWords, withoutGroups } from "../model/logs/source";
import type { Source } from "../model/logs/source";
import { emptyLogs } from "../api/actions";
import { useFollowing } from "./follow";
import { useIsNarrow } from "./hooks";
import { listenForKeys } from "./keyboard";
import { LogLines } from "./log-lines";
import type { LogView } from "./log-lines";
import { MenuButton } from "./menu";
import { setQuery, useRoute } from "./route";
import { FilterBox } from "./table";

const COLOURS = 8;
const nick = (identifier: string) => store.tables.nick(identifier);

// The colour of a source stays its own while others come and go.
function useColours(sources: Source[]): (key: string) => number {
  const colours = useRef(new Map<string, number>()).current;
  const keys = sources.map(sourceKey);
  for (const key of colours.keys()) if (!keys.includes(key)) colours.delete(key);
  for (const key of keys) {
    if (colours.has(key)) continue;
    const uses = Array.from({ length: COLOURS }, (_, colour) => [...colours.values()].filter((one) => one === colour).length);
    colours.set(key, uses.indexOf(Math.min(...uses)));
  }
  return useMemo(() => (key: string) => colours.get(key) ?? 0, []);
}

interface Words {
  text: string;
  isExpression: boolean;
  isCaseSensitive: boolean;
  isOnly: boolean;
  isCut: boolean;
  hasTimes: boolean;
}

function useWords(): Words {
  const { query } = useRoute();
  const has = (word: string) => query.get(word) === "1";
  return { text: query.get("q") ?? "", isExpression: has("re"), isCaseSensitive: has("case"), isOnly: has("only"), isCut: has("cut"), hasTimes: has("time") };
}

function Switch(props: { word: string; isOn: boolean; label: string; children: ComponentChildren }) {
  return (
    <button type="button" class="small toggle" aria-pressed={props.isOn} aria-label={props.label} title={props.label} onClick={() => setQuery({ [props.word]: props.isOn ? null : "1" })}>
      {props.children}
    </button>
  );
}

function download(lines: Line[], labels: Map<string, string>): void {
  const text = lines.map((one) => `${new Date(one.at).toISOString()} ${labels.get(one.source) ?? ""} | ${one.text}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(text, { type: "text/plain" }));
  link.download = `logs-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// What one does with all that is shown, and with each log.
function More(props: { buffer: LogBuffer; lines: Line[]; labels: Map<string, string>; sources: Source[]; words: Words }) {
  const { words } = props;
  // Both channels of a process are cleared together.
  const logs = new Map(props.sources.map((one) => [`${one.instance}/${one.namespec}`, one]));
  return (
    <MenuButton
      label="More for these logs"
      items={[
        { text: words.hasTimes ? "Hide when lines came" : "Show when lines came", run: () => setQuery({ time: words.hasTimes ? null : "1" }) },
        { text: "Download what is shown", run: () => download(props.lines, props.labels), isOff: props.lines.length === 0, why: "There are no lines" },
        { text: "Clear the view", run: () => props.buffer.clear() },
        ...[...logs.values()].map((one) => ({
          text: `Empty the ${one.namespec ? `logs of ${one.namespec}` : "log of svisord"} at ${nick(one.instance)}…`,
          run: () => void emptyLogs(one.instance, one.namespec),
          isDangerous: true,
        })),
      ]}
    />
  );
}

interface Matches {
  current: number; // serial; 0: none was gone to
  goTo: (step: 1 | -1) => void;
  words: string;
}

// Going from one line that was found to the next.
function useMatches(buffer: LogBuffer, text: string, onGo: () => void): Matches {
  const [current, setCurrent] = useState(0);
  useEffect(() => setCurrent(0), [text]);
  const { found } = buffer;
  const place = placeOf(found, current);
  const isThere = found[place]?.serial === current;
  const goTo = (step: 1 | -1) => {
    if (found.length === 0) return;
    const next = current ? place + (step > 0 && !isThere ? 0 : step) : found.length - 1; // the newest one first
    onGo();
    setCurrent(found[(next + found.length) % found.length]!.serial);
  };
  const count = found.length.toLocaleString("en");
  const words = found.length === 0 ? "not found" : isThere ? `${place + 1} of ${count} lines` : `${count} ${found.length === 1 ? "line" : "lines"}`;
  return { current: isThere ? current : 0, goTo, words };
}

function SearchBox(props: { words: Words; matches: Matches; error: string }) {
  const { words, matches } = props;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
    matches.goTo(event.shiftKey ? 1 : -1);
    event.preventDefault();
  };
  const query = { sort: "", setSort: () => undefined, filter: words.text, setFilter: (q: string) => setQuery({ q }) };
  return (
    <div class="log-search" role="search" aria-label="In these lines" onKeyDown={onKey}>
      <FilterBox query={query} label="Search in these lines" />
      <Switch word="case" isOn={words.isCaseSensitive} label="Capital letters count">
        Aa
      </Switch>
      <Switch word="re" isOn={words.isExpression} label="It is a regular expression">
        .*
      </Switch>
      {words.text && (
        <>
          <Switch word="only" isOn={words.isOnly} label="Only lines with it">
            Only these
          </Switch>
          <button type="button" class="small icon" aria-label="Match before (N)" title="Match before (N)" onClick={() => matches.goTo(-1)}>
            ↑
          </button>
          <button type="button" class="small icon" aria-label="Next match (n)" title="Next match (n)" onClick={() => matches.goTo(1)}>
            ↓
          </button>
          <span class={props.error ? "tone-bad" : "quiet"} role="status">
            {props.error || matches.words}
          </span>
        </>
      )}
    </div>
  );
}

function SourceState(props: { follower: Follower | undefined; words: string }) {
  const { follower } = props;
  if (!follower) return null;
  if (follower.state === "failed" || follower.state === "none")
    return (
      <>
        <span class={`log-source-words ${follower.state === "failed" ? "tone-bad" : "tone-warn"}`} role="status">
          {follower.state === "none" ? "No log: " : ""}
          {follower.words}
        </span>
        <button type="button" class="small" aria-label={`Try the ${props.words} again`} onClick={() => follower.retry()}>
          Try again
        </button>
      </>
    );
  return follower.state === "asking" ? <span class="quiet">asking…</span> : null;
}

// Which logs these are, how they are, and the way to take one out.
function Sources(props: { sources: Source[]; followers: Map<string, Follower>; view: LogView; onRemove?: (key: string) => void; children?: ComponentChildren }) {
  return (
    <ul class="log-sources" aria-label="Logs that are followed">
      {props.sources.map((one) => {
        const key = sourceKey(one);
        const words = sourceWords(one, nick);
        const follower = props.followers.get(key);
        const style = { "--source": `var(--source-${props.view.colourOf(key)})` };
        return (
          <li key={key} class={`log-source ${follower?.state === "growing" ? "is-growing" : ""}`} style={style} title={words}>
            <span class="log-dot" aria-hidden="true" />
            <span>{props.view.labels.get(key)}</span>
            <SourceState follower={follower} words={words} />
            {props.onRemove && (
              <button type="button" class="plain" aria-label={`Follow the ${words} no longer`} onClick={() => props.onRemove!(key)}>
                ✕
              </button>
            )}
          </li>
        );
      })}
      {props.children}
    </ul>
  );
}

function Empty(props: { isFiltered: boolean; followers: Map<string, Follower> }) {
  const states = [...props.followers.values()].map((one) => one.state);
  if (props.isFiltered) return <p class="log-empty">No line that has come has it.</p>;
  if (states.includes("asking")) return <p class="log-empty">Reading…</p>;
  return <p class="log-empty">{states.some((one) => one === "quiet" || one === "growing") ? "Nothing has been written yet. New lines come here by themselves." : "There is nothing to read."}</p>;
}

export function LogPanel(props: { sources: Source[]; onRemove?: (key: string) => void; children?: ComponentChildren }) {
  const { sources } = props;
  const words = useWords();
  const { buffer, followers } = useFollowing(sources);
  const [isFollowing, setFollowing] = useState(true);
  const left = useRef(0); // the newest line when following stopped
  const follow = useMemo(
    () => (isOn: boolean) => {
      if (!isOn && !buffer.isHeld) left.current = buffer.lines[buffer.lines.length - 1]?.serial ?? 0;
      buffer.isHeld = !isOn;
      setFollowing(isOn);
    },
    [],
  );
  const { matcher, error } = useMemo(() => compile(words), [words.text, words.isExpression, words.isCaseSensitive]);
  useMemo(() => buffer.search(matcher), [matcher]);
  const matches = useMatches(buffer, words.text, () => follow(false));
  const colourOf = useColours(sources);
  const labels = useMemo(() => labelsOf(sources, nick), [formatFollow(sources)]);
  const isNarrow = useIsNarrow();
  const shown = useMemo(() => (isNarrow ? withoutGroups(labels) : labels), [isNarrow, labels]);
  const view: LogView = { labels: shown, colourOf, matcher, current: matches.current, isWrapped: !words.isCut, hasTimes: words.hasTimes };
  const lines = words.isOnly && matcher ? buffer.found : buffer.lines;
  const keys = useRef({ matches, isFollowing, isCut: words.isCut });
  keys.current = { matches, isFollowing, isCut: words.isCut };
  useEffect(
    () =>
      listenForKeys({
        n: () => keys.current.matches.goTo(1),
        N: () => keys.current.matches.goTo(-1),
        f: () => follow(!keys.current.isFollowing),
        w: () => setQuery({ cut: keys.current.isCut ? null : "1" }),
      }),
    [],
  );
  return (
    <section class="log-panel" aria-label="Logs">
      <Sources sources={sources} followers={followers} view={view} onRemove={props.onRemove}>
        {props.children}
      </Sources>
      <div class="log-bar">
        <SearchBox words={words} matches={matches} error={error} />
        <span class="log-count quiet">{buffer.lines.length.toLocaleString("en")} {buffer.lines.length === 1 ? "line" : "lines"}</span>
        <Switch word="cut" isOn={words.isCut} label="Long lines stay on one line (w)">
          No wrap
        </Switch>
        <button type="button" class="small toggle" aria-pressed={isFollowing} title="Stay at the newest line (f)" onClick={() => follow(!isFollowing)}>
          Follow
        </button>
        <More buffer={buffer} lines={lines} labels={labels} sources={sources} words={words} />
      </div>
      {lines.length === 0 && <Empty isFiltered={words.isOnly && buffer.lines.length > 0} followers={followers} />}
      <LogLines lines={lines} view={view} isFollowing={isFollowing} onFollow={follow} newCount={lines.length - placeOf(lines, left.current + 1)} />
    </section>
  );
}
