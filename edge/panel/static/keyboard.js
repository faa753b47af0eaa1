// The on-screen keyboard: digits and letters, Đ among them; for plates the Chinese provinces and endings on a second sheet, for
// words a space. A booth's own keyboard works as well.
import { h } from "./dom.js";
import { t } from "./words.js";

const LETTERS = ["1234567890", "QWERTYUIOP", "ASDFGHJKLĐ", "ZXCVBNM"];
const PROVINCES = ["桂云粤琼贵川渝湘鄂赣", "京津沪冀豫辽黑皖鲁新", "苏浙甘晋蒙陕吉闽青藏", "宁挂学警港澳领使"];
const LONGEST_PLATE = 10;

function keys(press, erase, lastKey) {
  const box = h("div", { class: "keys" });
  const key = (label, then, more = "") => h("button", { type: "button", class: `key ${more}`, text: label, onclick: then });
  const draw = (sheet) => box.replaceChildren(...sheet.map((row, n) => h("div", { class: "key-row" },
    ...[...row].map((letter) => key(letter, () => press(letter))),
    n === sheet.length - 1 && lastKey(key, sheet, draw),
    n === sheet.length - 1 && key("⌫", erase, "erase"))));
  draw(LETTERS);
  return box;
}

const shorter = (text) => [...text].slice(0, -1).join("");

/** A field with its keys for a plate. `changed(text)` is called after each key. */
export function plateKeyboard(first, changed) {
  const field = h("output", { class: "typed", id: "typed", "aria-live": "polite" });
  let text = "";
  const set = (next) => {
    text = [...next].slice(0, LONGEST_PLATE).join("");
    field.textContent = text || " ";
    changed(text);
  };
  const otherSheet = (key, sheet, draw) =>
    key(t(sheet === LETTERS ? "dialog.province" : "dialog.letters"), () => draw(sheet === LETTERS ? PROVINCES : LETTERS), "wide");
  set(first);
  return {
    field,
    keys: keys((letter) => set(text + letter), () => set(shorter(text)), otherSheet),
    value: () => text,
    set,
    typed: (event) => {
      if (event.key === "Backspace") set(shorter(text));
      else if (/^[\p{L}\d]$/u.test(event.key)) set(text + event.key.toUpperCase());
    },
  };
}

/** Keys that write into a text area, or into whatever field `area()` says is meant. */
export function wordKeys(area) {
  const field = () => (typeof area === "function" ? area() : area);
  const write = (next) => into(field(), next);
  const space = (key) => key(" ", () => write(`${field()?.value ?? ""} `), "wide");
  const box = keys((letter) => write(`${field()?.value ?? ""}${letter}`), () => write(shorter(field()?.value ?? "")), space);
  box.querySelector(".wide").setAttribute("aria-label", "space");
  return box;
}

/** Digits that write into one field: a PIN, a count. */
export function digitKeys(field) {
  const key = (label, then) => h("button", { type: "button", class: "key", text: label, onclick: then });
  return h("div", { class: "keys" }, h("div", { class: "key-row" },
    ...[..."1234567890"].map((digit) => key(digit, () => into(field, field.value + digit))),
    key("⌫", () => into(field, shorter(field.value)))));
}

function into(field, next) {
  if (!field) return;
  field.value = field.maxLength > 0 ? next.slice(0, field.maxLength) : next;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
