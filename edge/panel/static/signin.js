// A keypad for the PIN, for gloves; a keyboard works as well, and so does a badge reader.
import "./blank.js";
import { onBadge } from "./badge.js";
import { h } from "./dom.js";
import { t } from "./words.js";

const pin = document.getElementById("pin");
const pad = document.getElementById("keypad");
const add = (digit) => { if (pin.value.length < 12) pin.value += digit; };

for (const digit of "123456789") pad.append(h("button", { type: "button", class: "key", text: digit, onclick: () => add(digit) }));
pad.append(
  h("button", { type: "button", class: "key", text: t("dialog.erase"), onclick: () => { pin.value = pin.value.slice(0, -1); } }),
  h("button", { type: "button", class: "key", text: "0", onclick: () => add("0") }),
  h("button", { type: "button", class: "key", text: t("dialog.clear"), onclick: () => { pin.value = ""; } }));
pad.hidden = false;

const form = document.querySelector("form");
onBadge((code) => {
  document.getElementById("badge").value = code;
  form.submit(); // without the form's own checks: no name was chosen and no PIN typed
});
if (form.querySelector("input:checked")) pin.focus();
