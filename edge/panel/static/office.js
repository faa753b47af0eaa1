// The pages beside the lane's own: made by the server, swapped in place when they change or the language does. Presses go the
// way of every press: once, under a key of their own, answered after the record.
import { digitKeys, plateKeyboard, wordKeys } from "./keyboard.js";
import { press } from "./press.js";
import { clock, refusal, switchLanguage, t } from "./words.js";

const SILENT_MS = 1700;
const $ = (id) => document.getElementById(id);
const office = () => $("office");
let heard = performance.now();
let shownTag = ""; // of what is shown now, once it was swapped in
let busy = false;
let touched = false;
let message = null;

/** The page as the server has it now, null where it is the one shown. Raises where there is no answer; leaves where nobody is signed in. */
async function newest() {
  const headers = { "X-Refresh": "1", "If-None-Match": shownTag };
  const answer = await fetch(location.href, { cache: "no-store", headers, signal: AbortSignal.timeout(4000) });
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") return location.assign("/sign-in");
  heard = performance.now();
  if (answer.status === 304) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  page.documentElement.dataset.tag = answer.headers.get("ETag") ?? "";
  return page;
}

/** Puts the parts that differ in the place of the old ones; what is being typed or chosen stays. */
function swap(page, whole = false) {
  for (const css of whole ? ["header", "#office", "#gone"] : ["#office"]) {
    const [old, fresh] = [document.querySelector(css), page.querySelector(css)];
    if (fresh && old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
  }
  if (whole) document.title = page.title;
  shownTag = page.documentElement.dataset.tag;
  setKeys();
}

/** A finger is down, a press is under way or a sheet of choices is open: nothing may move from under it then. */
const inUse = () => busy || touched || [...document.querySelectorAll(".alarm-shelve")].some((each) => !each.hidden);

async function refresh() {
  try {
    const page = await newest();
    if (page && !inUse()) swap(page);
  } catch {
    // silent: told below
  }
  setTimeout(refresh, Number(office().dataset.refresh));
}

const kept = () => [...office().querySelectorAll("input, select, textarea")].map((field) => [field.id || `${field.name}=${field.value}`, field.type === "radio" ? field.checked : field.value]);

function restore(values) {
  const found = new Map(values);
  for (const field of office().querySelectorAll("input, select, textarea")) {
    const value = found.get(field.id || `${field.name}=${field.value}`);
    if (value === undefined) continue;
    if (field.type === "radio") field.checked = value;
    else field.value = value;
  }
}

async function translate() {
  switchLanguage();
  const values = kept();
  const page = await newest().catch(() => null);
  if (!page) return;
  swap(page, true);
  restore(values);
  tell(message);
}

function tell(make) {
  message = make;
  const [kind, text] = make ? make() : ["", ""];
  $("message").className = `message ${kind}`;
  $("message").textContent = text;
}

async function send(name, more) {
  if (busy) return;
  busy = true;
  const what = () => t(`action.${name}`);
  tell(() => ["recording", t("pressed.recording", { what: what() })]);
  const answer = await press(office().dataset.lane, { name, passage: null, ...more }, () => tell(() => ["caution", t("pressed.asking", { what: what() })]));
  busy = false;
  const time = clock(new Date().toISOString());
  tell(() => outcome(answer, what(), time));
  const page = await newest().catch(() => null);
  if (page && answer.done) swap(page);
}

function outcome(answer, what, time) {
  if (answer.code === "unsure") return ["bad", t("pressed.unsure", { what })];
  if (!answer.done) return ["bad", t("pressed.refused", { what, why: refusal(answer) })];
  return ["good", t("pressed.done_seq", { what, time, seq: answer.seq })];
}

/** Keys for fields that a glove types into: shown with the field that was touched. */
function setKeys() {
  for (const field of office().querySelectorAll("[data-keys]")) {
    if (field.dataset.ready) continue;
    field.dataset.ready = "1";
    const place = office().querySelector(`[data-keys-for="${field.id}"]`) ?? $("keys-place");
    if (field.dataset.keys === "digits") place.append(digitKeys(field));
    else field.addEventListener("focus", () => openKeys(field, place));
  }
}

function openKeys(field, place) {
  place.hidden = false;
  if (place.childElementCount > 0) return;
  if (field.dataset.keys === "words") return place.append(wordKeys(field));
  const board = plateKeyboard(field.value, (text) => { field.value = text; });
  field.addEventListener("input", () => board.set(field.value.toUpperCase()));
  place.append(board.keys);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { dataset } = button;
  if (button.id === "language") translate();
  else if (dataset.open) $(dataset.open).hidden = false;
  else if (dataset.close) $(dataset.close).hidden = true;
  else if (dataset.press) {
    for (const sheet of document.querySelectorAll(".alarm-shelve")) sheet.hidden = true;
    send(dataset.press, { value: dataset.value ?? "", words: dataset.words ? $(dataset.words).value.trim() : "" });
  } else if ("sign" in dataset) {
    const id = document.querySelector("input[name=next]:checked")?.value ?? "";
    send("handover_sign", { second: { id, pin: $("next-pin").value } });
    $("next-pin").value = "";
  }
});

document.addEventListener("pointerdown", () => { touched = true; });
for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, () => setTimeout(() => { touched = false; }, 300));
setKeys();
if (office().dataset.refresh) {
  refresh();
  setInterval(() => { $("gone").hidden = performance.now() - heard < Math.max(SILENT_MS, Number(office().dataset.refresh) * 1.7); }, 100);
}
