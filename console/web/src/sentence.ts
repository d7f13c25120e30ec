// Why something did not work, as people read it: never the text of an exception.

import { LONGEST_S, Problem, type Track } from "./api";
import { h } from "./dom";
import { hourAndMinute, number } from "./format";
import { t } from "./i18n";
import { type Reply, type Trouble } from "./question";
import { storedOf } from "./track";

export function sentence(error: unknown): string {
  if (!(error instanceof Problem)) {
    console.error(error);
    return t("fail.page");
  }
  switch (error.kind) {
    case "unreachable":
      return t("fail.unreachable");
    case "timeout":
      return t("fail.timeout", { s: LONGEST_S });
    case "unreadable":
      return t("fail.unreadable");
    case "broken":
      return t("fail.page");
    case "failed":
      return t("fail.failed");
    case "overloaded":
      return t("fail.overloaded");
    case "not-kept":
      return t("fail.not_kept");
    case "old-tracks-away":
      return t("fail.old_tracks");
    default:
      return error.message || t("fail.status", { status: error.status });
  }
}

/** Say why something is not shown, or may be old; null: it is as it should be. `missing` is said of what is not there. */
export function notice(reply: Reply<unknown>, missing: string | null = null): HTMLElement | null {
  switch (reply.is) {
    case "awaited":
      return h("p", { class: "notice is-awaited", role: "status" }, t("reply.awaited"));
    case "failed":
      return failure(t("reply.failed", { time: hourAndMinute(reply.trouble.sinceMs) }), reply.trouble);
    case "refused":
      return h("p", { class: "notice" }, reply.why.status === 404 && missing !== null ? missing : sentence(reply.why));
    case "ready":
      if (reply.trouble === null) return null;
      return failure(t("reply.old", { time: hourAndMinute(reply.trouble.sinceMs) }), reply.trouble);
  }
}

/** Say that not all of a track is drawn; null: it is. */
export function thinning(track: Track, key: "track.thinned" | "track.thinned.sums"): HTMLElement | null {
  if (!track.thinned) return null;
  return h("p", { class: "notice" }, t(key, { n: number(track.time_ms.length), stored: number(storedOf(track)) }));
}

function failure(text: string, { why }: Trouble): HTMLElement {
  return h("p", { class: "notice is-failed", role: "status" }, h("b", {}, text), " ", sentence(why));
}
