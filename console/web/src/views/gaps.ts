// Under the bar, on every page: from when to when data may be missing, because the broker lost it.

import { get, type TransportGaps } from "../api";
import { h, setText } from "../dom";
import { dayAndTime } from "../format";
import { t } from "../i18n";
import { Question } from "../question";

const AGAIN_MS = 60_000;

export class GapStrip {
  readonly element = h("div", { class: "strip strip-gaps", role: "status", hidden: true });

  constructor() {
    const question = new Question<TransportGaps>(
      (signal) => get<TransportGaps>("/transport-gaps", signal),
      (reply) => {
        if (reply.is === "ready") this.show(reply.value);
        else if (reply.is !== "awaited") this.say(t("gaps.unread"));
      },
    );
    question.ask();
    setInterval(() => question.ask(), AGAIN_MS);
  }

  private show({ items }: TransportGaps): void {
    const [gap, ...others] = items;
    this.element.hidden = gap === undefined;
    if (gap === undefined) return; // nothing is known to be missing
    const [from, until] = [gap.from_at, gap.until_at].map((at) => dayAndTime(Date.parse(at)));
    const said = t("gaps.newest", { from: from ?? "", until: until ?? "" });
    this.say(others.length === 0 ? said : `${said} ${t("gaps.others", { n: others.length })}`);
  }

  private say(text: string): void {
    this.element.hidden = false;
    setText(this.element, text);
  }
}
