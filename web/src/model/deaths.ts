// Death certificates (docs/deaths.md) as svisor.getDeathCertificates gives them, and what of them is worth a line.
import type { Fact } from "./rules";
import { bytes, dateAndClock, duration } from "./words";

export interface Certificate {
  summary: string;
  text: string; // its first sentence, without the name
  cause: string;
  run?: number;
  pid?: number;
  started_ms?: number;
  ended_ms?: number;
  lived_ms?: number;
  exit_code?: number;
  signal?: number;
  signal_name?: string;
  core_dumped?: boolean;
  core_text?: string;
  escalated?: boolean;
  reason?: string;
  sender_signal_name?: string;
  sender_code?: number;
  sender_pid?: number;
  sender_user?: string;
  sender_uid?: number;
  sender_command?: string;
  sender_unit?: string;
  sender_program?: string;
  sender_cgroup?: string;
  oom_scope?: string;
  oom_command?: string;
  oom_victim?: number;
  oom_limit_bytes?: number;
  oom_usage_bytes?: number;
  error_text?: string;
  stage?: string;
  cpu_us?: number;
  user_us?: number;
  system_us?: number;
  max_rss_bytes?: number;
  memory_peak_bytes?: number;
  pids_peak?: number;
  forks?: number;
  strays?: number;
  strays_end?: string;
  rx_bytes?: number;
  tx_bytes?: number;
  cpu_pressure?: number;
  memory_pressure?: number;
  io_pressure?: number;
  unknown?: string;
  tail_channel?: string;
  tail?: string[];
}

// svisor.why
export interface Why {
  text: string;
  run: number;
  pid: number;
  next_start: number;
  spawnerr: string;
  last_output: string[];
  status_text: string;
  probe_text: string;
  resources: { resource: string; text: string; count?: number; last_ms: number; name?: string }[];
  network: Record<string, number>;
}

// An end that somebody asked for, or that is expected, is no failure: EXITED with 0, and stopped by svisord by request.
export function isHarmless(one: Certificate): boolean {
  return one.cause === "SVISORD" || (one.cause === "EXITED" && one.exit_code === 0);
}

const CODE_UNKNOWN = 0x10000; // the kernel had none; 1 to here: it is the kernel itself that signals a fault

export function senderInWords(one: Certificate): string {
  if (one.sender_signal_name === undefined && one.sender_pid === undefined) return "";
  const isFault = one.sender_code !== undefined && one.sender_code > 0 && one.sender_code < CODE_UNKNOWN;
  const who = one.sender_program ? `program ${one.sender_program}` : (one.sender_command ?? (isFault ? "the kernel" : "somebody"));
  const pid = one.sender_pid ? `, pid ${one.sender_pid}` : "";
  const user = one.sender_user ?? (one.sender_uid !== undefined ? `uid ${one.sender_uid}` : "");
  const unit = one.sender_unit ? `, in ${one.sender_unit}` : "";
  return `${one.sender_signal_name ?? "a signal"} from ${who}${pid}${user && `, user ${user}`}${unit}`;
}

function endOf(one: Certificate): string {
  if (one.error_text) return one.error_text;
  if (one.signal_name) return `${one.signal_name}${one.core_dumped ? `, core dumped${one.core_text ? ` (${one.core_text})` : ""}` : ""}`;
  if (one.exit_code !== undefined) return `exit status ${one.exit_code}`;
  return "";
}

function oomOf(one: Certificate): string {
  if (!one.oom_scope) return "";
  const whose = { OWN: "its own limit", ANCESTOR: "the limit of a group above it", HOST: "the memory of the host" }[one.oom_scope] ?? one.oom_scope;
  const size = one.oom_limit_bytes ? ` of ${bytes(one.oom_limit_bytes)}` : "";
  const victim = one.oom_command ? `; the kernel chose ${one.oom_command}${one.oom_victim ? `, pid ${one.oom_victim}` : ""}` : "";
  return `${whose}${size} was reached${victim}`;
}

function pressureOf(one: Certificate): string {
  const parts: [string, number | undefined][] = [["a CPU", one.cpu_pressure], ["memory", one.memory_pressure], ["input and output", one.io_pressure]];
  return parts.flatMap(([what, value]) => (value && value >= 10 ? [`${(value / 100).toFixed(value < 1000 ? 1 : 0)}% for ${what}`] : [])).join(", ");
}

// The parts of a certificate that answer who, how and with what; what is not known is left out.
export function certificateFacts(one: Certificate): Fact[] {
  const cpu = one.cpu_us ?? (one.user_us ?? 0) + (one.system_us ?? 0);
  const memory = one.memory_peak_bytes ?? one.max_rss_bytes;
  const rows: [string, string][] = [
    ["Ended", one.ended_ms ? dateAndClock(one.ended_ms / 1000) : ""],
    ["Lived", one.lived_ms === undefined ? "" : one.lived_ms < 1000 ? `${one.lived_ms} ms` : duration(one.lived_ms / 1000)],
    ["How", endOf(one)],
    ["By whom", senderInWords(one)],
    ["Out of memory", oomOf(one)],
    ["Forced", one.escalated ? "it had not ended in time (stopwaitsecs) and was sent SIGKILL" : ""],
    ["CPU time", cpu ? `${(cpu / 1e6).toFixed(2)} s` : ""],
    ["Most memory", memory ? bytes(memory) : ""],
    ["Most processes", one.pids_peak && one.pids_peak > 1 ? String(one.pids_peak) : ""],
    ["Forks", one.forks ? String(one.forks) : ""],
    ["Network", one.rx_bytes !== undefined || one.tx_bytes !== undefined ? `received ${bytes(one.rx_bytes ?? 0)}, sent ${bytes(one.tx_bytes ?? 0)}` : ""],
    ["Waited in its last minute", pressureOf(one)],
    ["Left behind", one.strays ? `${one.strays}${one.strays_end ? `, ${one.strays_end.toLowerCase()}` : ""}` : ""],
    ["Not known", one.unknown ?? ""],
  ];
  return rows.filter(([, value]) => value !== "").map(([name, value]) => ({ name, value }));
}

// "received 3 KB, sent 1 KB" of the run, or of its group.
export function networkInWords(network: Record<string, number>, prefix = ""): string {
  const received = network[`${prefix}rx_bytes`];
  const sent = network[`${prefix}tx_bytes`];
  return received === undefined || sent === undefined ? "" : `received ${bytes(received)}, sent ${bytes(sent)}`;
}
