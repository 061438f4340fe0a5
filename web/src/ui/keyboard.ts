// The keys of the page. Single letters count only where nothing is being written.
export interface Key {
  keys: string; // as the help shows them
  does: string;
}

export const KEYS: Key[] = [
  { keys: "/", does: "search in this page, or everywhere" },
  { keys: "Ctrl K", does: "go to any instance, application or process; do something with it" },
  { keys: "g c", does: "cluster" },
  { keys: "g t", does: "timeline" },
  { keys: "g l", does: "logs" },
  { keys: "g m", does: "the instance that serves this page" },
  { keys: "↑ ↓", does: "in a table or list: the row before, the next one" },
  { keys: "j k", does: "in the timeline: the next record, the one before; Enter: to what it is about" },
  { keys: "n N", does: "in logs: the next line that was found, the one before" },
  { keys: "f w", does: "in logs: stay at the newest line; wrap long lines" },
  { keys: "Esc", does: "close what is open" },
  { keys: "?", does: "this help" },
];

export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);
}

const PAIR_MS = 1200;

// Calls the function of a key, or of two keys one after the other ("g c").
export function listenForKeys(actions: Record<string, () => void>): () => void {
  let first = "";
  let since = 0;
  const pressed = (event: KeyboardEvent) => {
    const isPalette = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if (!isPalette && (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target))) return;
    if (!isPalette && document.querySelector("dialog[open]")) return;
    const pair = first && Date.now() - since < PAIR_MS ? `${first} ${event.key}` : "";
    const action = isPalette ? actions["Ctrl K"] : (actions[pair] ?? actions[event.key]);
    first = event.key === "g" ? "g" : "";
    since = Date.now();
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
