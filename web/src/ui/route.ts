// Where the page is: #/instances/ID?sort=-state&filter=web. Filters are part of the address, so that a reload, the way back and a
// link that was sent to somebody show the same.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  path: string[]; // decoded
  query: URLSearchParams;
}

// Addresses are also written by hand: what is no encoding stands for itself.
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

export function currentRoute(): Route {
  return parseRoute(location.hash);
}

export function go(href: string): void {
  location.hash = href;
}

// Other words in the query of this page; "" or null takes one out. No new step of the way back.
export function setQuery(words: Record<string, string | null>): void {
  const [path, query = ""] = (location.hash || "#/").split("?", 2);
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(words)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  history.replaceState(null, "", text ? `${path}?${text}` : path);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

// Names in one word of the query: what was opened, what is shrunk.
export function namesIn(query: URLSearchParams, word: string): Set<string> {
  return new Set((query.get(word) ?? "").split(",").filter(Boolean).map(decoded));
}

export function setNames(word: string, names: string[], isIn: boolean): void {
  const now = namesIn(currentRoute().query, word);
  for (const one of names) {
    if (isIn) now.add(one);
    else now.delete(one);
  }
  setQuery({ [word]: [...now].map(encodeURIComponent).join(",") });
}

export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const changed = () => setRoute(currentRoute());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
