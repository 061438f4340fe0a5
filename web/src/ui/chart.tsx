// A chart over time. All charts with the same `group` show the cursor at the same time; dragging zooms all of them, a double click
// shows the whole again. What the first series says of itself (mean, spread, tendency) is drawn behind it where `isExplained`.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { summaryOf } from "../model/series";
import { clock } from "../model/words";
import { useMedia } from "./hooks";
import { useValue } from "./observable";
import { theme } from "./theme";

export interface Series {
  name: string;
  values: number[];
  color: string; // name of a colour of base.css: "--good"
  isThin?: boolean;
}

export interface ChartProperties {
  label: string;
  group: string;
  times: number[]; // wall clock, seconds
  series: Series[];
  format: (value: number) => string;
  most?: number; // the top of the scale, at least: 100 for per cent
  height?: number;
  isExplained?: boolean;
  onCursor?: (place: number | null) => void; // where the cursor is among the times
}

// As the theme has it: the value of the name itself is both colours.
function colorOf(name: string): string {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function withShare(color: string, share: number): string {
  return `color-mix(in srgb, ${color} ${share}%, transparent)`;
}

// Mean (dashed), standard deviation (a band), tendency (dotted) of the first series, under the lines.
function explain(plot: uPlot): void {
  const values = (plot.data[1] as number[] | undefined) ?? [];
  const summary = summaryOf(values);
  const times = plot.data[0];
  if (!summary || values.length < 3) return;
  const { ctx, bbox } = plot;
  const y = (value: number) => plot.valToPos(value, "y", true);
  const x = (place: number) => plot.valToPos(times[place]!, "x", true);
  const last = values.length - 1;
  const color = colorOf("--quiet");
  const line = (dash: number[], from: [number, number], to: [number, number]) => {
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
  };
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = withShare(color, 12);
  const top = y(summary.mean + summary.deviation);
  ctx.fillRect(bbox.left, top, bbox.width, y(Math.max(0, summary.mean - summary.deviation)) - top);
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  line([6, 4], [bbox.left, y(summary.mean)], [bbox.left + bbox.width, y(summary.mean)]);
  line([1.5, 4], [x(0), y(summary.intercept)], [x(last), y(summary.intercept + summary.slope * last)]);
  ctx.restore();
}

function axesOf(format: (value: number) => string): uPlot.Axis[] {
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const common = { stroke: colorOf("--quiet"), font, grid: { stroke: colorOf("--line"), width: 1 }, ticks: { show: false } };
  return [
    { ...common, values: (_, splits) => splits.map((one) => clock(one)), space: 80, size: 28 },
    { ...common, values: (_, splits) => splits.map(format), size: 62, space: 32 },
  ];
}

function optionsOf(properties: ChartProperties, width: number, cursor: (place: number | null) => void): uPlot.Options {
  const { series, most = 0, format } = properties;
  return {
    width,
    height: properties.height ?? 160,
    legend: { show: false },
    padding: [8, 28, 0, 0],
    cursor: { sync: { key: properties.group }, drag: { x: true, y: false }, y: false, points: { size: 6 } },
    scales: { y: { range: (_, __, max) => [0, Math.max(most, (max ?? 0) * 1.1, 0.05)] } },
    axes: axesOf(format),
    series: [
      {},
      ...series.map((one) => ({
        label: one.name,
        stroke: colorOf(one.color),
        width: one.isThin ? 1 : 2,
        alpha: one.isThin ? 0.5 : 1,
        points: { show: false },
      })),
    ],
    hooks: {
      drawAxes: properties.isExplained ? [explain] : [],
      setCursor: [(plot) => cursor(plot.cursor.idx ?? null)],
    },
  };
}

function dataOf(properties: ChartProperties): uPlot.AlignedData {
  return [properties.times, ...properties.series.map((one) => one.values)] as uPlot.AlignedData;
}

function isZoomed(plot: uPlot): boolean {
  const times = plot.data[0];
  const { min, max } = plot.scales.x!;
  return times.length > 1 && min != null && max != null && (min > times[0]! + 1e-3 || max < times[times.length - 1]! - 1e-3);
}

export function Chart(properties: ChartProperties) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(properties);
  newest.current = properties;
  const shape = properties.series.map((one) => `${one.name} ${one.color}`).join();
  const colors = `${useValue(theme)} ${useMedia("(prefers-color-scheme: dark)")}`;
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width === 0) return;
    const options = optionsOf(newest.current, width, (at) => newest.current.onCursor?.(at));
    plot.current = new uPlot(options, dataOf(newest.current), place.current!);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, colors, width === 0, properties.group]);
  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height: properties.height ?? 160 });
  }, [width]);
  useEffect(() => {
    const chart = plot.current;
    if (chart) chart.setData(dataOf(properties), !isZoomed(chart));
  }, [properties.times, properties.series]);
  return <div class="chart" ref={place} role="img" aria-label={properties.label} />;
}
