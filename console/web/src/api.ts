// The HTTP API: types as the OpenAPI document has them, and one way to call it.

export interface Alert {
  alert_id: string;
  vehicle: string;
  company: string | null;
  rule: string;
  severity: number;
  started_at: string;
  ended_at: string | null;
  ended_as: "closed" | "lost" | "rule_change" | null;
  peak: number;
  limit: number | null;
  limit_source: string | null;
  measures: Record<string, unknown>;
  state: "open" | "acknowledged" | "resolved" | "withdrawn" | "expired";
  status: "provisional" | "settled" | "withdrawn";
  settled_as: "confirmed" | "amended" | "added" | "withdrawn" | null;
  revision: number;
  late: boolean;
  evidence_changed: boolean;
  rulebook: string;
  raised_at: string;
  decided_at: string;
  settled_at: string | null;
  /** How many steps people took: the version that a request names. */
  actions: number;
  disposition: Disposition | null;
  proposed: Disposition | null;
}

export type Disposition = "confirmed" | "false_positive" | "not_actionable" | "device_fault";

export interface AlertAction {
  version: number;
  at: string;
  actor_kind: "person" | "program" | "system";
  actor: string;
  action: string;
  disposition: Disposition | null;
  reason: string;
}

export interface ActionPage {
  items: AlertAction[];
  next: number | null;
}

/** When data may be missing, because the broker lost it. */
export interface TransportGap {
  source: "queue_full" | "session_forgotten" | "broker_restarted";
  from_at: string;
  until_at: string;
  messages: number | null;
}

export interface TransportGaps {
  items: TransportGap[];
}

export interface Total {
  count: number;
  is_exact: boolean;
}

export interface AlertPage {
  items: Alert[];
  next: string | null;
  total: Total | null;
}

export interface Vehicle {
  id: number;
  code: string;
  plate: string;
  company: string;
  company_name: string;
  kind: string;
  limit_kmh: number | null;
  state: "watched" | "silent" | "not_watched" | "rejected" | "never_heard";
  /** Why nothing that it sends is taken. */
  rejected: string | null;
  position: { time: string; lat: number; lon: number; speed_kmh: number | null } | null;
}

export interface People {
  plate: string;
  /** null: nobody has said who drives. */
  driver: { code: string; name: string; phone: string } | null;
  company: { code: string; name: string; phone: string };
  /** Parts of it are stars. */
  masked: boolean;
}

export interface Zones {
  items: { code: string; name: string }[];
}

export interface Track {
  vehicle: string;
  from: string;
  until: string;
  /** How many fixes are stored of this time; null: not counted. */
  stored: number | null;
  /** Not all that is stored is here. */
  thinned: boolean;
  time_ms: number[];
  lat: (number | null)[];
  lon: (number | null)[];
  speed_kmh: (number | null)[];
  limit_kmh: (number | null)[];
  odometer_km: (number | null)[];
}

export interface Tiles {
  url: string;
  datum: "wgs84" | "gcj02";
  attribution: string;
}

export interface About {
  version: string;
  now: string;
  sandbox: boolean;
  demo: boolean;
  tiles: Tiles | null;
}

export interface Session {
  name: string;
  means: "session" | "token" | "demo";
  must_change_password: boolean;
  role: "administrator" | "operator" | "viewer" | null;
  may_act: boolean;
}

export interface Collection {
  features: {
    geometry: { type: string; coordinates: unknown };
    properties: Record<string, unknown>;
  }[];
}

export interface Rulebook {
  version: string;
  valid_from: string;
  document: string;
}

/** Kinds of problem without a document: what the browser, or something between it and the console, made of it. */
export type Mishap = "unreachable" | "timeout" | "unreadable" | "undocumented" | "broken";

/** What came instead of what was asked for. */
export class Problem extends Error {
  constructor(
    /** 0: there was no answer. */
    readonly status: number,
    /** The last word of the problem document's type, or a `Mishap`. */
    readonly kind: string,
    detail: string,
    readonly retryAfterS: number,
    /** The whole document. */
    readonly body: unknown = null,
  ) {
    super(detail);
  }

  static of(mishap: Mishap, status = 0): Problem {
    return new Problem(status, mishap, "", 0);
  }
}

const PREFIX = "/api/v1";

/** Called when the session has ended. */
let onLoggedOut = (): void => {};

export function whenLoggedOut(handler: () => void): void {
  onLoggedOut = handler;
}

/** Longer than the console lets its database take, and no answer will come. */
export const LONGEST_S = 20;

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const abort = new AbortController();
  const leave = (): void => abort.abort();
  signal?.addEventListener("abort", leave);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    leave();
  }, LONGEST_S * 1000);
  try {
    return await exchange<T>(method, path, body, abort.signal);
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw Problem.of(isLate ? "timeout" : "unreachable");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

async function exchange<T>(method: string, path: string, body: unknown, signal: AbortSignal): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", headers: {}, signal };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(PREFIX + path, init);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw error instanceof SyntaxError ? Problem.of("unreadable", response.status) : error;
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const found = (await response.json().catch(() => null)) as { type?: string; detail?: string } | null;
  const kind = (found?.type ?? "").split(":").pop() ?? "";
  // From a proxy, say, that does not reach the console.
  if (kind === "") return Problem.of("undocumented", response.status);
  if (kind === "login-required") onLoggedOut();
  const waitS = Number(response.headers.get("Retry-After")) || 0;
  return new Problem(response.status, kind, found?.detail ?? "", waitS, found);
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>("GET", path, undefined, signal);
export const post = <T>(path: string, body: unknown): Promise<T> => call<T>("POST", path, body);
export const put = (path: string, body: unknown): Promise<void> => call<void>("PUT", path, body);
export const del = (path: string): Promise<void> => call<void>("DELETE", path);
