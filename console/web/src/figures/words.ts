// What is said on the pages of figures.

import { speaker } from "../i18n";
import { en } from "../text/figures.en";
import { zh } from "../text/figures.zh";

export const { t: say, word: wordOf } = speaker({ "zh-CN": zh, en });
