// Logging in, and replacing the printed password.

import { get, post, Problem, put, type Session } from "../api";
import { h } from "../dom";
import { t } from "../i18n";
import { sentence } from "../sentence";

/** Show the form until somebody is logged in with a password of their own. */
export function login(place: HTMLElement, done: (session: Session) => void, session: Session | null = null): void {
  if (session === null) showLogin(place, done);
  else showNewPassword(place, done, session.name, null);
}

function field(name: string, label: string, type: string, complete: string): [HTMLElement, HTMLInputElement] {
  const input = h("input", { type, name, autocomplete: complete as never, required: true, class: "input" });
  return [h("label", { class: "field" }, h("span", {}, label), input), input];
}

function form(title: string, why: string, fields: HTMLElement[], submit: string, send: () => Promise<void>): HTMLElement {
  const said = h("p", { class: "form-said", role: "alert" });
  const button = h("button", { class: "button button-main" }, submit);
  const element = h(
    "form",
    { class: "login-form" },
    h("img", { src: "/assets/icon.svg", alt: "", width: "44", height: "44" }),
    h("h1", {}, title),
    h("p", { class: "hint" }, why),
    ...fields,
    said,
    button,
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = "";
    send()
      .catch((error: unknown) => {
        said.textContent = refusal(error);
      })
      .finally(() => (button.disabled = false));
  });
  return element;
}

function refusal(error: unknown): string {
  if (error instanceof Problem && error.kind === "wrong-password") return t("login.wrong");
  if (error instanceof Problem && error.kind === "too-many") return t("login.wait", { s: error.retryAfterS });
  return sentence(error);
}

function showLogin(place: HTMLElement, done: (session: Session) => void): void {
  const [nameField, name] = field("name", t("login.name"), "text", "username");
  const [passwordField, password] = field("password", t("login.password"), "password", "current-password");
  name.value = "admin";
  const send = async (): Promise<void> => {
    const session = await post<Session>("/session", { name: name.value, password: password.value });
    if (session.must_change_password) showNewPassword(place, done, session.name, password.value);
    else done(session);
  };
  place.replaceChildren(
    h("main", { class: "login" }, form(t("login.title"), t("login.hint"), [nameField, passwordField], t("login.submit"), send)),
  );
  password.focus();
}

/** `current` is the printed password; null: whoever reloaded the page types it again. */
function showNewPassword(place: HTMLElement, done: (session: Session) => void, name: string, current: string | null): void {
  const [oldField, old] = field("current", t("login.password"), "password", "current-password");
  const [newField, chosen] = field("new", t("login.new.password"), "password", "new-password");
  const [againField, again] = field("again", t("login.new.again"), "password", "new-password");
  chosen.minLength = 10;
  const send = async (): Promise<void> => {
    if (chosen.value !== again.value) throw new Problem(0, "differ", t("login.new.differ"), 0);
    await put("/session/password", { current: current ?? old.value, new: chosen.value });
    done(await get<Session>("/session"));
  };
  // For password managers: whose password it is.
  const who = h("input", { type: "text", name: "name", autocomplete: "username", value: name, hidden: true });
  const fields = [who, ...(current === null ? [oldField] : []), newField, againField];
  place.replaceChildren(
    h("main", { class: "login" }, form(t("login.new.title"), t("login.new.why"), fields, t("login.new.submit"), send)),
  );
  (current === null ? old : chosen).focus();
}
