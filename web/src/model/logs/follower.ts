// Follows one log by svisor.followLog (docs/api.md): one request after the other, quickly while the log grows, slowly while it does
// not, and not at all while nobody looks. The cursor goes on from where the last answer ended, whatever happened between.
import type { LogBuffer } from "./buffer";
import { bytesOf, Splitter } from "./splitter";
import { bytes } from "../words";

export const PAUSE_MIN_MS = 250;
export const PAUSE_MAX_MS = 2000;
export const ERROR_PAUSE_MS = 5000;
export const NONE_PAUSE_MS = 60_000; // a log comes with another configuration only
export const FIRST_BYTES = 64 << 10;
export const PIECE_BYTES = 256 << 10;
export const BEHIND_MAX = 4 << 20; // more is left out, and told

export interface LogPiece {
  base64: string;
  cursor: string;
  behind: number;
  is_gap: boolean;
}

export type FollowState = "asking" | "growing" | "quiet" | "failed" | "none"; // none: there is no such log

export interface Around {
  ask: (cursor: string, limit: number) => Promise<LogPiece>;
  now: () => number;
  after: (milliseconds: number, done: () => void) => () => void; // returns what calls it off
  changed: () => void;
  errorOf: (error: unknown) => { text: string; isNoLog: boolean };
}

export class Follower {
  state: FollowState = "asking";
  words = ""; // why it failed, or why there is no log
  private cursor = "";
  private pause = PAUSE_MIN_MS;
  private readonly splitter = new Splitter();
  private callOff: (() => void) | null = null;
  private isAsking = false;
  private isOn = false;

  constructor(
    private readonly source: string,
    private readonly buffer: LogBuffer,
    private readonly around: Around,
  ) {}

  start(): void {
    this.isOn = true;
    this.retry();
  }

  // Also for good.
  stop(): void {
    this.isOn = false;
    this.callOff?.();
    this.callOff = null;
  }

  // Now, instead of after the pause.
  retry(): void {
    this.callOff?.();
    this.callOff = null;
    this.pause = PAUSE_MIN_MS;
    if (this.isOn && !this.isAsking) void this.look();
  }

  private set(state: FollowState, words = ""): void {
    if (this.state === state && this.words === words) return;
    this.state = state;
    this.words = words;
    this.around.changed();
  }

  private async look(): Promise<void> {
    this.isAsking = true;
    let pause = ERROR_PAUSE_MS;
    try {
      const piece = await this.around.ask(this.cursor, this.cursor ? PIECE_BYTES : FIRST_BYTES);
      if (this.isOn) pause = this.take(piece);
    } catch (error) {
      const { text, isNoLog } = this.around.errorOf(error);
      this.set(isNoLog ? "none" : "failed", text);
      if (isNoLog) pause = NONE_PAUSE_MS;
    }
    this.isAsking = false;
    if (this.isOn) this.callOff = this.around.after(pause, () => void this.look());
  }

  private note(text: string): void {
    const rest = this.splitter.restart();
    if (rest) this.buffer.add(this.source, [rest], this.around.now());
    this.buffer.note(this.source, text, this.around.now());
  }

  // What came into the buffer; how long to wait for the next piece.
  private take(piece: LogPiece): number {
    if (piece.is_gap) this.note("What came before is not there any more, as the log was emptied or its older files are gone: this is the new one, from its start.");
    this.cursor = piece.cursor;
    const raw = this.splitter.add(bytesOf(piece.base64));
    const isGrowing = piece.base64 !== "";
    const rest = isGrowing ? null : this.splitter.rest();
    if (rest) raw.push(rest);
    this.buffer.add(this.source, raw, this.around.now());
    if (piece.behind > BEHIND_MAX) {
      this.note(`More was written than can be shown: ${bytes(piece.behind)} are left out here.`);
      this.cursor = "";
    }
    this.set(isGrowing ? "growing" : "quiet");
    this.pause = isGrowing ? PAUSE_MIN_MS : Math.min(this.pause * 1.5, PAUSE_MAX_MS);
    return piece.behind > 0 && piece.behind <= BEHIND_MAX ? 0 : this.pause;
  }
}
