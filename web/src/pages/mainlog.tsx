// The log of svisord itself, its end, as it grows.
import { useEffect, useRef } from "preact/hooks";
import { call } from "../api/call";
import { usePoll } from "../ui/poll";

const BYTES = 64 * 1024;
const POLL_MS = 1500;

export function MainLog(props: { identifier: string }) {
  const { identifier } = props;
  const polled = usePoll(() => call<string>(identifier, "supervisor.readLog", { offset: -BYTES, length: 0 }), POLL_MS, [identifier]);
  const element = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const box = element.current;
    if (box && isAtEnd.current) box.scrollTop = box.scrollHeight;
  }, [polled.value]);
  const scrolled = () => {
    const box = element.current!;
    isAtEnd.current = box.scrollTop + box.clientHeight > box.scrollHeight - 24;
  };
  if (polled.value === null) return <p class="quiet">{polled.error || "Reading…"}</p>;
  return (
    <section aria-label="Log of svisord">
      {polled.error && <p class="tone-warn">Not of now: {polled.error}</p>}
      <pre class="log" ref={element} onScroll={scrolled} tabIndex={0}>
        {polled.value || "The log is empty."}
      </pre>
    </section>
  );
}
