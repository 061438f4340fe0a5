// Calls of the remote methods as REST (docs/rest.md), with errors in words.
//
//     await call(null, "supvisors.start_application", { strategy: "CONFIG", application_name: "shop" });
//     await call("10.0.0.2:9001", "supervisor.startProcess", { name: "shop:web", wait: false });
//     await operate("supvisors.stop_application", { application_name: "shop" });   // waits for the end, holding no connection
//
// With an instance the call is made there, relayed by the one that serves this page.
import { inWords } from "../model/faults";
import { store } from "../model/index";

export class CallError extends Error {
  constructor(
    message: string,
    readonly code: number,
    readonly status: number,
  ) {
    super(message);
  }
}

type Parameters = Record<string, unknown>;

function pathOf(instance: string | null, method: string): string {
  const [space = "", name = ""] = method.split(".");
  const path = `/${space}/${space === "supvisors" ? name.replace(/^get_/, "") : name}`;
  const isHere = !instance || instance === store.tables.hello?.identifier || !store.tables.isCluster;
  return isHere ? path : `/instances/${encodeURIComponent(instance)}${path}`;
}

function failure(status: number, body: unknown): CallError {
  if (status === 401) return new CallError("svisord wants a name and a password: load the page anew.", 0, status);
  const fault = body as { message?: string; code?: number } | null;
  const text = fault?.message ? inWords(fault.message) : `svisord answered with status ${status}.`;
  return new CallError(text, fault?.code ?? 0, status);
}

async function ask(path: string, init: RequestInit): Promise<{ status: number; body: unknown; headers: Headers }> {
  let answer: Response;
  try {
    // Beside the page, also behind a proxy that adds a prefix; location.href has no password, with which fetch() refuses an address.
    answer = await fetch(new URL(path.slice(1), location.href), init);
  } catch {
    throw new CallError("svisord does not answer.", 0, 0);
  }
  const text = await answer.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    body = null; // an error of a proxy, or of the server itself, is no JSON
  }
  if (!answer.ok) throw failure(answer.status, body);
  return { status: answer.status, body, headers: answer.headers };
}

function post(parameters: Parameters, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(parameters) };
}

// The same of an instance that need not be there: who is not heard is not asked.
export function callThere<T = unknown>(instance: string, method: string, parameters: Parameters = {}): Promise<T> {
  const away = store.tables.awayWords(instance);
  return away ? Promise.reject(new CallError(`${away}.`, 0, 0)) : call<T>(instance, method, parameters);
}

export async function call<T = unknown>(instance: string | null, method: string, parameters: Parameters = {}): Promise<T> {
  return (await ask(pathOf(instance, method), post(parameters))).body as T;
}

interface Operation {
  state: "RUNNING" | "DONE" | "FAILED";
  result?: unknown;
  fault?: { message: string; code: number };
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

// A call that may take long: svisord gives a handle, which is asked until it is done.
export async function operate<T = unknown>(method: string, parameters: Parameters = {}): Promise<T> {
  const first = await ask(pathOf(null, method), post(parameters, { Prefer: "respond-async" }));
  if (first.status !== 202) return first.body as T;
  const location = first.headers.get("Location") ?? "";
  for (let wait = 200; ; wait = Math.min(wait * 1.5, 2000)) {
    await pause(wait);
    const operation = (await ask(location, {})).body as Operation;
    if (operation.state === "RUNNING") continue;
    void ask(location, { method: "DELETE" }).catch(() => undefined); // it is forgotten by itself, too
    if (operation.state === "DONE") return operation.result as T;
    throw failure(500, operation.fault ?? null);
  }
}
