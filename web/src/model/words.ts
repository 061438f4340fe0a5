// Numbers and times as people read them.

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  if (days) return `${days}d ${hours}h`;
  if (hours) return `${hours}h ${String(minutes).padStart(2, "0")}m`;
  if (minutes) return `${minutes}m ${String(whole % 60).padStart(2, "0")}s`;
  return `${whole}s`;
}

export function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

export function dateAndClock(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (date.toDateString() === new Date().toDateString()) return clock(seconds);
  return `${date.toLocaleDateString([], { day: "numeric", month: "short" })} ${clock(seconds)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// Bytes a second, with units of 1,000, so that an axis has round numbers.
export function rate(count: number): string {
  const units = ["B/s", "kB/s", "MB/s", "GB/s"];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** unit;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function percent(value: number): string {
  if (value === 0 || value >= 10) return `${Math.round(value)}%`;
  return value < 0.005 ? "<0.01%" : `${value.toFixed(value < 0.095 ? 2 : 1)}%`;
}

export function list(names: string[], most = 4): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

// "web is FATAL: too many retries." → "Too many retries.": the name and the state stand beside it already. Of what has exited, what
// the first sentence says in general the second one says in full: "Run 1 of web (pid 7) was ended by …".
export function reasonOf(why: string): string {
  const reason = why.replace(/^\S+ is (?:EXITED: [^.]*\. Run \d+ of \S+ \(pid \d+\) |[A-Z]+: )/, "");
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

// By plain code points: quick, and the order that svctl has.
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
