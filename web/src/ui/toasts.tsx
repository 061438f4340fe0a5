// What came of an action, in words, in the corner. Errors stay until they are closed.
import { Observable, useValue } from "./observable";

export interface Toast {
  id: number;
  tone: "good" | "warn" | "bad" | "busy";
  text: string;
}

const toasts = new Observable<Toast[]>([]);
let count = 0;
const STAY_MS = 6000;
const TOASTS_MAX = 5;

export function closeToast(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function toast(tone: Toast["tone"], text: string): number {
  const id = ++count;
  toasts.value = [...toasts.value.slice(1 - TOASTS_MAX), { id, tone, text }];
  if (tone === "good" || tone === "warn") setTimeout(() => closeToast(id), STAY_MS);
  return id;
}

export function errorWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// Does something and tells what came of it: "Stopping shop…", then "shop is stopped." or why not.
export async function perform<T>(busy: string, done: string, work: () => Promise<T>): Promise<T | undefined> {
  const id = toast("busy", busy);
  try {
    const result = await work();
    closeToast(id);
    toast("good", done);
    return result;
  } catch (error) {
    closeToast(id);
    toast("bad", `${busy.replace(/…$/, "")}: ${errorWords(error)}`);
    return undefined;
  }
}

export function Toasts() {
  const list = useValue(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite" aria-label="What came of actions">
      {list.map((one) => (
        <div key={one.id} class={`toast tone-${one.tone}`}>
          <span class="toast-text">{one.text}</span>
          <button type="button" class="plain" aria-label="Close this message" onClick={() => closeToast(one.id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
