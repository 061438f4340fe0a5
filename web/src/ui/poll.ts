// Asks again and again, as long as the page is seen: for what /live does not tell.
import { useEffect, useState } from "preact/hooks";
import { errorWords } from "./toasts";

export interface Polled<T> {
  value: T | null;
  error: string; // why there is no newer one; "": there is
}

export function usePoll<T>(ask: () => Promise<T>, milliseconds: number, dependencies: unknown[]): Polled<T> {
  const [state, setState] = useState<Polled<T>>({ value: null, error: "" });
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const turn = async () => {
      if (!document.hidden) {
        try {
          const value = await ask();
          if (!isOver) setState({ value, error: "" });
        } catch (error) {
          if (!isOver) setState((old) => ({ value: old.value, error: errorWords(error) }));
        }
      }
      if (!isOver) timer = window.setTimeout(turn, milliseconds);
    };
    setState({ value: null, error: "" });
    void turn();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [milliseconds, ...dependencies]);
  return state;
}
