// Faults say their name and what it is about, "ALREADY_STARTED: shop:web"; here they become words for people.

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.?!]$/.test(words) ? "" : ".");
}

// "invalid Supvisors state=CONCILIATION - state expected in ['OPERATION']", as Supvisors says it.
function stateWords(about: string): string {
  const [, now, wanted] = /state=(\w+) - state expected in \[(.*)\]/.exec(about) ?? [];
  if (!now || !wanted) return `Not in this state of the cluster: ${about}.`;
  return `The cluster is in ${now}, and this can be done in ${wanted.replace(/'/g, "").replace(/, (?=\w+$)/, " or ")} only.`;
}

// "processes=['shop:web', 'talk']", as Supvisors says which of them.
function names(about: string): string {
  return about.replace(/^processes=\[(.*)\]$/, (_, all: string) => all.replace(/'/g, "").replace(/, (?=[^,]+$)/, " and "));
}

const WORDS: Record<string, (about: string) => string> = {
  ALREADY_STARTED: (about) => `${about} runs already.`,
  NOT_RUNNING: (about) => (about.startsWith("processes=") ? `Not running: ${names(about)}. The page of each says why.` : `${about} does not run.`),
  STILL_RUNNING: (about) => `Still running: ${names(about)}.`,
  BAD_NAME: (about) => (about.includes(" ") ? sentence(about) : `There is no ${about}.`),
  NO_FILE: (about) => (about.startsWith("/") ? `A file is missing: ${about}.` : about === "it" ? "It has no file." : sentence(about)),
  BAD_SIGNAL: (about) => `There is no signal ${about}: write a name such as HUP or USR1, or its number.`,
  NOT_EXECUTABLE: (about) => `${about} may not be executed.`,
  ABNORMAL_TERMINATION: (about) => (about.includes(" ") ? `${sentence(about)} Its page says why.` : `${about} ended before it counted as started.`),
  SPAWN_ERROR: (about) => `${about} could not be started.`,
  SHUTDOWN_STATE: () => "svisord is stopping or restarting.",
  BAD_SUPVISORS_STATE: stateWords,
  DISABLED: (about) => `${about} is disabled: enable its program first.`,
  NOT_MANAGED: (about) => `${about} has no rules, so the cluster does not manage it.`,
};

export function inWords(message: string): string {
  const colon = message.indexOf(": ");
  const name = colon < 0 ? message : message.slice(0, colon);
  const about = colon < 0 ? "it" : message.slice(colon + 2);
  return WORDS[name]?.(about) ?? (colon > 0 && /^[A-Z_]+$/.test(name) ? about : message);
}
