// Asks before something is done, with what will come of it: what stops in which order, what starts where by which step, what
// finds no place, and the loads before and after. Choices of the dialog (a strategy, arguments) change the plan while it is open.
//
//     const values = await askPlan({ title: "Start shop?", verb: "Start", choices: [strategyChoice("CONFIG")], plan: (values) => … });
//     if (values) …
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { store } from "../model/index";
import type { LoadChange, Move, Plan, Step } from "../model/plan";
import { plural } from "../model/words";
import { askIn, Dialog, DialogButtons } from "./dialog";
import type { Open } from "./dialog";
import { Observable, useValue } from "./observable";
import { Mark } from "./state";
import { errorWords } from "./toasts";

export interface Choice {
  id: string;
  label: string;
  kind: "select" | "text" | "number" | "check" | "lines";
  value: string; // of check: "yes" or ""
  options?: { value: string; text: string; words?: string }[];
  words?: string;
  isAsked?: boolean; // what the question is about: it has the focus
  wrong?: (value: string) => string; // what is wrong with it, and what to write instead; "": nothing
}

export type Values = Record<string, string>;

export interface PlanQuestion {
  title: string;
  verb: string;
  isDangerous?: boolean;
  text?: string;
  choices?: Choice[];
  plan?: (values: Values) => Plan | Promise<Plan>;
}

const open = new Observable<Open<PlanQuestion, Values | null> | null>(null);

export function askPlan(question: PlanQuestion): Promise<Values | null> {
  return askIn(open, question, null);
}

// ---- the plan ----

const MOVES_MAX = 300;
const nick = (identifier: string) => store.tables.nick(identifier);

function MoveRow(props: { rank: string; move: Move; verb: string }) {
  const { move } = props;
  return (
    <li class="plan-row" title={move.why || undefined}>
      <span class="plan-rank">{props.rank}</span>
      <b>{move.namespec}</b>
      <span>{move.where.length ? `${props.verb} ${move.where.map(nick).join(", ")}` : ""}</span>
      <span class="plan-load quiet">{move.isBrief && props.verb === "at" ? "ends again" : move.load ? `load ${move.load}%` : ""}</span>
    </li>
  );
}

function Steps(props: { title: string; tone: string; state: string; steps: Step[]; verb: string }) {
  const count = props.steps.reduce((sum, step) => sum + step.moves.length, 0);
  if (count === 0) return null;
  const rows = props.steps.flatMap((step) => step.moves.map((move, index) => ({ move, rank: index === 0 ? step.title : "" })));
  return (
    <section class="plan-part" aria-label={props.title}>
      <h3>
        <span class={`tone-${props.tone}`}>
          <Mark state={props.state} />
        </span>{" "}
        {props.title} <span class="quiet">{count}</span>
        {props.steps.length > 1 && <span class="quiet plan-order">step by step, in this order</span>}
      </h3>
      <ol>
        {rows.slice(0, MOVES_MAX).map(({ move, rank }) => (
          <MoveRow key={`${move.namespec} ${move.where.join()}`} rank={rank} move={move} verb={props.verb} />
        ))}
      </ol>
      {rows.length > MOVES_MAX && <p class="quiet">and {rows.length - MOVES_MAX} more</p>}
    </section>
  );
}

