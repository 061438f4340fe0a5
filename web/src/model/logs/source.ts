// Which logs are followed: "ID/namespec/stdout,ID/namespec/stderr,ID" in the address. Only an instance: svisord's own log.
import type { Tables } from "../store";
import { isUp, namespecOf } from "../types";
import type { Copy } from "../types";

export const SOURCES_MAX = 24;

export type Channel = "stdout" | "stderr";

export interface Source {
  instance: string; // identifier
  namespec: string; // "": the log of svisord itself
  channel: Channel;
}

// What separates sources and their parts, and "%", are percent-encoded in names; the rest stays readable.
function encode(name: string): string {
  return name.replace(/[%,/]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(word: string): string {
  return word.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

export function sourceKey(source: Source): string {
  const { instance, namespec, channel } = source;
  return namespec ? `${encode(instance)}/${encode(namespec)}/${channel}` : encode(instance);
}

function parseSource(text: string): Source | null {
  const [instance = "", namespec = "", channel = "stdout", ...rest] = text.split("/").map(decode);
  if (!instance || rest.length || (channel !== "stdout" && channel !== "stderr")) return null;
  return { instance, namespec, channel };
}

export function parseFollow(text: string): Source[] {
  const found = new Map<string, Source>();
  for (const word of text.split(",")) {
    const source = parseSource(word);
    if (source) found.set(sourceKey(source), source);
  }
  return [...found.values()].slice(0, SOURCES_MAX);
}

export function formatFollow(sources: Source[]): string {
  return sources.map(sourceKey).join(",");
}

export function logsHref(sources: Source[]): string {
  return `#/logs?${new URLSearchParams({ follow: formatFollow(sources) }).toString()}`;
}

export function sourceOf(copy: Copy, channel: Channel): Source {
  return { instance: copy.identifier, namespec: namespecOf(copy.group, copy.name), channel };
}

function sourcesOf(copy: Copy): Source[] {
  return [...(copy.has_stdout ? [sourceOf(copy, "stdout")] : []), ...(copy.has_stderr ? [sourceOf(copy, "stderr")] : [])];
}

// Output and error output of a process where it runs, or else where it ended last. `key` is group:name.
export function logsOfProcess(tables: Tables, key: string): Source[] {
  const copies = [...(tables.copiesOf.get(key)?.values() ?? [])].filter((one) => one.has_stdout || one.has_stderr);
  const running = copies.filter((one) => isUp(one.statename));
  if (running.length) return running.flatMap(sourcesOf);
  return copies.sort((a, b) => b.stop - a.stop).slice(0, 1).flatMap(sourcesOf);
}

export function logsOfApplication(tables: Tables, application: string): Source[] {
  return [...(tables.processesOf.get(application)?.keys() ?? [])].flatMap((key) => logsOfProcess(tables, key));
}

// Short names that tell the sources of a view apart: the instance only where there are several.
export function labelsOf(sources: Source[], nick: (identifier: string) => string): Map<string, string> {
  const isSpread = new Set(sources.map((one) => one.instance)).size > 1;
  return new Map(
    sources.map((one) => {
      const where = isSpread ? ` ${nick(one.instance)}` : "";
      return [sourceKey(one), `${one.namespec || "svisord"}${where}${one.channel === "stderr" ? " err" : ""}`];
    }),
  );
}

// "shop:web node1" → "web node1", where there is little room, as long as that tells them apart.
export function withoutGroups(labels: Map<string, string>): Map<string, string> {
  const short = new Map([...labels].map(([key, label]) => [key, label.replace(/^[^\s:]+:/, "")]));
  return new Set(short.values()).size === labels.size ? short : labels;
}

// In words, for lists and dialogs: "error output of shop:web at node 2".
export function sourceWords(source: Source, nick: (identifier: string) => string): string {
  const what = source.namespec ? `${source.channel === "stderr" ? "error output" : "output"} of ${source.namespec}` : "log of svisord";
  return `${what} at ${nick(source.instance)}`;
}
