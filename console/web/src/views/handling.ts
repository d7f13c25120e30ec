// What people do about an alert: buttons and their forms, and the record of what was done.

import { type ActionPage, type Alert, type AlertAction, get, post, Problem } from "../api";
import { h, setText } from "../dom";
import { dayAndTime } from "../format";
import { t, word } from "../i18n";
import { Question } from "../question";
import { alertPath } from "../router";
import { notice, sentence } from "../sentence";

type Action = "acknowledge" | "resolve" | "reopen" | "comment";

/** What may be asked for in each state; alerts/lifecycle.py decides. */
const POSSIBLE: Record<Alert["state"], Action[]> = {
  open: ["acknowledge", "resolve", "comment"],
  acknowledged: ["resolve", "comment"],
  resolved: ["reopen", "comment"],
  withdrawn: ["comment"],
  expired: ["reopen", "comment"],
};
const DISPOSITIONS = ["confirmed", "false_positive", "not_actionable", "device_fault"] as const;
const DISMISSING = new Set<string>(["false_positive", "not_actionable", "device_fault"]);
const CRITICAL = 4;
const LONGEST = 2000;
/** Line breaks and what else the API takes in no text. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;
/** A letter, a number or a sign: the API takes no reason without one. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

export class Handling {
  /** State, buttons and the open form. */
  readonly element = h("section", { class: "handling", "aria-label": t("handling.title") });
  readonly history = h("section", { class: "history", hidden: true });
  private readonly stateLine = h("p", { class: "handling-state" });
  private readonly buttons = h("div", { class: "handling-buttons" });
  private readonly formPlace = h("div", {});
  private readonly said = h("p", { class: "handling-said", role: "status" });
  private alert: Alert | null = null;
  private form: Action | null = null;
  private shownState = "";
  private actions: AlertAction[] = [];
  /** The way on, once this one is dealt with. */
  private readonly onward = h("p", { class: "handling-onward", hidden: true });
  private readonly record = new Question(
    (signal) => readActions(this.alert?.alert_id ?? "", signal),
    () => this.showRecord(),
  );

  /** `changed` is given the alert as the server has answered it; `following` says what comes next in the queue. */
  constructor(
    private readonly mayAct: boolean,
    private readonly changed: (alert: Alert) => void,
    private readonly following: () => Alert | undefined,
  ) {
    this.element.append(this.stateLine, this.buttons, this.formPlace, this.said, this.onward);
  }

  close(): void {
    this.record.close();
  }

  /** Show an alert as it is now. What is being typed stays, unless it cannot be done any more. */
  take(alert: Alert): void {
    const isNew = this.alert === null || this.alert.actions !== alert.actions;
    if (this.alert !== null && alert.actions < this.alert.actions) return; // older than what we know
    this.alert = alert;
    this.showState(alert);
    if (this.shownState !== alert.state) this.showButtons(alert);
    if (this.form !== null && !POSSIBLE[alert.state].includes(this.form)) this.closeForm();
    if (alert.state !== "resolved") this.onward.hidden = true;
    if (isNew) this.record.ask();
    if (alert.actions > 0 && this.record.reply.is === "awaited") this.showRecord();
  }

  // ---------------------------------------------------------------- state and buttons

  private showState(alert: Alert): void {
    const parts: Node[] = [h("span", { class: `tag tag-state is-${alert.state}` }, word("state", alert.state))];
    if (alert.disposition) parts.push(h("b", {}, word("disposition", alert.disposition)));
    if (alert.proposed) {
      const who = this.actions.findLast((one) => one.action === "proposed")?.actor ?? "";
      parts.push(h("span", {}, t("handling.proposed", { who, what: word("disposition", alert.proposed) })));
    }
    this.stateLine.replaceChildren(...parts);
  }

  private showButtons(alert: Alert): void {
    this.shownState = alert.state;
    if (!this.mayAct) return;
    const hadFocus = this.buttons.contains(document.activeElement);
    const made = POSSIBLE[alert.state].map((action, place) =>
      h(
        "button",
        {
          type: "button",
          class: `button${place === 0 && action !== "comment" ? " button-main" : ""}`,
          "data-action": action,
          onclick: () => (action === "acknowledge" ? void this.send(action, {}) : this.openForm(action)),
        },
        t(`handling.${action}`),
      ),
    );
    this.buttons.replaceChildren(...made);
    if (hadFocus) made[0]?.focus();
  }

  // ---------------------------------------------------------------- forms

  private openForm(action: Action): void {
    const alert = this.alert;
    if (alert === null) return;
    this.form = action;
    this.say("");
    const reason = h("textarea", { class: "input", rows: "3", maxlength: String(LONGEST), required: true, name: "reason" });
    const hint = h("p", { class: "hint", hidden: true }, t("handling.two_people"));
    const submit = h("button", { class: "button button-main" }, t("handling.submit"));
    const form = h(
      "form",
      { class: "handling-form", "aria-label": t(`handling.${action}`) },
      action === "resolve" && dispositions((chosen) => (hint.hidden = alert.severity < CRITICAL || !DISMISSING.has(chosen))),
      hint,
      h("label", { class: "field" }, h("span", {}, t(action === "comment" ? "handling.text" : "handling.reason")), reason),
      h(
        "div",
        { class: "handling-buttons" },
        submit,
        h("button", { type: "button", class: "button", onclick: () => this.cancel(action) }, t("handling.cancel")),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = reason.value.replace(CONTROL, " ").trim();
      reason.setCustomValidity(!VISIBLE.test(text) ? t("handling.reason.missing") : "");
      if (!form.reportValidity()) return;
      const disposition = new FormData(form).get("disposition");
      submit.disabled = true;
      void this.send(action, { reason: text, ...(disposition === null ? {} : { disposition }) }).finally(() => (submit.disabled = false));
    });
    reason.addEventListener("input", () => reason.setCustomValidity(""));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.cancel(action);
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.formPlace.replaceChildren(form);
    this.mark();
    (form.querySelector<HTMLElement>("input, textarea") ?? form).focus();
  }

  private cancel(action: Action): void {
    this.closeForm();
    this.buttons.querySelector<HTMLElement>(`[data-action=${action}]`)?.focus();
  }

  private closeForm(): void {
    this.form = null;
    this.formPlace.replaceChildren();
    this.mark();
  }

  private mark(): void {
    for (const button of this.buttons.children)
      button.setAttribute("aria-expanded", String(button.getAttribute("data-action") === this.form));
  }

  // ---------------------------------------------------------------- asking

  private async send(action: Action, more: Record<string, unknown>): Promise<void> {
    const alert = this.alert;
    if (alert === null) return;
    this.say("");
    const next = this.following(); // before this one leaves the queue
    try {
      const now = await post<Alert>(`/alerts/${alert.alert_id}/${action}`, { version: alert.actions, ...more });
      if (this.form === action) this.closeForm(); // another one may have been opened meanwhile
      this.changed(now);
      const waits = action === "resolve" && Boolean(now.proposed);
      this.say(t(waits ? "handling.done.proposed" : `handling.done.${action}`));
      if (action === "resolve" && !waits) this.leadOn(next);
      else if (this.form === null) this.buttons.querySelector<HTMLElement>("button")?.focus();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Put the keyboard on the way to the next alert; it opens when whoever reads this says so. */
  private leadOn(next: Alert | undefined): void {
    const text = next === undefined ? t("alert.back") : t("handling.next", { rule: word("rule", next.rule), vehicle: next.vehicle });
    const link = h("a", { class: "button button-main", href: next === undefined ? "/" : alertPath(next.alert_id) }, text);
    this.onward.replaceChildren(link);
    this.onward.hidden = false;
    link.focus();
  }

  private failed(error: unknown): void {
    if (!(error instanceof Problem) || error.status !== 409) {
      this.say(t("common.failed", { why: sentence(error) }), true);
      return;
    }
    const { alert, since } = error.body as { alert: Alert; since: AlertAction[] };
    const last = since.at(-1);
    this.changed(alert);
    if (error.kind === "second-person-needed") this.say(t("handling.second_person"), true);
    else if (last !== undefined) this.say(t("handling.faster", { who: actor(last), what: done(last) }), true);
    else this.say(t("handling.changed"), true);
  }

  private say(text: string, isBad = false): void {
    setText(this.said, text);
    this.said.classList.toggle("is-bad", isBad);
  }

  // ---------------------------------------------------------------- the record

  private showRecord(): void {
    const found = this.record.value ?? [];
    const trouble = notice(this.record.reply);
    this.actions = found;
    if (this.alert !== null) this.showState(this.alert);
    this.history.hidden = this.actions.length === 0 && trouble === null;
    this.history.replaceChildren(
      h("h2", {}, t("handling.history")),
      ...(trouble === null ? [] : [trouble]),
      h("ol", { class: "steps" }, ...this.actions.map((one) => step(one))),
    );
  }
}

async function readActions(id: string, signal: AbortSignal): Promise<AlertAction[]> {
  const found: AlertAction[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: ActionPage = await get<ActionPage>(`/alerts/${id}/actions?limit=500&after=${after}`, signal);
    found.push(...page.items);
    after = page.next;
  }
  return found;
}

function dispositions(chosen: (disposition: string) => void): HTMLElement {
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", {}, t("handling.disposition")),
    ...DISPOSITIONS.map((one) =>
      h(
        "label",
        { class: "choice" },
        h("input", { type: "radio", name: "disposition", value: one, required: true, onchange: () => chosen(one) }),
        word("disposition", one),
      ),
    ),
  );
}

function step(one: AlertAction): HTMLElement {
  return h(
    "li",
    { class: "step" },
    h("time", { datetime: one.at }, dayAndTime(Date.parse(one.at))),
    h("span", {}, h("b", {}, actor(one)), " ", done(one)),
    one.reason !== "" && h("p", {}, one.reason),
  );
}

function actor(one: AlertAction): string {
  if (one.actor_kind === "system") return t("handling.by.settler");
  return one.actor_kind === "program" ? t("handling.by.program", { name: one.actor }) : one.actor;
}

function done(one: AlertAction): string {
  const what = word("step", one.action);
  return one.disposition === null ? what : t("handling.as", { what, how: word("disposition", one.disposition) });
}
