// Whom to call about a vehicle: plate, driver on duty and company with their telephones, as far as one may see them.

import { get, type People } from "./api";
import { h } from "./dom";
import { t } from "./i18n";
import { Question } from "./question";
import { notice } from "./sentence";

export class PeopleCard {
  readonly element = h("section", { class: "people", "aria-label": t("people.title") });
  private readonly question: Question<People>;

  /** `at`: who was on duty then; null: who is now. */
  constructor(vehicle: string, at: string | null) {
    const path = `/vehicles/${vehicle}/people${at === null ? "" : `?at=${encodeURIComponent(at)}`}`;
    this.question = new Question(
      (signal) => get<People>(path, signal),
      () => this.show(),
    );
    this.question.ask();
    this.show();
  }

  close(): void {
    this.question.close();
  }

  private show(): void {
    const trouble = notice(this.question.reply);
    const people = this.question.value;
    this.element.replaceChildren(...(trouble === null ? [] : [trouble]), ...(people === null ? [] : [h("dl", {}, ...rowsOf(people))]));
  }
}

function rowsOf({ driver, company, masked }: People): HTMLElement[] {
  const row = (label: string, name: string, phone: string | null): HTMLElement =>
    h("div", {}, h("dt", {}, label), h("dd", {}, h("span", {}, name), phone !== null && telephone(phone, masked)));
  return [
    driver === null
      ? row(t("people.driver"), t("people.driver.nobody"), null)
      : row(t("people.driver"), driver.name || driver.code, driver.phone),
    row(t("people.company"), company.name || company.code, company.phone),
  ];
}

/** A telephone that can be dialled, unless it is masked. */
function telephone(phone: string, masked: boolean): HTMLElement {
  if (phone === "") return h("span", { class: "hint" }, t("people.phone.none"));
  return masked ? h("span", {}, phone) : h("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}` }, phone);
}
