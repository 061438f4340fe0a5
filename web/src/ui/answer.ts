// What svisord is asked for while a page is open: the answer, or why there is none. Asked again when one of `keys` changes; what
// was known stays until the new answer is there.
import { useEffect, useState } from "preact/hooks";
import { errorWords } from "./toasts";

export interface Answer<T> {
  value?: T;
  error?: string;
}

export function useAnswer<T>(ask: () => Promise<T>, keys: unknown[]): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({});
  useEffect(() => {
    let isWanted = true;
    ask()
      .then((value) => isWanted && setAnswer({ value }))
      .catch((error: unknown) => isWanted && setAnswer((old) => ({ value: old.value, error: errorWords(error) })));
    return () => {
      isWanted = false;
    };
  }, keys);
  return answer;
}
