// The rarer ways: paper mode, forms that differ from the platform, seals, the yard's level and entries by hand, overstays.
import { askReason, close, show, typeInto } from "./dialogs.js";
import { h } from "./dom.js";
import { digitKeys, plateKeyboard, wordKeys } from "./keyboard.js";
import { switchVehicleTone, vehicleTone } from "./sound.js";
import { boot, dayClock, section, t, tOr } from "./words.js";

/** How many things of the lane wait for a person. */
export const waiting = (view) => (view.paper_tasks?.length ?? 0) + (view.overstays?.length ?? 0);

/** Everything that is not about the vehicle at the barrier. `send(action, more)`. */
export function askMore(view, lists, send) {
  const can = new Set(view.can);
  show(null, t("more.title"),
    view.paper && h("p", { class: "caution", text: t("paper.since", { who: view.paper.by, time: dayClock(view.paper.at) }) }),
    h("div", { class: "choices" },
      ...Object.keys(boot.presses).filter((action) => boot.presses[action].shown === "more" && can.has(action)).map((action) => rarer(action, view, send)),
      way("vehicle-tone", vehicleTone() ? "sound.vehicle_off" : "sound.vehicle_on", () => { close(); switchVehicleTone(); }),
      ...tabs().map((tab) => h("a", { class: "press choose", href: `/${tab}`, text: t(`office.${tab}`) })),
      lists && h("a", { class: "press choose", href: "/transfer", text: t("transfer.title") })),
    ...(view.paper_tasks ?? []).map((task) => taskCard(task, can.has("paper_settle"), send)),
    (view.overstays ?? []).length > 0 && h("h3", { text: t("more.overstays") }),
    ...(view.overstays ?? []).map((stay) => h("p", { class: "caution" }, h("b", { text: stay.plates.join(" + ") }),
      ` ${t("more.inside_since", { time: dayClock(stay.since), hours: Math.floor(stay.inside_s / 3600) })} · ${stay.declaration}`)),
    h("p", { class: "soft", text: t("more.nothing") }));
}

const way = (id, key, then) => h("button", { type: "button", class: "press choose", id, text: t(key), onclick: then });

/** The button of one press; one without a sheet of its own asks for its reason, or is sent at once. */
function rarer(action, view, send) {
  const mode = view.paper ? "off" : "on";
  const then = (more) => send(action, more);
  switch (action) {
    case "emergency_open": return way("emergency-open", "emergency.open", () => askReason(action, null, then));
    case "paper_mode": return way(`paper-${mode}`, `paper.turn_${mode}`, () => { close(); send(action, { value: mode, reason: "link" }); });
    case "yard_count": return way("yard-count", "yard.correct", () => askCount(view, send));
    case "yard_entry": return way("yard-entry", "yard.by_hand", () => askEntry(send));
    default: return way(action, `action.${action}`, () => (boot.presses[action].needs.includes("reason") ? askReason(action, null, then) : (close(), then({}))));
  }
}

/** The pages beside this one that this person may open; the alarm list has its own place in the bar. */
const tabs = () => (document.getElementById("more").dataset.tabs ?? "").split(" ").filter((tab) => tab && tab !== "alarms");

/** One form beside the platform's declaration, field by field, or the word that the platform has none. */
function taskCard(task, may, send) {
  const rows = task.differences.map((each) => h("tr", {},
    h("td", { text: fieldName(each.field) }), h("td", { text: each.paper || "–" }), h("td", { text: each.platform || "–" })));
  return h("section", { class: "task", "data-task": task.id },
    h("h3", { text: `${t(`paper_task.${task.outcome}`)}: ${task.plates.join(" + ")}` }),
    rows.length > 0 && h("table", { class: "needs" },
      h("thead", {}, h("tr", {}, h("th", { text: t("paper_task.field") }), h("th", { text: t("paper_task.paper") }), h("th", { text: `${t("paper_task.platform")} ${task.declaration ?? ""}` }))),
      h("tbody", {}, ...rows)),
    may && h("div", { class: "choices" }, ...section("paper_settle_reason").map((reason) =>
      h("button", { type: "button", class: "press", "data-settle": reason, text: t(`paper_settle_reason.${reason}`),
        onclick: () => { close(); send("paper_settle", { value: task.id, reason }); } }))));
}

