// Alerts of one right turn stand together in the queue: too fast, somebody in the blind zone, no stop. Each stays its own.

import { type Alert } from "./api";
import { t } from "./i18n";
import { turnEnteredMs } from "./rules";

/** Entries of one turn differ by less: a conflict tells its own in tenths of a second. */
const SAME_MS = 100;

/** Return the alerts in groups of one turn, in the order in which the first of each stands. */
export function byTurn<A extends Alert>(alerts: readonly A[]): A[][] {
  const groups: { vehicle: string; enteredMs: number | null; members: A[] }[] = [];
  for (const alert of alerts) {
    const enteredMs = turnEnteredMs(alert);
    const known =
      enteredMs !== null &&
      groups.find(
        (one) => one.enteredMs !== null && one.vehicle === alert.vehicle && Math.abs(one.enteredMs - enteredMs) <= SAME_MS,
      );
    if (known) known.members.push(alert);
    else groups.push({ vehicle: alert.vehicle, enteredMs, members: [alert] });
  }
  return groups.map((one) => one.members);
}

/** Return the rows of alerts, those of one turn below one another and marked as such. */
export function arranged<A extends Alert>(alerts: readonly A[], rowOf: (alert: A) => HTMLElement): HTMLElement[] {
  return byTurn(alerts).flatMap((members) =>
    members.map((alert, place) => {
      const row = rowOf(alert);
      row.classList.toggle("is-member", place > 0);
      if (place === 0 && members.length > 1) row.dataset["group"] = t("queue.same_turn", { n: members.length });
      else delete row.dataset["group"];
      return row;
    }),
  );
}
