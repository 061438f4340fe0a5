// How much happened when: bars upwards for what is as it should be and for warnings, downwards for errors. Dragging over it zooms;
// so does Enter on one of its parts, reached with the arrow keys.
import { useRef, useState } from "preact/hooks";
import { density, ticks } from "../model/timeline";
import type { Bucket } from "../model/timeline";
import type { TimelineEntry } from "../model/types";
import { clock, dateAndClock, plural } from "../model/words";

const BUCKETS = 120;
const UP = 26; // of 44
const HEIGHT = 44;
const DRAG_MIN = 0.01; // of the width

function countWords(bucket: Bucket): string {
  const parts = [];
  if (bucket.error) parts.push(plural(bucket.error, "error"));
  if (bucket.warning) parts.push(plural(bucket.warning, "warning"));
  if (bucket.info) parts.push(`${bucket.info} other`);
  return parts.join(", ") || "nothing";
}

function summary(entries: TimelineEntry[], from: number, to: number): string {
  const all = density(entries, from, to, 1)[0]!;
  return `From ${dateAndClock(from)} to ${dateAndClock(to)}: ${countWords(all)}.`;
}

function Bars(props: { buckets: Bucket[] }) {
  const up = Math.max(1, ...props.buckets.map((one) => one.info + one.warning));
  const down = Math.max(1, ...props.buckets.map((one) => one.error));
  // By the square root: one record beside a hundred is still seen.
  const height = (count: number, most: number, room: number) => (count ? Math.max(2, room * Math.sqrt(count / most)) : 0);
  return (
    <>
      {props.buckets.map((one, index) => {
        const all = height(one.info + one.warning, up, UP - 1);
        const warning = one.warning ? Math.max(2, (all * one.warning) / (one.info + one.warning)) : 0;
        const error = height(one.error, down, HEIGHT - UP - 1);
        return (
          <g key={index}>
            {all > 0 && <rect class="density-info" x={index + 0.12} width={0.76} y={UP - all} height={all} />}
            {warning > 0 && <rect class="density-warning" x={index + 0.12} width={0.76} y={UP - warning} height={warning} />}
            {error > 0 && <rect class="density-error" x={index + 0.12} width={0.76} y={UP + 1} height={error} />}
          </g>
        );
      })}
    </>
  );
}

// What is dragged over, or where the arrow keys are: two shares of the width.
type Part = [number, number];

export function Density(props: { entries: TimelineEntry[]; from: number; to: number; onZoom: (from: number, to: number) => void }) {
  const { from, to } = props;
  const box = useRef<HTMLDivElement>(null);
  const start = useRef(-1);
  const [part, setPart] = useState<Part | null>(null);
  const buckets = density(props.entries, from, to, BUCKETS);
  const timeOf = (share: number) => from + share * (to - from);
  const shareOf = (event: PointerEvent) => {
    const at = box.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - at.left) / at.width));
  };
  const zoom = (chosen: Part | null) => {
    setPart(null);
    if (chosen && chosen[1] - chosen[0] >= Math.min(DRAG_MIN, 1 / BUCKETS)) props.onZoom(timeOf(chosen[0]), timeOf(chosen[1]));
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    start.current = shareOf(event);
    box.current!.setPointerCapture(event.pointerId);
  };
  const onMove = (event: PointerEvent) => {
    if (start.current < 0) return;
    const here = shareOf(event);
    setPart([Math.min(start.current, here), Math.max(start.current, here)]);
  };
  const onUp = () => {
    start.current = -1;
    zoom(part && part[1] - part[0] >= DRAG_MIN ? part : null);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const width = 10 / BUCKETS;
    const left = part ? part[0] + step * width : step > 0 ? 0 : 1 - width;
    if (step) setPart([Math.min(1 - width, Math.max(0, left)), Math.min(1, Math.max(width, left + width))]);
    else if (event.key === "Enter") zoom(part);
    else if (event.key === "Escape") setPart(null);
    else return;
    event.preventDefault();
  };
  const offset = -60 * new Date(from * 1000).getTimezoneOffset();
  // Not at the very end, where there is no room for the words.
  const axis = ticks(from, to, innerWidth < 720 ? 3 : 8, offset).filter((at) => at < to - 0.06 * (to - from));
  const isLong = to - from > 86400;
  const words = part ? `${dateAndClock(timeOf(part[0]))} to ${dateAndClock(timeOf(part[1]))}` : "";
  return (
    <div class="density">
      <div
        class="density-box"
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label="When it happened: drag, or use the arrow keys and Enter, to look closer"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((part?.[0] ?? 0) * 100)}
        aria-valuetext={words || summary(props.entries, from, to)}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={() => zoom(null)}
        onKeyDown={onKey}
        onBlur={() => setPart(null)}
      >
        <svg viewBox={`0 0 ${BUCKETS} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <line class="density-line" x1="0" x2={BUCKETS} y1={UP + 0.5} y2={UP + 0.5} />
          <Bars buckets={buckets} />
        </svg>
        {part && <div class="density-part" style={{ left: `${part[0] * 100}%`, width: `${(part[1] - part[0]) * 100}%` }} />}
      </div>
      <div class="density-axis" aria-hidden="true">
        {axis.map((at) => (
          <span key={at} style={{ left: `${((at - from) / (to - from)) * 100}%` }}>
            {isLong ? dateAndClock(at).slice(0, -3) : to - from < 300 ? clock(at) : clock(at).slice(0, 5)}
          </span>
        ))}
      </div>
      <p class="density-words quiet">{words || summary(props.entries, from, to)}</p>
    </div>
  );
}
