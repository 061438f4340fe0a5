// The followers behind a view of logs: one for each source, all into one buffer, as long as the view is there and can be seen.
import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { call, CallError } from "../api/call";
import { LogBuffer } from "../model/logs/buffer";
import { Follower } from "../model/logs/follower";
import type { LogPiece } from "../model/logs/follower";
import { formatFollow, sourceKey } from "../model/logs/source";
import type { Source } from "../model/logs/source";
import { errorWords } from "./toasts";

const NO_FILE = 20;

function followerOf(source: Source, buffer: LogBuffer, changed: () => void): Follower {
  const { instance, namespec, channel } = source;
  return new Follower(sourceKey(source), buffer, {
    ask: (cursor, limit) => call<LogPiece>(instance, "svisor.followLog", { name: namespec, channel, cursor, limit }),
    now: () => Date.now(),
    after: (milliseconds, done) => {
      const timer = setTimeout(done, milliseconds);
      return () => clearTimeout(timer);
    },
    changed,
    errorOf: (error) => ({ text: errorWords(error), isNoLog: error instanceof CallError && error.code === NO_FILE }),
  });
}

export interface Following {
  buffer: LogBuffer;
  followers: Map<string, Follower>;
}

// Drawn again when there are new lines, at most once a frame.
export function useFollowing(sources: Source[]): Following {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const frame = useRef(0);
  const soon = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      draw(undefined as never);
    });
  };
  const followers = useRef(new Map<string, Follower>()).current;
  const buffer = useMemo(() => new LogBuffer(soon), []);
  useEffect(() => {
    const wanted = new Map(sources.map((one) => [sourceKey(one), one]));
    for (const [key, follower] of followers) {
      if (wanted.has(key)) continue;
      follower.stop();
      followers.delete(key);
      buffer.drop(key);
    }
    for (const [key, source] of wanted) {
      if (followers.has(key)) continue;
      const follower = followerOf(source, buffer, soon);
      followers.set(key, follower);
      if (!document.hidden) follower.start();
    }
    soon();
  }, [formatFollow(sources)]);
  useEffect(() => {
    const seen = () => followers.forEach((one) => (document.hidden ? one.stop() : one.start()));
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      followers.forEach((one) => one.stop());
      followers.clear();
      cancelAnimationFrame(frame.current);
    };
  }, []);
  return { buffer, followers };
}
