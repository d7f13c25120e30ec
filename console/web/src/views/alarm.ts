// The bell in the bar: whether critical alerts sound, and whether the browser notifies of them.

import { type Notices, type Sound } from "../alarm";
import { h, icon } from "../dom";
import { t } from "../i18n";

const BELL = "M18 9a6 6 0 1 0-12 0c0 6-2.5 7-2.5 7h17S18 15 18 9ZM10 20a2.2 2.2 0 0 0 4 0";
const BELL_OFF = `${BELL}M4 3l16 18`;

export function alarmMenu(sound: Sound, notices: Notices): HTMLElement {
  const button = h("button", { type: "button", class: "top-button alarm-button", "aria-expanded": "false" });
  const said = h("p", { class: "hint" });
  const soundBox = h("input", { type: "checkbox" });
  const noticeBox = h("input", { type: "checkbox" });
  const menu = h(
    "div",
    { class: "alarm-menu", hidden: true },
    h("p", { class: "alarm-title" }, t("alarm.title")),
    h("label", {}, soundBox, t("alarm.sound")),
    h("label", {}, noticeBox, t("alarm.notify")),
    said,
  );
  const show = (): void => {
    soundBox.checked = sound.isOn;
    noticeBox.checked = notices.isOn;
    noticeBox.disabled = !notices.isPossible || notices.isBlocked;
    const isSilent = !sound.isOn && !notices.isOn;
    const label = t(sound.isHeldBack ? "alarm.held" : isSilent ? "alarm.off" : "alarm.on");
    button.replaceChildren(icon(isSilent ? BELL_OFF : BELL));
    button.classList.toggle("is-on", !isSilent);
    button.classList.toggle("is-held", sound.isHeldBack);
    button.title = label;
    button.setAttribute("aria-label", label);
    said.textContent = noticeBox.disabled ? t(notices.isPossible ? "alarm.blocked" : "alarm.impossible") : "";
  };
  const open = (isOpen: boolean): void => {
    menu.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    show();
  };
  button.addEventListener("click", () => open(menu.hidden === true));
  soundBox.addEventListener("change", () => {
    sound.choose(soundBox.checked);
    show();
  });
  noticeBox.addEventListener("change", () => void notices.choose(noticeBox.checked).finally(show));
  const box = h("div", { class: "alarm" }, button, menu);
  box.addEventListener("focusout", (event) => {
    if (event.relatedTarget !== null && !box.contains(event.relatedTarget as Node)) open(false);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || menu.hidden) return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
  addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target as Node) && !menu.hidden) open(false);
  });
  sound.changed = show;
  show();
  return box;
}
