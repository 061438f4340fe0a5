// Calls of the remote methods as REST (docs/rest.md), with errors in words.
//
//     await call(null, "supvisors.start_application", { strategy: "CONFIG", application_name: "shop" });
//     await call("10.0.0.2:9001", "supervisor.startProcess", { name: "shop:web", wait: false });
//     await operate("supvisors.stop_application", { application_name: "shop" });   // waits for the end, holding no connection
//
// With an instance the call is made there, relayed by the one that serves this page.
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

// Faults say their name and what it is about, "ALREADY_STARTED: shop:web"; these are the same for people.
const WORDS: Record<string, (about: string) => string> = {
  ALREADY_STARTED: (about) => `${about} runs already.`,
  NOT_RUNNING: (about) => `${about} does not run.`,
  BAD_NAME: (about) => (about.includes(" ") ? sentence(about) : `There is no ${about}.`),
  NO_FILE: (about) => (about.startsWith("/") ? `A file is missing: ${about}.` : about === "it" ? "It has no file." : sentence(about)),
  BAD_SIGNAL: (about) => `There is no signal ${about}: write a name such as HUP or USR1, or its number.`,
  NOT_EXECUTABLE: (about) => `${about} may not be executed.`,
  ABNORMAL_TERMINATION: (about) => (about.includes(" ") ? `${sentence(about)} Its page says why.` : `${about} ended before it counted as started.`),
  SPAWN_ERROR: (about) => `${about} could not be started.`,
  SHUTDOWN_STATE: () => "svisord is stopping or restarting.",
  BAD_SUPVISORS_STATE: (about) => `Not in this state of the cluster: ${about}.`,
  DISABLED: (about) => `${about} is disabled: enable its program first.`,
  NOT_MANAGED: (about) => `${about} has no rules, so the cluster does not manage it.`,
};

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.?!]$/.test(words) ? "" : ".");
}

export function inWords(message: string): string {
  const colon = message.indexOf(": ");
  const name = colon < 0 ? message : message.slice(0, colon);
  const about = colon < 0 ? "it" : message.slice(colon + 2);
  return WORDS[name]?.(about) ?? (colon > 0 && /^[A-Z_]+$/.test(name) ? about : message);
}

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
    answer = await fetch(path.slice(1), init); // beside the page, also behind a proxy that adds a prefix
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
