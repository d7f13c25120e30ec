// Sound and notifications of the browser for critical alerts. Both are off until somebody asks for them here.

import { type Known } from "./alerts";
import { t, word } from "./i18n";
import { alertPath, go } from "./router";

const KEPT = { sound: "kerbsafe.sound", notify: "kerbsafe.notify" } as const;
/** Two tones, twice: heard in a loud room, and not taken for a telephone. */
const TONES_HZ = [880, 660, 880, 660];
const TONE_S = 0.18;
const LOUDNESS = 0.25;

const isKept = (key: string): boolean => localStorage.getItem(key) === "on";
const keep = (key: string, isOn: boolean): void => localStorage.setItem(key, isOn ? "on" : "off");

export class Sound {
  isOn = isKept(KEPT.sound);
  /** Called when it can be heard, or no more. */
  changed: () => void = () => {};
  private context: AudioContext | null = null;

  /** A browser lets a page sound only after a click or a key: take the first. */
  constructor() {
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.wake());
  }

  /** Whether it is on, and the browser does not let it be heard yet. */
  get isHeldBack(): boolean {
    return this.isOn && this.context?.state !== "running";
  }

  choose(isOn: boolean): void {
    this.isOn = isOn;
    keep(KEPT.sound, isOn);
    if (isOn) this.play(); // so that whoever chose it knows what it is like
  }

  play(): void {
    this.wake();
    const { context } = this;
    if (!this.isOn || context === null) return;
    TONES_HZ.forEach((hz, place) => {
      const from = context.currentTime + place * TONE_S;
      const gain = context.createGain();
      gain.gain.setValueAtTime(LOUDNESS, from);
      gain.gain.exponentialRampToValueAtTime(0.001, from + TONE_S);
      const tone = context.createOscillator();
      tone.frequency.value = hz;
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + TONE_S);
    });
  }

  private wake(): void {
    if (!this.isOn) return;
    if (this.context === null) {
      this.context = new AudioContext();
      this.context.onstatechange = () => this.changed();
      this.changed();
    }
    if (this.context.state === "suspended") void this.context.resume();
  }
}

export class Notices {
  private isChosen = isKept(KEPT.notify);

  /** Browsers have them on a safe address only. */
  get isPossible(): boolean {
    return "Notification" in window;
  }

  get isBlocked(): boolean {
    return this.isPossible && Notification.permission === "denied";
  }

  get isOn(): boolean {
    return this.isChosen && this.isPossible && Notification.permission === "granted";
  }

  async choose(isOn: boolean): Promise<void> {
    this.isChosen = isOn;
    keep(KEPT.notify, isOn);
    if (isOn) await Notification.requestPermission();
  }

  /** Who looks at the page has the strip. */
  show(alert: Known): void {
    if (!this.isOn || (document.visibilityState === "visible" && document.hasFocus())) return;
    const body = `${word("rule", alert.rule)} · ${alert.vehicle}`;
    const shown = new Notification(t("attention.notice"), { body, tag: alert.alert_id, icon: "/assets/icon.svg" });
    shown.onclick = () => {
      window.focus();
      shown.close();
      go(alertPath(alert.alert_id));
    };
  }
}
