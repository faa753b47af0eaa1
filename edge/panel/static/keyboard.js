// The on-screen keyboards: for plates with Đ, the common series and, on a second sheet, the Chinese provinces and endings; for words with
// Vietnamese dead keys, capitals and digits. A booth's own keyboard works as well.
import { h } from "./dom.js";
import { MARKS, marked } from "./vietnamese.js";
import { t } from "./words.js";

const PLATE = ["1234567890", "QWERTYUIOP", "ASDFGHJKLĐ", "ZXCVBNM"];
/** Series of two letters (config/plates.toml), each one press. */
const SERIES = [["LD", "KT"], ["RM", "MK"], ["NG", "NN"], []];
const PROVINCES = ["桂云粤琼贵川渝湘鄂赣", "京津沪冀豫辽黑皖鲁新", "苏浙甘晋蒙陕吉闽青藏", "宁挂学警港澳领使"];
const WORDS = ["qwertyuiop", "asdfghjklđ", "zxcvbnm"];
const SIGNS = ["1234567890", "/-+()%&:;", ".,'\"?!#"];
const LONGEST_PLATE = 10;

const key = (label, then, more = "", spoken = null) =>
  h("button", { type: "button", class: `key ${more}`, text: label, "aria-label": spoken, onclick: then });
const row = (...keys) => h("div", { class: "key-row" }, ...keys);
const shorter = (text) => [...text].slice(0, -1).join("");

/** A field with its keys for a plate. `changed(text)` is called after each key. */
export function plateKeyboard(first, changed) {
  const field = h("output", { class: "typed", id: "typed", "aria-live": "polite", "aria-label": t("plate.title") });
  const box = h("div", { class: "keys" });
  let text = "";
  const set = (next) => {
    text = [...next].slice(0, LONGEST_PLATE).join("");
    field.textContent = text || " ";
    changed(text);
  };
  const draw = (chinese) => box.replaceChildren(...(chinese ? PROVINCES : PLATE).map((signs, n) => row(
    ...[...signs, ...(chinese ? [] : SERIES[n])].map((sign) => key(sign, () => set(text + sign))),
    n === 3 && key(t(chinese ? "dialog.letters" : "dialog.province"), () => draw(!chinese), "wide"),
    n === 3 && key("⌫", () => set(shorter(text)), "erase", t("dialog.erase")))));
  draw(false);
  set(first);
  return {
    field,
    keys: box,
    value: () => text,
    set,
    typed: (event) => {
      if (event.key === "Backspace") set(shorter(text));
      else if (/^[\p{L}\d]$/u.test(event.key)) set(text + event.key.toUpperCase());
    },
  };
}

/**
 * Keys that write into a text area, or into whatever field `area()` says is meant. A sentence begins with a capital; a field with
 * autocapitalize="characters" (seals, containers, plates) is written in capitals throughout; one with
 * inputmode="decimal" begins with the digits. Send "field" to the keys when another field is meant.
 */
export function wordKeys(area) {
  const field = () => (typeof area === "function" ? area() : area);
  const box = h("div", { class: "keys words" });
  let shift = null; // true or false once the shift key was pressed; null: as the text asks
  let signs = false;
  const capitals = () => !signs && (shift ?? (field()?.autocapitalize === "characters" || /(^|[.?!]\s+)$/.test(field()?.value ?? "")));
  const cased = (sign) => (capitals() ? sign.toUpperCase() : sign);
  const write = (make) => {
    into(field(), make(field()?.value ?? ""));
    if (field()?.autocapitalize !== "characters") shift = null;
    label();
  };
  const letters = [];
  const sign = (plain) => {
    const made = key("", () => write((text) => text + cased(plain)));
    letters.push([made, plain]);
    return made;
  };
  // Only the labels change with the case, so that no finger loses its target.
  const label = () => { for (const [made, plain] of letters) made.textContent = cased(plain); };
  const draw = () => {
    const sheet = signs ? SIGNS : WORDS;
    letters.length = 0;
    box.replaceChildren(
      row(...[...sheet[0]].map(sign)), row(...[...sheet[1]].map(sign)),
      row(!signs && key("⇧", () => { shift = !capitals(); label(); }, "shift", t("dialog.shift")), ...[...sheet[2]].map(sign),
        key(signs ? "abc" : "123", () => { signs = !signs; draw(); }, "other"), key("⌫", () => write(shorter), "erase", t("dialog.erase"))),
      row(...MARKS.map(([shown, mark], n) => key(shown, () => write((text) => marked(text, mark)), "mark", `${shown} ${t(`mark.${n}`)}`)),
        key(" ", () => write((text) => `${text} `), "wide", t("dialog.space"))));
    label();
  };
  box.addEventListener("field", () => {
    shift = null;
    signs = field()?.inputMode === "decimal";
    draw();
  });
  draw();
  return box;
}

/** Digits that write into one field: a PIN, a count. */
export function digitKeys(field) {
  return h("div", { class: "keys" }, row(
    ...[..."1234567890"].map((digit) => key(digit, () => into(field, field.value + digit))),
    key("⌫", () => into(field, shorter(field.value)), "erase", t("dialog.erase"))));
}

function into(field, next) {
  if (!field) return;
  field.value = field.maxLength > 0 ? [...next].slice(0, field.maxLength).join("") : next;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
