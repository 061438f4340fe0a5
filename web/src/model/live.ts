// The connection to /live. It connects again by itself, at once after a connection that has worked and then with growing
// pauses, and it says since when there is none: what the page shows then is old, and must not look fresh. A node that is frozen and
// a cable that is pulled end no connection: one on which not even a beat of svisord comes is given up.
import type { Message } from "./types";
import type { Store } from "./store";

export const PAUSE_MIN_MS = 250;
export const PAUSE_MAX_MS = 8000;
export const SILENCE_MAX_MS = 15_000; // three beats

export type Link =
  | { state: "connecting" } // the first time
  | { state: "reading" } // the snapshot is coming
  | { state: "live" }
  | { state: "lost"; since: number; again: number }; // milliseconds of Date.now(); `again`: when it is tried next

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  close(): void;
}

export interface Surroundings {
  open: () => Socket;
  now: () => number;
  after: (milliseconds: number, done: () => void) => () => void; // returns what calls it off
}

// A snapshot has several messages in one.
function isSeveral(told: Message | Message[]): told is Message[] {
  return Array.isArray(told[0]);
}

export class Live {
  link: Link = { state: "connecting" };
  private socket: Socket | null = null;
  private pause = PAUSE_MIN_MS;
  private callOff: (() => void) | null = null; // the next try, or the look whether it is silent
  private heard = 0; // when something came
  private since: number;

  constructor(
    private readonly store: Store,
    private readonly around: Surroundings,
  ) {
    this.since = around.now();
  }

  // Now, instead of after the pause.
  connect(): void {
    if (this.socket) return;
    this.callOff?.();
    const socket = this.around.open();
    this.socket = socket;
    socket.onmessage = (event) => this.receive(socket, String(event.data));
    socket.onclose = () => this.closed(socket, this.around.now());
    this.heard = this.around.now();
    this.watch(socket);
  }

  private watch(socket: Socket): void {
    const left = this.heard + SILENCE_MAX_MS - this.around.now();
    if (left > 0) {
      this.callOff = this.around.after(left, () => this.watch(socket));
      return;
    }
    this.closed(socket, this.heard);
    socket.close();
  }

  // The page is left, or goes to sleep.
  close(): void {
    this.callOff?.();
    this.callOff = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private set(link: Link): void {
    this.link = link;
    this.store.touch("link");
  }

  private receive(socket: Socket, text: string): void {
    if (socket !== this.socket) return;
    this.heard = this.around.now();
    let told: Message | Message[];
    try {
      told = JSON.parse(text) as Message | Message[];
    } catch {
      socket.close(); // a message that cannot be read is one that was missed: begin anew
      return;
    }
    if (isSeveral(told)) told.forEach((message) => this.take(message));
    else this.take(told);
  }

  private take(message: Message): void {
    this.store.apply(message);
    if (message[0] === "hello") this.set({ state: "reading" });
    else if (message[0] === "ready") {
      this.pause = PAUSE_MIN_MS;
      this.set({ state: "live" });
    }
  }

  private closed(socket: Socket, since: number): void {
    if (socket !== this.socket) return;
    this.callOff?.();
    this.socket = null;
    this.store.dropSnapshot();
    if (this.link.state === "live") this.since = since;
    const again = this.around.now() + this.pause;
    this.callOff = this.around.after(this.pause, () => this.connect());
    this.pause = Math.min(this.pause * 2, PAUSE_MAX_MS);
    this.set({ state: "lost", since: this.since, again });
  }
}
