// Says aloud, to screen readers, that something grave has begun: the worst at once, the rest when there is a pause.

import { type Known } from "./alerts";
import { severityWord } from "./badge";
import { h } from "./dom";
import { t, word } from "./i18n";

const GRAVE = 3;
const CRITICAL = 4;

export class Announcer {
  private readonly now = h("div", { class: "unseen", "aria-live": "assertive" });
  private readonly soon = h("div", { class: "unseen", "aria-live": "polite" });
  readonly elements = [this.now, this.soon];

  take(fresh: Known[]): void {
    const worst = fresh.filter((alert) => !alert.late).sort((a, b) => b.severity - a.severity)[0];
    if (worst === undefined || worst.severity < GRAVE) return;
    const severity = severityWord(worst.severity);
    const text = t("alert.announce", { severity, rule: word("rule", worst.rule), vehicle: worst.vehicle });
    (worst.severity >= CRITICAL ? this.now : this.soon).textContent = text;
  }
}
