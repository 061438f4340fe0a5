import { Dialog } from "./dialog";
import { KEYS } from "./keyboard";
import { Observable, useValue } from "./observable";
import { State } from "./state";

const isOpen = new Observable(false);
export function openHelp(): void {
  isOpen.value = true;
}

const STATES = ["RUNNING", "STARTING", "STOPPING", "STOPPED", "EXITED", "BACKOFF", "FATAL", "ISOLATED", "CONFLICT"];

export function Help() {
  if (!useValue(isOpen)) return null;
  const close = () => (isOpen.value = false);
  return (
    <Dialog label="Help" onClose={close}>
      <h2>Keys</h2>
      <dl class="keys">
        {KEYS.map((one) => (
          <div key={one.keys}>
            <dt>
              {one.keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{one.does}</dd>
          </div>
        ))}
      </dl>
      <h2>Marks</h2>
      <p class="marks">
        {STATES.map((one) => (
          <State key={one} state={one} />
        ))}
      </p>
      <div class="dialog-buttons">
        <button type="button" class="primary" data-focus onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
