// Whether what the page shows is of now: a word in the header, and a bar above everything when it is not.
import { live } from "../model/index";
import { clock, duration } from "../model/words";
import { useTables, useTick } from "./hooks";

export function LinkState() {
  useTables("link");
  const { link } = live;
  const words = { connecting: "Connecting", reading: "Reading", live: "Live", lost: "Not connected" }[link.state];
  return (
    <span class={`link link-${link.state}`} role="status" aria-label={`Connection: ${words}`}>
      <span class="link-dot" aria-hidden="true" />
      <span class="link-word">{words}</span>
    </span>
  );
}

export function LostBar() {
  const tables = useTables("link");
  const now = useTick();
  const { link } = live;
  if (link.state !== "lost") return null;
  const next = Math.max(0, Math.ceil((link.again - now) / 1000));
  return (
    <div class="lost" role="alert">
      <p>
        <b>Not connected since {clock(link.since / 1000)}</b> ({duration((now - link.since) / 1000)}).{" "}
        {tables.hello ? "What is shown below is as it was then." : "svisord does not answer, or a proxy in between does not pass WebSockets or changes the name of the host."}
      </p>
      <button type="button" onClick={() => live.connect()}>
        Connect now{next > 0 && <span class="quiet"> ({next} s)</span>}
      </button>
    </div>
  );
}
