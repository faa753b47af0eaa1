// Words: the message catalogue, the language chosen, and how times are written. Set once from the page's own data block.

export const boot = JSON.parse(document.getElementById("boot").textContent);

let language = document.documentElement.lang;

/** The text of a key in the language chosen; an unknown key shows itself, so that a gap is seen. */
export function t(key, places = {}) {
  const texts = boot.messages[key];
  if (!texts) return key;
  return texts[language].replace(/\{(\w+)\}/g, (whole, name) => (name in places ? String(places[name]) : whole));
}

/** The text of a key, or `otherwise` where the catalogue has none. */
export const tOr = (key, otherwise, values) => (boot.messages[key] ? t(key, values) : otherwise);

/** One of the desk's own {vi, en} names. */
export const name = (names, otherwise = "") => (names ? (names[language] ?? names.vi ?? otherwise) : otherwise);

/** Keys of a section in the catalogue's own order: lists of reasons are made of these. */
export const section = (prefix) =>
  Object.keys(boot.messages).filter((key) => key.startsWith(`${prefix}.`)).map((key) => key.slice(prefix.length + 1));

/** "27/2025 Art. 4.2.g" as people there write it; what is written otherwise stays as it is. */
export function article(text) {
  const [, decision, cited] = /^(\d+\/\d+) (.+)$/.exec(text) ?? [];
  if (!decision) return text;
  let kind = "section";
  const places = cited.split(/[,;] /).map((part) => {
    const [, word, place] = /^(Art\. |App\. )?(\S+)$/.exec(part) ?? [];
    if (!place) return null;
    if (word) kind = word === "Art. " ? "art" : "app";
    const [a, ...rest] = place.split(".");
    const [b = "", ...more] = kind === "art" ? rest : [rest.join(".")];
    const c = more.join(".");
    return t(`cite.${kind}${1 + Boolean(b) + Boolean(c)}`, { a, b, c });
  });
  return places.includes(null) ? text : t("cite.of", { places: places.join(", "), decision });
}

/** What a code of the barrier says: "input_stuck:presence" names the input, "fault:tamper" what kept a permit from opening. */
export function fault(code) {
  if (code.startsWith("fault:")) return fault(code.slice(6));
  const [kind, about = ""] = code.split(":");
  return boot.messages[`fault.${kind}`] ? t(`fault.${kind}`, { about: tOr(`input.${about}`, about) }) : t("boom.fault", { code });
}

/** What a refusal's detail means to a guard; of any other code it is shown as it stands. */
const DETAILS = {
  boom_fault: (codes) => codes.split(", ").map(fault).join(", "),
  not_ready: (verdict) => tOr(`verdict_short.${verdict}`, ""),
  not_now: () => "",
  paper_faults: () => "", // each stands beside its field
  store_full: () => "", // for the log, not for a guard
  store_failed: () => "",
};

/** Why a press was refused, in words: {code, detail} of its answer. */
export const refusal = ({ code, detail }) =>
  [tOr(`result.${code}`, code), detail && (DETAILS[code] ?? String)(detail)].filter(Boolean).join(" ");

/** The catalogue's short word for each authority; where it has none, the rule table's own name (`named`, of all of them). */
export const authority = (code, named) => {
  const codes = code.split("|");
  if (named && codes.some((one) => !boot.messages[`authority.${one}`])) return name(named, code);
  return codes.map((one) => tOr(`authority.${one}`, one)).join(` ${t("missing.or")} `);
};

/** 18.500 in Vietnamese, 18,500 in English; what is no number stays as it is. */
export const amount = (value) => (typeof value === "number" ? value.toLocaleString(language) : String(value));

export const getLanguage = () => language;

export function switchLanguage() {
  language = language === "vi" ? "en" : "vi";
  document.documentElement.lang = language;
  document.cookie = `barie_language=${language}; path=/; max-age=31536000; samesite=strict`;
  translateFixed();
}

/** Puts the words of the page's fixed parts into the language chosen. */
export function translateFixed(root = document) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
}

// Labels are Vietnam's time wherever the browser thinks it is.
const inVietnam = (iso) => new Date(Date.parse(iso) + 7 * 3600_000);
const two = (n) => String(n).padStart(2, "0");

/** 09:10:05 */
export function clock(iso) {
  if (!iso) return "";
  const d = inVietnam(iso);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

/** 20/11 09:10, or 20 Nov 09:10 */
export function dayClock(iso) {
  if (!iso) return "";
  const d = inVietnam(iso);
  if (iso.length === 10) return language === "vi" ? `${iso.slice(8)}/${iso.slice(5, 7)}/${iso.slice(0, 4)}` : iso;
  const time = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  if (language === "vi") return `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)} ${time}`;
  return `${d.getUTCDate()} ${"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")[d.getUTCMonth()]} ${time}`;
}

/** 20/11/2026 09:10:05 */
export function fullClock(iso) {
  const d = inVietnam(iso);
  return `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)}/${d.getUTCFullYear()} ${clock(iso)}`;
}
