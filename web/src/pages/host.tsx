// The host of an instance: processors, memory, network, disks.
import { useMemo, useRef, useState } from "preact/hooks";
import { call } from "../api/call";
import { store } from "../model/index";
import { Clock } from "../model/series";
import { byText, list, percent, rate } from "../model/words";
import type { Series } from "../ui/chart";
import { usePoll } from "../ui/poll";
import { perform } from "../ui/toasts";
import { nowOfServer, Panel, PeriodChoice, pollMs, usePeriod } from "./statistics";
import type { PanelProperties } from "./statistics";

interface Device {
  times: number[];
  received?: number[];
  sent?: number[];
  read?: number[];
  written?: number[];
  used?: number[];
}

interface HostHistory {
  target_period: number;
  cores: number;
  times: number[];
  cpu: number[][];
  mem: number[];
  net_io: Record<string, Device>;
  disk_io: Record<string, Device>;
  disk_usage: Record<string, Device>;
}

const CORE_COLORS = ["--good", "--warn", "--odd", "--bad", "--idle"];
const GROUP = "host";
const KIBIBIT = 128; // bytes

function cpuSeries(history: HostHistory): Series[] {
  return history.cpu.map((values, place) => ({
    name: place === 0 ? "all" : `cpu ${place - 1}`,
    values,
    color: place === 0 ? "--busy" : CORE_COLORS[(place - 1) % CORE_COLORS.length]!,
    isThin: place > 0,
  }));
}

const isIdle = (device: Device): boolean => [device.received, device.sent, device.read, device.written].every((values) => !values?.some((one) => one > 0));

function ioPanels(devices: Record<string, Device>, words: [string, string], of: (device: Device) => [number[], number[]], wall: (measures: number[]) => number[]): PanelProperties[] {
  return Object.entries(devices)
    .sort((a, b) => byText(a[0], b[0]))
    .map(([name, device]) => {
      const [first, second] = of(device);
      const series: Series[] = [
        { name: words[0], values: first.map((one) => one * KIBIBIT), color: "--busy" },
        { name: words[1], values: second.map((one) => one * KIBIBIT), color: "--warn" },
      ];
      return { title: name, group: GROUP, times: wall(device.times), series, format: rate, most: 1000 };
    });
}

interface Section {
  title: string;
  panels: PanelProperties[];
}

// All panels, made once for each answer.
function sectionsOf(history: HostHistory, wall: (measures: number[]) => number[], hasIdle: boolean): { sections: Section[]; idle: string[] } {
  const times = wall(history.times);
  const busy = (devices: Record<string, Device>) => Object.fromEntries(Object.entries(devices).filter(([, one]) => hasIdle || !isIdle(one)));
  const idle = [...Object.entries(history.net_io), ...Object.entries(history.disk_io)].filter(([, one]) => isIdle(one)).map(([name]) => name);
  const usage = Object.entries(history.disk_usage).sort((a, b) => byText(a[0], b[0]));
  const sections: Section[] = [
    {
      title: "Processor and memory",
      panels: [
        { title: "CPU", note: `${history.cores} cores`, group: GROUP, times, series: cpuSeries(history), format: percent, most: 100, isExplained: true },
        { title: "Memory", group: GROUP, times, series: [{ name: "used", values: history.mem, color: "--odd" }], format: percent, most: 100, isExplained: true },
      ],
    },
    { title: "Network", panels: ioPanels(busy(history.net_io), ["received", "sent"], (one) => [one.received ?? [], one.sent ?? []], wall) },
    { title: "Disk input and output", panels: ioPanels(busy(history.disk_io), ["read", "written"], (one) => [one.read ?? [], one.written ?? []], wall) },
    {
      title: "Disk usage",
      panels: usage.map(([name, device]) => ({
        title: name, group: GROUP, times: wall(device.times), series: [{ name: "used", values: device.used ?? [], color: "--good" }], format: percent, most: 100, isExplained: true,
      })),
    },
  ];
  return { sections: sections.filter((one) => one.panels.length > 0), idle };
}

interface Status {
  host_stats: boolean; // without a cluster: while somebody looks
}

async function askHost(identifier: string, period: number) {
  const [history, status, usage] = await Promise.all([
    call<HostHistory>(identifier, "svisor.getHostStatistics", { period }),
    store.tables.isCluster ? call<Status>(identifier, "supvisors.get_statistics_status") : { host_stats: true },
    call<{ periods: number[] }>(identifier, "svisor.getUsage", { period }),
  ]);
  return { history, status, periods: usage.periods };
}

function switchOn(identifier: string): void {
  const work = () => call(identifier, "supvisors.enable_host_statistics", { enable_host: true });
  void perform("Switching the statistics on…", "The statistics of the host are on, until svisord ends.", work);
}

export function Host(props: { identifier: string }) {
  const { identifier } = props;
  const period = usePeriod();
  const [hasIdle, setIdle] = useState(false);
  const polled = usePoll(() => askHost(identifier, period), pollMs(period), [identifier, period]);
  const walls = useRef(new Clock());
  const answer = polled.value;
  const made = useMemo(() => {
    if (!answer) return null;
    const now = nowOfServer();
    walls.current.times(answer.history.times, now);
    return sectionsOf(answer.history, (measures) => walls.current.place(measures), hasIdle);
  }, [answer, hasIdle]);
  if (!answer || !made) return <p class="quiet">{polled.error || "Reading…"}</p>;
  return (
    <div class="host">
      <div class="section-head">
        <PeriodChoice periods={answer.periods} period={period} />
        {polled.error && <span class="tone-warn">Not of now: {polled.error}</span>}
        {!answer.status.host_stats && (
          <span class="tone-warn">
            Statistics of the host are off.{" "}
            <button type="button" class="small" onClick={() => switchOn(identifier)}>
              Switch them on
            </button>
          </span>
        )}
        <span class="quiet host-hint">Drag to zoom, double click for the whole.</span>
      </div>
      {made.sections.map((section) => (
        <section key={section.title} aria-label={section.title}>
          <h2>{section.title}</h2>
          <div class="panels">
            {section.panels.map((panel) => (
              <Panel key={panel.title} {...panel} />
            ))}
          </div>
        </section>
      ))}
      {made.idle.length > 0 && (
        <p class="quiet">
          {hasIdle ? "Devices that are idle are shown." : `Idle, and not shown: ${list(made.idle.sort(byText), 8)}.`}{" "}
          <button type="button" class="plain more" onClick={() => setIdle(!hasIdle)}>
            {hasIdle ? "Hide them" : "Show them"}
          </button>
        </p>
      )}
    </div>
  );
}
