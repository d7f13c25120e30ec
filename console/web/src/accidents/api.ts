// Accidents as the API tells and takes them.

import { Problem } from "../api";
import { language } from "../i18n";
import { sentence } from "../sentence";

export type Most = [low: number, high: number | null];

export interface Summary {
  code: string;
  occurred: string;
  county: string | null;
  place: string | null;
  position: { lat: number; lon: number } | null;
  status: string;
  merged_into: string | null;
  companies: string[];
  fleet_vehicles: string[];
  scopes: Record<string, boolean | null>;
  casualties_known: boolean;
  deaths_7d: Most;
  deaths_30d: Most;
  serious: Most;
  light: Most;
}

export interface AccidentPage {
  as_of: string;
  items: Summary[];
  total: number;
  recorded: number;
  next: string | null;
}

export interface Coded {
  code: string;
  known: boolean;
  en: string;
  zh: string;
}

export interface Casualty {
  injury: string;
  role: string;
  died: string | null;
  died_within_days: number | null;
}

export interface VehicleOf {
  is_fleet: boolean;
  vehicle: string | null;
  plate: string | null;
  company: string | null;
  kind: string | null;
  manoeuvre: Coded | null;
  responsibility: string | null;
}

export interface Version {
  version: number;
  recorded_at: string;
  known_from: string;
  status: string;
  reason: string;
  who: string;
  why: string;
  merged_into: string | null;
  changes: string[];
}

export interface EvidenceSummary {
  is_exact: boolean;
  fixes: number;
  fix_interval_s: number | null;
  longest_gap_s: number | null;
  speed_kmh: number | null;
  top_kmh_60s: number | null;
  turn: string | null;
  turn_kmh: number | null;
  turn_stop: string | null;
  alarms: { rule: string; severity: number; before_s: number; settled: boolean }[];
  camera: string | null;
  driver: string | null;
  driven_24h_h: number | null;
  unseen_24h_h: number | null;
  driven_since_rest_h: number | null;
}

export interface Evidence {
  evidence_id: number;
  vehicle: string;
  made_at: string;
  sha256: string;
  summary: EvidenceSummary;
  has_drawing: boolean;
}

export interface Accident extends Summary {
  as_of: string;
  reporter: string;
  police_handled: boolean;
  police_no: string | null;
  claim_no: string | null;
  loss_yuan: number | null;
  road_class: Coded | null;
  weather: Coded | null;
  lighting: Coded | null;
  form: Coded | null;
  severity: Record<string, { en: string; zh: string; certain: boolean } | null>;
  casualties: Casualty[];
  vehicles: VehicleOf[];
  versions: Version[];
  evidence: Evidence[];
}

export interface Codes {
  tables: Record<string, { code: string; en: string; zh: string }[]>;
  counties: string[];
}

/** Return a label of the server in the page's language. */
export const labelOf = (words: { en: string; zh: string }): string => (language === "en" ? words.en : words.zh);

/** Say why the ledger did not take something, in the page's language if it has said so in both. */
export function refusal(error: unknown): string {
  const words = error instanceof Problem ? (error.body as { words?: { en: string; zh: string } } | null)?.words : undefined;
  return words === undefined ? sentence(error) : labelOf(words);
}
