// Lines as programs write them → text that may be shown. Whatever comes becomes text: colours of a terminal become class names, all
// other sequences go, and characters that would hide or turn around what stands beside them are shown as what they are.
export interface Span {
  start: number; // in the text
  end: number;
  class: string;
}

export interface Shown {
  text: string;
  spans: Span[]; // in order; what is between them is plain
}

// Control characters (tabs are none), and those that change the direction of text (CVE-2021-42574) or are not seen.
const ODD = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
// CSI … final; OSC, DCS, SOS, PM, APC … up to BEL or ST; other escapes of two or three characters.
const SEQUENCE = /(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]/y;

interface Style {
  foreground: number; // 0 to 15; -1: none
  background: number;
  flags: Set<string>;
}

const FLAGS: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const FLAGS_OFF: Record<number, string[]> = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };

// The one of the sixteen colours that is nearest to a red, green and blue of 0 to 255.
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most - Math.min(red, green, blue) < 32) return most < 64 ? 0 : most < 128 ? 8 : most < 208 ? 7 : 15;
  const half = most / 2;
  return (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0) + (most > 192 ? 8 : 0);
}

function ofPalette(number: number): number {
  if (number < 16) return number;
  if (number >= 232) return nearest((number - 232) * 10 + 8, (number - 232) * 10 + 8, (number - 232) * 10 + 8);
  const part = (by: number) => Math.floor((number - 16) / by) % 6;
  return nearest(part(36) * 51, part(6) * 51, part(1) * 51);
}

// 38;5;n and 38;2;r;g;b: the colour, and how many numbers it took.
function extended(codes: number[], at: number): [colour: number, taken: number] {
  if (codes[at + 1] === 5) return [ofPalette(Math.min(255, codes[at + 2] ?? 0)), 2];
  if (codes[at + 1] === 2) return [nearest(codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0), 4];
  return [-1, 0];
}

function applyCodes(style: Style, codes: number[]): void {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(style, { foreground: -1, background: -1, flags: new Set<string>() });
    else if (FLAGS[code]) style.flags.add(FLAGS[code]);
    else if (FLAGS_OFF[code]) FLAGS_OFF[code].forEach((one) => style.flags.delete(one));
    else if (code === 39) style.foreground = -1;
    else if (code === 49) style.background = -1;
    else if (code >= 30 && code <= 37) style.foreground = code - 30;
    else if (code >= 40 && code <= 47) style.background = code - 40;
    else if (code >= 90 && code <= 97) style.foreground = code - 82;
    else if (code >= 100 && code <= 107) style.background = code - 92;
    else if (code === 38 || code === 48) {
      const [colour, taken] = extended(codes, i);
      style[code === 38 ? "foreground" : "background"] = colour;
      i += taken;
    }
  }
}

function classOf(style: Style): string {
  const names = [...style.flags].map((one) => `ansi-${one}`);
  const [ground, colour] = style.background >= 0 ? ["bg", style.background] : ["fg", style.foreground];
  if (colour >= 0) names.push(`ansi-${ground} ansi-${colour % 8}`); // bright ones as the others: both are readable
  return names.join(" ");
}

// "^[" of an escape that begins nothing, as terminals write it; "‹U+202E›" of an override.
function picture(code: number): string {
  if (code < 0x80) return `^${String.fromCharCode(code ^ 0x40)}`;
  return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

class Painter {
  text = "";
  readonly spans: Span[] = [];
  private readonly style: Style = { foreground: -1, background: -1, flags: new Set() };

  add(text: string, extra = ""): void {
    const name = extra || classOf(this.style);
    const start = this.text.length;
    this.text += text;
    const last = this.spans[this.spans.length - 1];
    if (!name) return;
    if (last && last.end === start && last.class === name) last.end = this.text.length;
    else this.spans.push({ start, end: this.text.length, class: name });
  }

  sequence(parameters: string, final: string): void {
    if (final !== "m" || !/^[0-9;:]*$/.test(parameters)) return;
    applyCodes(this.style, parameters.split(/[;:]/).map(Number));
  }
}

export function shownOf(raw: string): Shown {
  if (!ODD.test(raw)) return { text: raw, spans: [] };
  const painter = new Painter();
  const odd = new RegExp(ODD.source, "g");
  for (let at = 0; at < raw.length; ) {
    odd.lastIndex = at;
    const next = odd.exec(raw)?.index ?? raw.length;
    if (next > at) painter.add(raw.slice(at, next));
    at = next;
    if (at === raw.length) break;
    SEQUENCE.lastIndex = at;
    const found = SEQUENCE.exec(raw);
    if (found) painter.sequence(found[1] ?? "", found[2] ?? "");
    else painter.add(picture(raw.charCodeAt(at)), "control");
    at += found ? found[0].length : 1;
  }
  return { text: painter.text, spans: painter.spans };
}
