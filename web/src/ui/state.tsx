// The mark of a state: a shape and a colour, always beside its word. The shape alone tells them apart, too.
import type { ComponentChildren } from "preact";

export type Tone = "good" | "busy" | "warn" | "bad" | "idle" | "odd";

const LOOKS: Record<string, [Tone, Shape]> = {
  RUNNING: ["good", "disc"],
  CHECKED: ["good", "ring-dot"],
  OPERATION: ["good", "disc"],
  STARTING: ["busy", "half"],
  CHECKING: ["busy", "half"],
  DISTRIBUTION: ["busy", "half"],
  ELECTION: ["busy", "half"],
  SYNCHRONIZATION: ["busy", "half"],
  STOPPING: ["busy", "half"],
  RESTARTING: ["busy", "half"],
  SHUTTING_DOWN: ["busy", "half"],
  BACKOFF: ["warn", "triangle"],
  FAILED: ["bad", "cross"],
  FATAL: ["bad", "cross"],
  CONFLICT: ["bad", "twins"],
  CONCILIATION: ["warn", "twins"],
  ISOLATED: ["bad", "barred"],
  STOPPED: ["idle", "ring"],
  EXITED: ["idle", "square"],
  OFF: ["idle", "ring"],
  FINAL: ["idle", "square"],
  DISABLED: ["idle", "barred"],
  "MAJOR FAILURE": ["bad", "cross"],
  "MINOR FAILURE": ["warn", "triangle"],
};

type Shape = "disc" | "ring" | "ring-dot" | "half" | "triangle" | "cross" | "square" | "twins" | "barred" | "query";

const SHAPES: Record<Shape, ComponentChildren> = {
  disc: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  ring: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" />,
  "ring-dot": (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <circle cx="6" cy="6" r="1.75" fill="currentColor" />
    </>
  ),
  half: (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M6 1.75a4.25 4.25 0 0 1 0 8.5z" fill="currentColor" />
    </>
  ),
  triangle: <path d="M6 1.2 11.4 10.6H.6z" fill="currentColor" />,
  cross: <path d="M2.2 2.2l7.6 7.6M9.8 2.2 2.2 9.8" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" fill="none" />,
  square: <rect x="2" y="2" width="8" height="8" rx="1" fill="none" stroke="currentColor" stroke-width="1.5" />,
  twins: (
    <>
      <circle cx="4" cy="6" r="3" fill="currentColor" />
      <circle cx="8.5" cy="6" r="2.6" fill="none" stroke="currentColor" stroke-width="1.5" />
    </>
  ),
  barred: (
    <>
      <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M3 9 9 3" stroke="currentColor" stroke-width="1.5" />
    </>
  ),
  query: <path d="M4 4.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M6 9.6v.2" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" fill="none" />,
};

export function toneOf(state: string, isExpected = true): Tone {
  if (state === "EXITED" && !isExpected) return "bad";
  return LOOKS[state]?.[0] ?? "odd";
}

export function Mark(props: { state: string; expected?: boolean }) {
  const isCrash = props.state === "EXITED" && props.expected === false;
  const shape = isCrash ? "cross" : (LOOKS[props.state]?.[1] ?? "query");
  return (
    <svg class={`mark tone-${toneOf(props.state, props.expected ?? true)}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[shape]}
    </svg>
  );
}

export function stateWord(state: string): string {
  const words = state.replace(/_/g, " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// "● Running". An EXITED that was not expected says so, and a process that may not start.
export function State(props: { state: string; expected?: boolean; note?: string; isDisabled?: boolean }) {
  const isCrash = props.state === "EXITED" && props.expected === false;
  const tone = toneOf(props.state, props.expected ?? true);
  return (
    <span class={`state tone-${tone}`}>
      <Mark state={props.state} expected={props.expected} />
      <span class="state-word">
        {stateWord(props.state)}
        {isCrash && <span class="unseen">, unexpectedly</span>}
      </span>
      {props.note && <span class="state-note">{props.note}</span>}
      {props.isDisabled && <span class="badge">disabled</span>}
    </span>
  );
}
