// What components use of the model and of the browser.
import { useEffect, useReducer, useState } from "preact/hooks";
import { store } from "../model/index";
import type { Kind, Tables } from "../model/store";

// The tables; the component is drawn again when rows of one of these kinds have changed.
export function useTables(...kinds: Kind[]): Tables {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const names = kinds.join();
  useEffect(
    () =>
      store.subscribe((changed) => {
        if (kinds.some((kind) => changed.has(kind))) draw(undefined as never);
      }),
    [names],
  );
  return store.tables;
}

// Changes when rows of one of these kinds do: for the dependencies of useMemo.
export function versionOf(...kinds: Kind[]): string {
  return kinds.map((kind) => store.versions[kind]).join();
}

// Drawn again every second, all at the same time; for what shows the time that has gone by.
const ticking = new Set<(now: number) => void>();
setInterval(() => ticking.forEach((tick) => tick(Date.now())), 1000);

export function useTick(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    ticking.add(setNow);
    return () => void ticking.delete(setNow);
  }, []);
  return now;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => setMatches(media.matches);
    changed();
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, [query]);
  return matches;
}

export const useIsNarrow = (): boolean => useMedia("(max-width: 720px)");
