// The other ways through: reasons, declarations, plates. Each dialog is about one passage and closes when that passage goes.
import { h, holdable } from "./dom.js";
import { plateKeyboard, wordKeys } from "./keyboard.js";
import { cutOut, plateSign, procedureName } from "./plate.js";
import { stepName, stepTable } from "./steps.js";
import { askSecond } from "./second.js";
import { boot, dayClock, section, t } from "./words.js";

const dialog = document.getElementById("dialog");
let about = null;
let typing = null;

dialog.addEventListener("close", () => { about = typing = null; dialog.classList.remove("wide"); });

/** Physical keys typed while the sheet is open go to `then` from now on. */
export const typeInto = (then) => { typing = then; };
export const close = () => dialog.close();
document.addEventListener("keydown", (event) => {
  if (!dialog.open) return;
  if (event.key === "Escape") dialog.close();
  else if (typing && !event.target.matches("textarea, input")) typing(event);
});

export const isOpen = () => dialog.open;

/** Calls `then` whenever a dialog opens or closes. */
export const onToggle = (then) => dialog.addEventListener("toggle", then);

/** Closes what was opened about another passage. Returns true where it had to. */
export function closeIfNot(passageId) {
  if (about === null || about === passageId || !dialog.open) return false;
  dialog.close();
  return true;
}

/** Opens the sheet with these parts; `passage` is what it is about, null for the lane itself. */
export function show(passage, title, ...parts) {
  const head = h("div", { class: "dialog-head" }, h("h2", { id: "dialog-title", text: title }),
    h("button", { type: "button", class: "tool", id: "dialog-back", text: t("app.cancel"), onclick: () => dialog.close() }));
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.replaceChildren(head, ...parts.filter(Boolean));
  about = passage?.id ?? null;
  // Not modal: the boom's state and the stop button beside it stay in sight and in reach.
  if (!dialog.open) dialog.show();
}

/** Override, turn away or open in an emergency: one reason of the catalogue's list, words where the reason asks for them. `send({reason, words})`. */
export function askReason(action, passage, send) {
  const words = h("textarea", { id: "words", rows: 2, maxlength: 500, "aria-label": t("dialog.words"), placeholder: t("dialog.words") });
  const { needs, title } = boot.presses[action];
  const hold = needs.includes("hold");
  const submit = h("button", { type: "button", class: "press go", id: "send", disabled: true },
    t(`action.${action}`), h("small", { text: t(hold ? "app.hold_to_send" : "app.send") }));
  let reason = "";
  const keys = wordKeys(words);
  keys.hidden = true;
  const judge = () => {
    const own = reason === "other";
    words.placeholder = t(own ? "dialog.words_needed" : "dialog.words");
    submit.disabled = reason === "" || (own && words.value.trim() === "");
    // Written reasons need the keys, and the keys need the room of the other reasons.
    keys.hidden = !own;
    list.classList.toggle("own", own);
  };
  const choices = section(`${action}_reason`).map((each) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "reason", value: each, onchange: () => { reason = each; judge(); } }),
    h("span", { text: t(`${action}_reason.${each}`) })));
  const done = () => {
    dialog.close();
    const given = { reason, words: words.value.trim() };
    // A customs hold asks for two people: the second one proves it on this very screen.
    if (needs.includes("second_if_asked") && passage.two_people) askSecond(passage, (second) => send({ ...given, second }));
    else send(given);
  };
  const list = h("div", { class: "choices", role: "radiogroup" }, ...choices);
  words.addEventListener("input", judge);
  if (hold) holdable(submit, done);
  else submit.addEventListener("click", done);
  show(passage, t(title), list, words, keys, submit);
}

