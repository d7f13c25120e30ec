// Whom to call about a vehicle: plate, driver on duty and company with their telephones, as far as one may see them.

import { get, type People } from "./api";
import { h } from "./dom";
import { t } from "./i18n";

/** Return a card that fills itself; `at`: who was on duty then, without it now. */
export function peopleCard(vehicle: string, at: string | null, signal: AbortSignal): HTMLElement {
  const card = h("section", { class: "people", "aria-label": t("people.title"), hidden: true });
  const show = (content: Node): void => {
    card.replaceChildren(content);
    card.hidden = false;
  };
  get<People>(`/vehicles/${vehicle}/people${at === null ? "" : `?at=${encodeURIComponent(at)}`}`, signal)
    .then((people) => show(h("dl", {}, ...rowsOf(people))))
    .catch((error: unknown) => {
      if (!signal.aborted) show(h("p", { class: "hint" }, t("people.failed", { why: String(error) })));
    });
  return card;
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