/** "vehicles.12C12345.seal" as people read it. */
export function fieldName(field) {
  const parts = field.split(".");
  const known = tOr(`paper_field.${parts.at(-1)}`, parts.at(-1));
  return parts.length > 1 ? `${tOr(`paper_field.${parts[0]}`, parts[0])} ${/^[0-9]$/.test(parts[1]) ? Number(parts[1]) + 1 : parts[1]}: ${known}` : known;
}

function askCount(view, send) {
  const field = h("input", { type: "text", id: "count", inputmode: "numeric", maxlength: 5, value: String(view.yard.count), "aria-label": t("yard.count") });
  const submit = h("button", { type: "button", class: "press go low", id: "send", text: t("yard.correct"),
    onclick: () => { close(); send("yard_count", { value: field.value }); } });
  field.addEventListener("input", () => { submit.disabled = !/^[0-9]{1,5}$/.test(field.value); });
  show(null, t("yard.correct_long"), h("label", { class: "pin" }, h("span", { text: t("yard.count") }), field), digitKeys(field), submit);
}

function askEntry(send) {
  const submit = h("button", { type: "button", class: "press go low", id: "send", disabled: true, text: t("yard.by_hand") });
  const board = plateKeyboard("", (text) => { submit.disabled = text.length < 4; });
  submit.addEventListener("click", () => { close(); send("yard_entry", { value: board.value() }); });
  show(null, t("yard.by_hand_long"), h("div", { class: "compare" }, board.field), board.keys, submit);
  typeInto(board.typed);
}

/** Goods under customs transfer: the seals as they are on the vehicle, held against the record. `send({value, words})`. */
export function askSeals(passage, send) {
  const transfer = passage.declaration.transfer;
  const before = passage.seals ?? {};
  const seen = h("input", { type: "text", id: "seals-seen", maxlength: 400, autocapitalize: "characters", value: (before.seen ?? []).join(", "), "aria-label": t("seals.seen"), placeholder: t("seals.seen_hint") });
  const words = h("input", { type: "text", id: "seals-condition", maxlength: 300, value: before.condition ?? "", "aria-label": t("seals.condition"), placeholder: t("seals.condition") });
  let active = seen;
  const keys = wordKeys(() => active);
  for (const field of [seen, words]) field.addEventListener("focus", () => { active = field; keys.dispatchEvent(new Event("field")); });
  const tick = (id, key, on) => h("label", { class: "choice" }, h("input", { type: "checkbox", id, checked: on }), h("span", { text: t(key) }));
  const broken = tick("seals-broken", "seals.broken", before.broken);
  const route = tick("seals-route", "seals.off_route", before.off_route);
  const comma = h("button", { type: "button", class: "press", text: t("seals.next"), onclick: () => { seen.value += ", "; active = seen; seen.focus(); } });
  const submit = h("button", { type: "button", class: "press go low", id: "send", text: t("seals.send"), onclick: () => {
    const value = { seen: seen.value.split(/[,;]/).map((each) => each.trim()).filter(Boolean), broken: broken.firstChild.checked, off_route: route.firstChild.checked };
    close();
    send({ value: JSON.stringify(value), words: words.value.trim() });
  } });
  show(passage, t("seals.title"),
    h("p", {}, t("seals.record", { record: transfer.record_no, from: transfer.sent_by }), " ", h("b", { class: "plain", text: transfer.seals.join(", ") || t("seals.none") })),
    h("p", { class: "soft", text: [transfer.route.join(" → "), transfer.deadline && t("seals.deadline", { time: dayClock(transfer.deadline) })].filter(Boolean).join(" · ") }),
    h("div", { class: "line-and-key" }, seen, comma), words,
    h("div", { class: "choices" }, broken, route), keys, submit);
}
