// The one store of the page, and its connection.
import { Live } from "./live";
import type { Socket } from "./live";
import { Store } from "./store";

// Changes are shown with the next frame; a page that is hidden gets none, and draws nothing.
export const store = new Store((turn) => requestAnimationFrame(turn));

export const live = new Live(store, {
  open: () => new WebSocket(new URL("live", location.href.replace(/^http/, "ws"))) as Socket,
  now: () => Date.now(),
  after: (milliseconds, done) => {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  },
});
