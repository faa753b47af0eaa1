// The on-screen keyboard for plates: digits and letters, Đ among them; the Chinese provinces and endings on a second sheet.
import { h } from "./dom.js";
import { t } from "./words.js";

const LETTERS = ["1234567890", "QWERTYUIOP", "ASDFGHJKLĐ", "ZXCVBNM"];
const PROVINCES = ["桂云粤琼贵川渝湘鄂赣", "京津沪冀豫辽黑皖鲁新", "苏浙甘晋蒙陕吉闽青藏", "宁挂学警港澳领使"];
const LONGEST = 10;

/** A field with its keys. `value()` is the text typed; `changed` is called after each key. */
export function plateKeyboard(first, changed) {
  const field = h("output", { class: "typed", id: "typed", "aria-live": "polite" });
  const keys = h("div", { class: "keys" });
  let text = first;
  let sheet = LETTERS;

  const show = (next) => {
    text = [...next].slice(0, LONGEST).join("");
    field.textContent = text || " ";
    changed(text);
  };
  const key = (label, press, more = "") => h("button", { type: "button", class: `key ${more}`, text: label, onclick: press });
  const draw = () => keys.replaceChildren(...sheet.map((row, n) => h("div", { class: "key-row" },
    ...[...row].map((letter) => key(letter, () => show(text + letter))),
    ...(n === sheet.length - 1 ? edges() : []))));
  const edges = () => [
    key(t(sheet === LETTERS ? "dialog.province" : "dialog.letters"), () => { sheet = sheet === LETTERS ? PROVINCES : LETTERS; draw(); }, "wide"),
    key("⌫", () => show([...text].slice(0, -1).join("")), "erase"),
  ];
  draw();
  show(first);
  return {
    field,
    keys,
    value: () => text,
    set: show,
    /** A hardware key, for a booth that has a keyboard. */
    typed: (event) => {
      if (event.key === "Backspace") show([...text].slice(0, -1).join(""));
      else if (/^[\p{L}\d]$/u.test(event.key)) show(text + event.key.toUpperCase());
    },
  };
}
