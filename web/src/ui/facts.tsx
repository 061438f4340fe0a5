// Names and values side by side, in as many columns as fit.
import type { ComponentChildren } from "preact";

export interface FactRow {
  name: string;
  value: ComponentChildren;
  words?: string;
}

export function Facts(props: { facts: FactRow[]; class?: string }) {
  return (
    <dl class={`facts ${props.class ?? ""}`}>
      {props.facts.map((one) => (
        <div key={one.name}>
          <dt>{one.name}</dt>
          <dd>
            {one.value} {one.words && <span class="quiet fact-words">{one.words}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
