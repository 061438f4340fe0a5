// Panels of measures: a chart, and beside its lines what they say in numbers.
import { useMemo, useRef, useState } from "preact/hooks";
import { call } from "../api/call";
import { store } from "../model/index";
import { Clock, summaryOf } from "../model/series";
import { bytes, clock, percent } from "../model/words";
import { Chart } from "../ui/chart";
import type { Series } from "../ui/chart";
import { usePoll } from "../ui/poll";
import { setQuery, useRoute } from "../ui/route";

export interface Usage {
  now: number;
  periods: number[];
  target_period: number;
  cores: number;
  irix_mode: boolean;
  host: { cpu?: number; mem?: number };
  processes: Record<string, [cpu: number, mem: number]>;
}

interface ProcessHistory {
  target_period: number;
  times: number[];
  cpu: number[];
  mem: number[];
  last: { resident_bytes?: number; processes?: number; tasks?: number; cpu_seconds?: number };
}

export const nowOfServer = (): number => Date.now() / 1000 + store.clockSkew;

// How often to ask: a new average comes with each period.
export const pollMs = (period: number): number => Math.min(10_000, Math.max(1000, period * 500));

// The period of the address; 0: the first of stats_periods.
export function usePeriod(): number {
  return Number(useRoute().query.get("period") ?? 0) || 0;
}

export function PeriodChoice(props: { periods: number[]; period: number }) {
  if (props.periods.length < 2) return null;
  const current = props.period || props.periods[0];
  return (
    <span class="choice" role="group" aria-label="Statistics period">
      <span class="quiet">Average over</span>
      {props.periods.map((one) => (
        <button key={one} type="button" class="small" aria-pressed={one === current} onClick={() => setQuery({ period: String(one) })}>
          {one % 60 === 0 ? `${one / 60} min` : `${one} s`}
        </button>
      ))}
    </span>
  );
}

// Rising, falling, or as before: a sign and a word.
function Tendency(props: { last: number; before: number }) {
  const difference = props.last - props.before;
  const isSame = Math.abs(difference) < Math.max(1e-9, Math.abs(props.last) * 0.01);
  const [sign, word] = isSame ? ["→", "steady"] : difference > 0 ? ["↗", "rising"] : ["↘", "falling"];
  return (
    <span class="tendency" title={word}>
      <span aria-hidden="true">{sign}</span>
      <span class="unseen">{word}</span>
    </span>
  );
}

function Figures(props: { title: string; series: Series[]; format: (value: number) => string; place: number | null; time: number | undefined }) {
  const { format, place } = props;
  return (
    <table class="figures" aria-label={`${props.title} in numbers`}>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Series</span>
          </th>
          <th scope="col">{place === null || props.time === undefined ? "last" : clock(props.time)}</th>
          <th scope="col">mean</th>
          <th scope="col" title="of the straight line through the values, for each period">slope</th>
          <th scope="col" title="standard deviation">dev.</th>
        </tr>
      </thead>
      <tbody>
        {props.series.map((one) => {
          const summary = summaryOf(one.values);
          if (!summary) return null;
          const shown = place === null ? summary.last : (one.values[place] ?? summary.last);
          return (
            <tr key={one.name}>
              <th scope="row">
                <span class="swatch" style={{ background: `var(${one.color})`, height: one.isThin ? "1px" : "3px" }} aria-hidden="true" />
                {one.name}
              </th>
              <td>
                {format(shown)} {place === null && <Tendency last={summary.last} before={summary.before} />}
              </td>
              <td>{format(summary.mean)}</td>
              <td>
                {summary.slope < 0 ? "−" : "+"}
                {format(Math.abs(summary.slope))}
              </td>
              <td>{format(summary.deviation)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

export interface PanelProperties {
  title: string;
  note?: string;
  group: string;
  times: number[];
  series: Series[];
  format: (value: number) => string;
  most?: number;
  isExplained?: boolean;
}

export function Panel(props: PanelProperties) {
  const [place, setPlace] = useState<number | null>(null);
  const isEmpty = props.times.length < 2;
  return (
    <section class="panel" aria-label={props.title}>
      <div class="panel-head">
        <h3>{props.title}</h3>
        {props.note && <span class="quiet">{props.note}</span>}
      </div>
      {isEmpty ? (
        <p class="quiet panel-empty">The first averages are being made…</p>
      ) : (
        <>
          <Chart {...props} label={`${props.title} over time`} onCursor={setPlace} />
          <Figures title={props.title} series={props.series} format={props.format} place={place} time={place === null ? undefined : props.times[place]} />
        </>
      )}
    </section>
  );
}

// Processor and memory of the present run of one process in one instance.
export function ProcessCharts(props: { identifier: string; namespec: string; period: number }) {
  const { identifier, namespec, period } = props;
  const ask = () => call<ProcessHistory>(identifier, "svisor.getProcessStatistics", { name: namespec, period });
  const polled = usePoll(ask, pollMs(period), [identifier, namespec, period]);
  const wall = useRef(new Clock());
  const history = polled.value;
  const times = useMemo(() => (history ? wall.current.times(history.times, nowOfServer()) : []), [history]);
  const cpu = useMemo<Series[]>(() => [{ name: "CPU", values: history?.cpu ?? [], color: "--busy" }], [history]);
  const mem = useMemo<Series[]>(() => [{ name: "memory", values: history?.mem ?? [], color: "--odd" }], [history]);
  if (!history) return <p class="quiet">{polled.error || "Reading…"}</p>;
  const { last } = history;
  const facts = [
    last.processes && last.processes > 1 ? `${last.processes} processes` : "",
    last.cpu_seconds !== undefined ? `${last.cpu_seconds.toFixed(1)} s of CPU` : "",
  ].filter(Boolean);
  return (
    <div class="panels">
      {polled.error && <p class="tone-warn">Not of now: {polled.error}</p>}
      <Panel title="CPU" note={facts.join(", ")} group={`process ${namespec}`} times={times} series={cpu} format={percent} isExplained />
      <Panel title="Memory" note={last.resident_bytes ? bytes(last.resident_bytes) : ""} group={`process ${namespec}`} times={times} series={mem} format={percent} isExplained />
    </div>
  );
}
