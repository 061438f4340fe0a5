// How many processes are in which state: words, and a bar of the parts.
import type { Tally } from "../model/store";
import { toneOf } from "../ui/state";

const ORDER = ["FATAL", "BACKOFF", "EXITED", "UNKNOWN", "STARTING", "STOPPING", "RUNNING", "STOPPED"] as const;

export function TallyBar(props: { tally: Tally }) {
  const parts = ORDER.filter((state) => props.tally[state]).map((state) => [state, props.tally[state]!] as const);
  const all = parts.reduce((sum, [, count]) => sum + count, 0);
  const words = parts.map(([state, count]) => `${count} ${state.toLowerCase()}`).join(", ");
  return (
    <span class="tally" title={words}>
      <span class="tally-bar" aria-hidden="true">
        {[...parts].reverse().map(([state, count]) => (
          <span key={state} class={`tally-part tone-${toneOf(state)}`} style={{ flexGrow: count }} />
        ))}
      </span>
      <span class="tally-words">{all === 0 ? "no processes" : words}</span>
    </span>
  );
}

