// The second person of an override that asks for two: who they are, and their PIN, on the same screen.
import { close, show } from "./dialogs.js";
import { h } from "./dom.js";
import { digitKeys } from "./keyboard.js";
import { t } from "./words.js";

/** Asks for a second account. `then({id, pin})`; nothing is kept of the PIN. */
export async function askSecond(passage, then) {
  const people = await thePeople();
  let id = "";
  const pin = h("input", { type: "password", id: "second-pin", inputmode: "numeric", maxlength: 12, autocomplete: "off", "aria-label": t("signin.pin") });
  const submit = h("button", { type: "button", class: "press go low", id: "send", disabled: true, text: t("second.send"),
    onclick: () => { close(); then({ id, pin: pin.value }); } });
  const judge = () => { submit.disabled = id === "" || !/^[0-9]{6,12}$/.test(pin.value); };
  pin.addEventListener("input", judge);
  const choices = people.map((each) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "second", value: each.id, onchange: () => { id = each.id; judge(); } }),
    h("span", {}, h("b", { text: each.name }), h("small", { text: ` ${each.id} · ${t(`role.${each.role}`)}` }))));
  show(passage, t("second.title"),
    h("p", { class: "caution", text: t(people.length > 0 ? "second.text" : "second.nobody") }),
    h("div", { class: "choices", role: "radiogroup" }, ...choices),
    h("label", { class: "pin" }, h("span", { text: t("signin.pin") }), pin),
    digitKeys(pin), submit);
}

async function thePeople() {
  try {
    const answer = await fetch("/people.json", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    return answer.ok ? (await answer.json()).people : [];
  } catch {
    return [];
  }
}
