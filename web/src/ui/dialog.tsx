// Dialogs are the browser's own <dialog>: it keeps the focus inside, closes with Escape and gives the focus back.
//
// confirmEffect() shows what an action will do before it is done:
//
//     if (await confirmEffect({ title: "Stop shop", verb: "Stop", effects: [{ does: "stops", name: "shop:web", where: "node 1" }] })) …
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Observable, useValue } from "./observable";
import { errorWords } from "./toasts";

export function Dialog(props: { label: string; class?: string; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>("[data-focus]")?.focus();
    if (dialog) dialog.scrollTop = 0; // one reads from the top
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={`dialog ${props.class ?? ""}`}
      aria-label={props.label}
      onClose={props.onClose}
      onClick={(event) => event.target === element.current && props.onClose()}
    >
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
}

export interface Effect {
  does: "stops" | "starts" | "restarts" | "stays" | "ends" | "removes" | "cannot start";
  name: string;
  where?: string; // the name of an instance
  why?: string;
}

export interface Question {
  title: string;
  verb: string; // on the button
  isDangerous?: boolean;
  text?: string;
  // Known already, or to be asked of svisord.
  effects?: Effect[] | (() => Promise<Effect[]>);
}

export type Open<Asked, Answer> = Asked & { answer: (answer: Answer) => void };

// One question at a time: a new one takes the place of the one before, to which the answer is `no`.
export function askIn<Asked, Answer>(open: Observable<Open<Asked, Answer> | null>, asked: Asked, no: NoInfer<Answer>): Promise<Answer> {
  open.value?.answer(no);
  return new Promise((resolve) => {
    const question = {
      ...asked,
      answer: (answer: Answer) => {
        if (open.value === question) open.value = null; // a dialog says that it was closed later, when there may be another question
        resolve(answer);
      },
    };
    open.value = question;
  });
}

const open = new Observable<Open<Question, boolean> | null>(null);

export function confirmEffect(question: Question): Promise<boolean> {
  return askIn(open, question, false);
}

const EFFECTS_SHOWN = 200;

function Effects(props: { effects: Effect[] }) {
  if (props.effects.length === 0) return <p class="quiet">No process will change.</p>;
  return (
    <ul class="effects" aria-label="What will happen">
      {props.effects.slice(0, EFFECTS_SHOWN).map((one) => (
        <li key={`${one.does} ${one.name} ${one.where ?? ""}`}>
          <span class={`effect effect-${one.does.replace(" ", "-")}`}>{one.does}</span> <b>{one.name}</b>
          {one.where && <span> at {one.where}</span>}
          {one.why && <span class="quiet"> – {one.why}</span>}
        </li>
      ))}
      {props.effects.length > EFFECTS_SHOWN && <li class="quiet">and {props.effects.length - EFFECTS_SHOWN} more</li>}
    </ul>
  );
}

// What an action will do, known now or asked of svisord; why it cannot be told, otherwise.
function useEffects(effects: Question["effects"]): Effect[] | string | null {
  const [found, setFound] = useState<Effect[] | string | null>(Array.isArray(effects) ? effects : null);
  useEffect(() => {
    if (typeof effects !== "function") return;
    let isOpen = true;
    effects()
      .then((list) => isOpen && setFound(list))
      .catch((error: unknown) => isOpen && setFound(errorWords(error)));
    return () => {
      isOpen = false;
    };
  }, [effects]);
  return found;
}

// The last row of a form: yes is its submission, so that Enter gives it. What is dangerous has the focus on no.
export function DialogButtons(props: { verb: string; isDangerous?: boolean; cancel: () => void }) {
  return (
    <div class="dialog-buttons">
      <button type="button" data-focus={props.isDangerous || undefined} onClick={props.cancel}>
        Cancel
      </button>
      <button type="submit" class={props.isDangerous ? "danger" : "primary"} data-focus={!props.isDangerous || undefined}>
        {props.verb}
      </button>
    </div>
  );
}

function Confirm(props: { question: Open<Question, boolean> }) {
  const { question } = props;
  const effects = useEffects(question.effects);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    question.answer(true);
  };
  return (
    <Dialog label={question.title} onClose={() => question.answer(false)}>
      <form class="dialog-form" onSubmit={submit}>
        <h2>{question.title}</h2>
        {question.text && <p>{question.text}</p>}
        {question.effects && effects === null && <p class="quiet">Asking what will happen…</p>}
        {typeof effects === "string" && <p class="tone-warn">What will happen cannot be told: {effects}</p>}
        {Array.isArray(effects) && <Effects effects={effects} />}
        <DialogButtons verb={question.verb} isDangerous={question.isDangerous} cancel={() => question.answer(false)} />
      </form>
    </Dialog>
  );
}

export function ConfirmDialog() {
  const question = useValue(open);
  return question && <Confirm key={question.title} question={question} />;
}