/** Several declarations fit: which one is it? `send({value: id})`. */
export function askDeclaration(passage, send) {
  const current = passage.declaration && {
    id: passage.declaration.id, procedure: procedureName(passage), state: passage.declaration.state, declared_at: passage.declaration.declared_at, current: true,
  };
  const all = [current, ...passage.others.filter((each) => each.id !== current?.id)].filter(Boolean);
  show(passage, t("action_long.pick_declaration"), h("div", { class: "choices" }, ...all.map((each) =>
    h("button", { type: "button", class: "press choice-button", "data-declaration": each.id, disabled: each.current,
      onclick: () => { dialog.close(); send({ value: each.id }); } },
      h("b", { text: each.id }), ` ${each.procedure} `,
      h("small", { text: [t(`facts.${each.state}`), dayClock(each.declared_at), each.current && t("dialog.current")].filter(Boolean).join(" · ") })))));
}

/** The declaration has several vehicles: which one stands here? `send({value: plate})`. */
export function askVehicle(passage, send) {
  show(passage, t("action_long.pick_vehicle"), h("div", { class: "choices" }, ...passage.vehicles.map((plates) =>
    h("button", { type: "button", class: "press choice-button", "data-vehicle": plates[0],
      onclick: () => { dialog.close(); send({ value: plates[0] }); } }, h("b", { text: plates.join(" + ") })))));
}

/** The camera read another plate surely: asked once more, held down. */
export function askOverSure(passage, typed, read, send) {
  const submit = h("button", { type: "button", class: "press go", id: "send" },
    t("dialog.over_sure_yes"), h("small", { text: t("app.hold_to_send") }));
  holdable(submit, () => { dialog.close(); send(); });
  show(passage, t("dialog.over_sure_title"), passage.crop && cutOut(passage.crop),
    h("p", { class: "caution", text: t("dialog.over_sure_text", { read, typed }) }), submit);
}

/** Types a plate, or takes one of what the camera read, both strings side by side. `send({value: plate})`. */
export function askPlate(passage, send) {
  const submit = h("button", { type: "button", class: "press go low", id: "send", text: t("dialog.search") });
  const board = plateKeyboard(passage.plate?.text ?? "", (text) => { submit.disabled = text.length < 4; });
  // What the camera read and what is only declared and like it are two things, and headed as what they are.
  const [read, ...near] = (passage.plate?.candidates ?? []).slice(0, 4);
  const row = (title, texts) => texts.length > 0 && h("div", { class: "candidate-row" }, h("span", { text: title }),
    ...texts.map((text) => h("button", { type: "button", class: "press candidate", "data-candidate": text, text, onclick: () => board.set(text) })));
  submit.addEventListener("click", () => { dialog.close(); send({ value: board.value() }); });
  show(passage, t("action_long.type_plate"),
    h("div", { class: "compare" },
      passage.crop && cutOut(passage.crop),
      !passage.crop && passage.plate && plateSign(passage.plate, true),
      board.field),
    row(t(passage.plate?.decided ? "dialog.candidates" : "dialog.candidates_unsure"), read && !passage.plate.typed ? [read] : []),
    row(t("dialog.near"), near),
    board.keys, submit);
  typing = board.typed;
}

/** The copy of the declarations is old, or another vehicle's plate is in view: the guard says to have looked. `send({value: "checked"})`. */
export function askChecked(passage, send) {
  const submit = h("button", { type: "button", class: "press go", id: "send" },
    t("checked.yes"), h("small", { text: t("app.hold_to_send") }));
  holdable(submit, () => { dialog.close(); send({ value: "checked" }); });
  const strangers = (passage.who?.beside ?? []).filter((each) => !["same", "unsure"].includes(each.standing));
  const old = strangers.length === 0 || passage.verdict.reasons.some((each) => each.code === "check_needed");
  const plates = strangers.map((each) => `${each.plate} (${t(`standing.${each.standing}`)})`).join(", ");
  show(passage, t(old ? "checked.title" : "checked.beside_title"),
    old && h("p", { class: "caution", text: t("checked.text") }),
    strangers.length > 0 && h("p", { class: "caution", text: t("checked.beside_text", { plates, plate: passage.who.plate ?? passage.who.vehicle.join(" + ") }) }),
    submit);
}

export function showStep(step) {
  show(null, `${stepName(step)}: ${t(`step_state.${step.state}`)}`, stepTable(step));
}
