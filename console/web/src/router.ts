// Which page is shown: the path of the address, so that a page can be linked, reloaded and gone back from.

export type Route =
  | { page: "queue" }
  | { page: "alert"; id: string }
  | { page: "vehicle"; code: string; day: string | null }
  | AccidentRoute
  | FiguresRoute
  | { page: "unknown" };

/** Pages of the ledger; their code is loaded when one of them is opened. */
export type AccidentRoute =
  | { page: "accidents"; query: string }
  | { page: "accident"; code: string; asOf: string | null }
  | { page: "accident-entry"; code: string | null };

/** Pages of figures; their code is loaded when one of them is opened. */
export type FiguresRoute = { page: "places"; place: string | null } | { page: "quality"; by: string };

const ACCIDENT = /^\/accidents\/([A-Za-z0-9_-]{1,64})(\/correction)?$/;
const UUID = /^\/alerts\/([0-9a-f-]{36})$/i;
const VEHICLE = /^\/vehicles\/([A-Za-z0-9_-]{1,64})$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function route(): Route {
  const alert = UUID.exec(location.pathname);
  if (alert?.[1] !== undefined) return { page: "alert", id: alert[1].toLowerCase() };
  const vehicle = VEHICLE.exec(location.pathname);
  if (vehicle?.[1] !== undefined) {
    const day = new URLSearchParams(location.search).get("day");
    if (day !== null && !isDay(day)) return { page: "unknown" };
    return { page: "vehicle", code: vehicle[1], day };
  }
  if (location.pathname === "/quality") return { page: "quality", by: new URLSearchParams(location.search).get("by") ?? "company" };
  if (location.pathname === "/places") return { page: "places", place: new URLSearchParams(location.search).get("place") };
  return accidentRoute() ?? { page: location.pathname === "/" ? "queue" : "unknown" };
}

function accidentRoute(): AccidentRoute | null {
  if (location.pathname === "/accidents") return { page: "accidents", query: location.search };
  if (location.pathname === "/accident-entry") return { page: "accident-entry", code: null };
  const found = ACCIDENT.exec(location.pathname);
  if (found?.[1] === undefined) return null;
  if (found[2] !== undefined) return { page: "accident-entry", code: found[1] };
  return { page: "accident", code: found[1], asOf: new URLSearchParams(location.search).get("as_of") };
}

/** Return whether a text is a day of the calendar: not the 30th of February. */
function isDay(text: string): boolean {
  const ms = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

export const alertPath = (id: string): string => `/alerts/${id}`;
export const vehiclePath = (code: string, day?: string): string =>
  `/vehicles/${encodeURIComponent(code)}${day === undefined ? "" : `?day=${day}`}`;

export const accidentPath = (code: string, asOf?: string): string =>
  `/accidents/${code}${asOf === undefined ? "" : `?as_of=${encodeURIComponent(asOf)}`}`;

const listeners = new Set<() => void>();

export function whenRouteChanges(listener: () => void): void {
  listeners.add(listener);
}

export function go(path: string): void {
  if (location.pathname + location.search === path) return;
  history.pushState(null, "", path);
  for (const listener of listeners) listener();
}

/** Follow links within the page without loading it again. */
export function followLinks(): void {
  addEventListener("popstate", () => listeners.forEach((listener) => listener()));
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href^='/']");
    if (!(link instanceof HTMLAnchorElement) || link.target !== "") return;
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
