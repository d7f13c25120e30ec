// What is asked of the server, and what came of it. Every view shows one of these; none takes silence for an answer.

import { Problem } from "./api";
import { nowMs } from "./clock";

export interface Trouble {
  /** Since when it has not come, milliseconds since 1970. */
  sinceMs: number;
  why: Problem;
}

export type Reply<T> =
  | { is: "awaited" }
  /** Nothing is known; it is asked again by itself. */
  | { is: "failed"; trouble: Trouble }
  /** The server's last word: there is no such thing, or not for you. */
  | { is: "refused"; why: Problem }
  /** With trouble: what is shown may be old, since it cannot be asked again. */
  | { is: "ready"; value: T; trouble: Trouble | null };

const SHORTEST_MS = 1_000;
const LONGEST_MS = 30_000;
/** Of the 4xx, these say "later"; the others are answers. */
const LATER = new Set([408, 425, 429]);

const waiting = new Set<Question<unknown>>();

/** The server is there again: ask at once what could not be answered. */
export function askAgain(): void {
  for (const question of [...waiting]) question.ask();
}

/** A fault of the page's own: it is said as well, and its text is for the browser's log. */
function broken(error: unknown): Problem {
  console.error(error);
  return Problem.of("broken");
}

/** Asks until there is an answer, less and less often. */
export class Question<T> {
  reply: Reply<T> = { is: "awaited" };
  private pauseMs = SHORTEST_MS;
  private timer = 0;
  private abort: AbortController | null = null;

  constructor(
    private readonly put: (signal: AbortSignal) => Promise<T>,
    private readonly heard: (reply: Reply<T>) => void,
  ) {}

  get value(): T | null {
    return this.reply.is === "ready" ? this.reply.value : null;
  }

  get isUnderWay(): boolean {
    return this.abort !== null;
  }

  /** Ask now. What was asked before and has not been answered is forgotten. */
  ask(): void {
    this.stop();
    const abort = new AbortController();
    this.abort = abort;
    this.put(abort.signal).then(
      (value) => abort.signal.aborted || this.came(value),
      (error: unknown) => abort.signal.aborted || this.failed(error),
    );
  }

  /** Ask after a while; what is known is shown until then. */
  askIn(ms: number): void {
    this.stop();
    this.timer = setTimeout(() => this.ask(), ms);
  }

  /** Nobody wants to know any more. */
  close(): void {
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.abort = null;
    waiting.delete(this as Question<unknown>);
  }

  private came(value: T): void {
    this.abort = null;
    this.pauseMs = SHORTEST_MS;
    this.tell({ is: "ready", value, trouble: null });
  }

  private failed(error: unknown): void {
    this.abort = null;
    const why = error instanceof Problem ? error : broken(error);
    if (why.status >= 400 && why.status < 500 && !LATER.has(why.status)) {
      this.tell({ is: "refused", why });
      return;
    }
    const before = this.reply;
    const sinceMs = ("trouble" in before ? before.trouble?.sinceMs : undefined) ?? nowMs();
    const trouble = { sinceMs, why };
    this.askIn(Math.max(this.pauseMs * (0.7 + 0.6 * Math.random()), why.retryAfterS * 1000));
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_MS);
    waiting.add(this as Question<unknown>);
    this.tell(before.is === "ready" ? { ...before, trouble } : { is: "failed", trouble });
  }

  private tell(reply: Reply<T>): void {
    this.reply = reply;
    this.heard(reply);
  }
}
