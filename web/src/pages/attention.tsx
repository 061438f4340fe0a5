// What needs attention now: first on the start page, and empty on a good day.
import { sortedAttention } from "../model/attention";
import type { Attention } from "../model/attention";
import type { Tables } from "../model/store";
import { plural } from "../model/words";
import { State } from "../ui/state";
import { useMemo, useState } from "preact/hooks";
import { useTables, versionOf } from "../ui/hooks";

const SHOWN_FIRST = 8;

function Row(props: { one: Attention; tables: Tables }) {
  const { one } = props;
  const expected = one.state === "EXITED" ? false : undefined;
  return (
    <li class="attention-row">
      <State state={one.state} expected={expected} />
      <a class="attention-name" href={one.href}>
        {one.title}
      </a>
      <span class="attention-words">{one.words(props.tables)}</span>
    </li>
  );
}

export function AttentionList() {
  const tables = useTables("attention", "copy", "process", "timeline");
  const [isAll, setAll] = useState(false);
  const all = useMemo(() => sortedAttention(tables), [versionOf("attention"), tables]);
  if (all.length === 0) {
    return (
      <section class="attention attention-none" aria-label="Needs attention">
        <State state="RUNNING" note="" />
        <p>Nothing needs attention.</p>
      </section>
    );
  }
  const shown = isAll ? all.slice(0, 200) : all.slice(0, SHOWN_FIRST);
  return (
    <section class="attention" aria-label="Needs attention">
      <h2>
        Needs attention <span class="quiet">{all.length}</span>
      </h2>
      <ul>
        {shown.map((one) => (
          <Row key={`${one.kind} ${one.title}`} one={one} tables={tables} />
        ))}
      </ul>
      {all.length > SHOWN_FIRST && (
        <button type="button" class="plain more" onClick={() => setAll(!isAll)}>
          {isAll ? "Show fewer" : `Show ${plural(all.length - SHOWN_FIRST, "more", "more")}`}
        </button>
      )}
    </section>
  );
}
