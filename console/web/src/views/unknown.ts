// An address that leads nowhere.

import { h } from "../dom";
import { t } from "../i18n";

export class UnknownPage {
  readonly element = h(
    "article",
    { class: "page page-unknown" },
    h("h1", { tabindex: "-1" }, t("unknown.title")),
    h("p", {}, t("unknown.why")),
    h("p", {}, h("a", { class: "button button-main", href: "/" }, t("unknown.back"))),
  );

  close(): void {}
}