function Unplaced(props: { moves: Move[] }) {
  if (props.moves.length === 0) return null;
  return (
    <section class="plan-part plan-unplaced" aria-label="Finds no place">
      <h3>
        <span class="tone-bad">
          <Mark state="FATAL" />
        </span>{" "}
        Finds no place <span class="quiet">{props.moves.length}</span>
      </h3>
      <ul>
        {props.moves.map((move) => (
          <li key={move.namespec}>
            <b>{move.namespec}</b> {move.load > 0 && <span class="quiet">load {move.load}%</span>}
            {move.why.split("; ").map((one) => (
              <p key={one}>{one}</p>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

function LoadRow(props: { one: LoadChange }) {
  const { name, isNode, before, after } = props.one;
  const tone = after > 90 ? "bad" : after > 75 ? "warn" : "good";
  return (
    <li class="plan-load-row">
      <span class={isNode ? "quiet" : ""}>{isNode ? `node ${name}` : name}</span>
      <span class="plan-bar" aria-hidden="true">
        <span class={`plan-bar-after tone-${tone}`} style={{ width: `${Math.min(100, after)}%` }} />
        <span class="plan-bar-before" style={{ left: `${Math.min(100, before)}%` }} />
      </span>
      <span class="number">{before === after ? `${after}%, as before` : `${before}% → ${after}%`}</span>
    </li>
  );
}

function Loads(props: { loads: LoadChange[] }) {
  if (props.loads.length === 0) return null;
  return (
    <section class="plan-part" aria-label="Load after it">
      <h3>Load after it</h3>
      <ul>
        {props.loads.map((one) => (
          <LoadRow key={`${one.isNode} ${one.name}`} one={one} />
        ))}
      </ul>
    </section>
  );
}

export function PlanView(props: { plan: Plan }) {
  const { plan } = props;
  const isEmpty = plan.stops.length + plan.starts.length + plan.unplaced.length === 0;
  return (
    <div class="plan" role="group" aria-label="What will happen">
      {plan.notes.map((note) => (
        <p key={note} class="plan-note">
          {note}
        </p>
      ))}
      {isEmpty && plan.notes.length === 0 && <p class="quiet">No process will change.</p>}
      <Unplaced moves={plan.unplaced} />
      <Steps title="Stops" tone="bad" state="STOPPED" steps={plan.stops} verb="at" />
      <Steps title="Starts" tone="good" state="RUNNING" steps={plan.starts} verb="at" />
      {plan.stays.length > 0 && <p class="quiet">{plural(plan.stays.length, "process stays", "processes stay")} as they are: {plan.stays.join(", ")}</p>}
      <Loads loads={plan.loads} />
    </div>
  );
}

// ---- the dialog ----

function Field(props: { choice: Choice; value: string; set: (value: string) => void; wrong: string }) {
  const { choice, value, set, wrong } = props;
  const words = choice.options?.find((one) => one.value === value)?.words ?? choice.words;
  const attributes = { name: choice.id, value, "data-focus": choice.isAsked || undefined, "aria-invalid": wrong ? true : undefined };
  if (choice.kind === "check")
    return (
      <label class="field field-check">
        <input type="checkbox" checked={value === "yes"} onChange={(event) => set(event.currentTarget.checked ? "yes" : "")} />
        {choice.label}
      </label>
    );
  let input: ComponentChildren;
  if (choice.kind === "select")
    input = (
      <select {...attributes} onChange={(event) => set(event.currentTarget.value)}>
        {choice.options?.map((one) => (
          <option key={one.value} value={one.value}>
            {one.text}
          </option>
        ))}
      </select>
    );
  else if (choice.kind === "lines") input = <textarea rows={3} {...attributes} spellcheck={false} onInput={(event) => set(event.currentTarget.value)} />;
  else
    input = <input type={choice.kind} {...attributes} autocomplete="off" spellcheck={false} onInput={(event) => set(event.currentTarget.value)} />;
  return (
    <label class="field">
      <span class="field-label">{choice.label}</span>
      {input}
      {wrong && (
        <span class="field-words tone-bad" role="alert">
          {wrong}
        </span>
      )}
      {words && <span class="field-words quiet">{words}</span>}
    </label>
  );
}

function usePlan(question: PlanQuestion, values: Values): { plan: Plan | null; error: string } {
  const [found, setFound] = useState<{ plan: Plan | null; error: string }>({ plan: null, error: "" });
  useEffect(() => {
    if (!question.plan) return;
    let isWanted = true;
    const told = (plan: Plan | null, error: string) => isWanted && setFound({ plan, error });
    Promise.resolve()
      .then(() => question.plan?.(values))
      .then((plan) => told(plan ?? null, ""))
      .catch((error: unknown) => told(null, errorWords(error)));
    return () => {
      isWanted = false;
    };
  }, [JSON.stringify(values)]);
  return found;
}

// What is written is judged when it is given, and from then on while it is mended.
function PlanBody(props: { question: Open<PlanQuestion, Values | null> }) {
  const { question } = props;
  const { choices = [] } = question;
  const [values, setValues] = useState<Values>(() => Object.fromEntries(choices.map((one) => [one.id, one.value])));
  const [isGiven, setGiven] = useState(false);
  const { plan, error } = usePlan(question, values);
  const wrong = (choice: Choice) => choice.wrong?.(values[choice.id] ?? "") ?? "";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const first = choices.find(wrong);
    if (!first) return question.answer(values);
    setGiven(true);
    (event.currentTarget as HTMLFormElement).querySelector<HTMLElement>(`[name="${first.id}"]`)?.focus();
  };
  return (
    <Dialog label={question.title} class="plan-dialog" onClose={() => question.answer(null)}>
      <form class="dialog-form" noValidate onSubmit={submit}>
        <h2>{question.title}</h2>
        {question.text && <p>{question.text}</p>}
        {choices.length > 0 && (
          <div class="fields">
            {choices.map((choice) => (
              <Field
                key={choice.id}
                choice={choice}
                value={values[choice.id] ?? ""}
                set={(value) => setValues((old) => ({ ...old, [choice.id]: value }))}
                wrong={isGiven ? wrong(choice) : ""}
              />
            ))}
          </div>
        )}
        {question.plan && !plan && !error && <p class="quiet">Asking what will happen…</p>}
        {error && <p class="tone-warn">What will happen cannot be told: {error}</p>}
        {plan && <PlanView plan={plan} />}
        <DialogButtons verb={question.verb} isDangerous={question.isDangerous} cancel={() => question.answer(null)} />
      </form>
    </Dialog>
  );
}

export function PlanDialog() {
  const question = useValue(open);
  return question && <PlanBody key={question.title} question={question} />;
}
