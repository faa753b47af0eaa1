// The paper form of App. V on the touchscreen: page by page, every fault beside its field, kept while it is being typed.
import { close, show } from "./dialogs.js";
import { h } from "./dom.js";
import { wordKeys } from "./keyboard.js";
import { fieldName } from "./ways.js";
import { boot, name, section, t } from "./words.js";

const PAGES = ["who", "goods", "vehicles", "signatures", "procedure"];
const WHO = ["organisation", "tax_code", "address", "customs_number", "customs_date", "border_gate", "movement", "goods_count", "total_weight", "weight_unit"];
const GOODS = ["name", "origin", "quantity", "unit", "value"];
const VEHICLE = ["plate", "origin", "vehicle_class", "driver", "phone", "container", "seal"];
const DECLARANT = "DN";
const CHOICES = { movement: "movement", vehicle_class: "class" };
const DATES = new Set(["customs_date", "date"]);
const NUMBERS = new Set(["tax_code", "customs_number", "goods_count", "total_weight", "quantity", "value", "phone"]);
const CAPITALS = new Set(["plate", "container", "seal", "origin"]);

let draft = null; // {passage, page, row, procedure, requires, faults}; a form half typed survives closing its sheet

const empty = (fields) => Object.fromEntries(fields.map((field) => [field, ""]));

function begin(passage, options) {
  const plate = passage.plate;
  const vehicle = { ...empty(VEHICLE), plate: plate?.text ?? "", origin: plate && plate.country !== "unknown" ? plate.country : "" };
  return {
    passage: passage.id, page: "who", faults: {}, procedure: "",
    requires: Object.fromEntries(options.requires.map((each) => [each.key, each.absent_means])),
    form: { ...empty(WHO), goods: [empty(GOODS)], vehicles: [vehicle], signatures: {} },
  };
}

/** Opens the form. `send(value)` resolves to the press's answer; a form with faults comes back with them. */
export function askPaper(passage, options, send) {
  if (draft?.passage !== passage.id) draft = begin(passage, options);
  const again = () => askPaper(passage, options, send);
  let active = null;
  const keys = wordKeys(() => active);
  keys.hidden = true;
  const sheet = h("div", { class: "paper-fields" }, ...pageParts(options, again));
  sheet.addEventListener("focusin", (event) => {
    active = event.target.matches("input[type=text]") ? event.target : active;
    keys.hidden = !event.target.matches("input[type=text]");
    keys.dispatchEvent(new Event("field"));
  });
  const tabs = h("div", { class: "tabs", role: "tablist" }, ...PAGES.map((page) => h("button", {
    type: "button", role: "tab", class: "press", id: `page-${page}`, "aria-selected": String(page === draft.page),
    onclick: () => { draft.page = page; again(); },
  }, t(`paper_page.${page}`), faultsOn(page) > 0 && h("small", { class: "caution", text: t("paper.faults_here", { n: faultsOn(page) }) }))));
  const submit = h("button", { type: "button", class: "press go low", id: "send", text: t("paper.send"), onclick: async () => {
    const value = JSON.stringify({ form: draft.form, procedure: draft.procedure, requires: draft.requires });
    close();
    const answer = await send(value);
    if (answer.done) draft = null;
    else if (answer.code === "paper_faults") {
      draft.faults = Object.fromEntries(JSON.parse(answer.detail));
      draft.page = PAGES.find((page) => faultsOn(page) > 0) ?? "who";
      again();
    }
  } });
  show(passage, t("paper.title"), tabs, sheet, keys, submit);
  document.getElementById("dialog").classList.add("wide");
}

const pageOf = (field) => {
  const first = field.split(".")[0];
  return PAGES.includes(first) ? first : "who";
};
const faultsOn = (page) => Object.keys(draft.faults).filter((field) => pageOf(field) === page).length;

function pageParts(options, again) {
  const { form, page } = draft;
  if (page === "who") return WHO.map((field) => entry(field, form, field));
  if (page === "goods") return lines("goods", GOODS, again);
  if (page === "vehicles") return lines("vehicles", VEHICLE, again);
  if (page === "signatures") return [signature(DECLARANT, t(`signer.${DECLARANT}`)), ...options.signers.map((each) => signature(each.key, name(each.name)))].flat();
  return procedureParts(options);
}

function lines(key, fields, again) {
  const rows = draft.form[key];
  const parts = rows.flatMap((row, n) => [
    h("h3", { text: `${t(`paper_field.${key}`)} ${n + 1}` }), ...fields.map((field) => entry(field, row, `${key}.${n}.${field}`)),
  ]);
  const add = h("button", { type: "button", class: "press", id: `add-${key}`, text: t("paper.add_line"), onclick: () => { rows.push(empty(fields)); again(); } });
  const drop = rows.length > 1 && h("button", { type: "button", class: "press", text: t("paper.drop_line"), onclick: () => { rows.pop(); again(); } });
  const none = fault(key) && h("p", { class: "caution whole", text: fault(key) });
  return [none, ...parts, add, drop].filter(Boolean);
}

function signature(who, title) {
  const row = draft.form.signatures[who] ?? { name: "", date: "" };
  const keep = () => {
    if (row.name.trim() && !row.date) row.date = boot.now.slice(0, 10);
    if (row.name.trim() || row.date) draft.form.signatures[who] = row;
    else delete draft.form.signatures[who];
  };
  const where = `signatures.${who}`;
  const missing = fault(where) && h("p", { class: "caution whole", text: `${title}: ${fault(where)}` });
  const date = entry("date", row, `${where}.date`, keep, title);
  const written = entry("name", row, `${where}.name`, () => { keep(); date.querySelector("input").value = row.date; }, title);
  return [missing, written, date].filter(Boolean);
}

function procedureParts(options) {
  const pick = options.procedures.map((each) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "procedure", value: each.id, checked: draft.procedure === each.id, onchange: () => { draft.procedure = each.id; } }),
    h("span", { text: `${each.id} · ${name(each.name)}` })));
  const any = options.requires.map((each) => h("label", { class: "choice" },
    h("input", { type: "checkbox", checked: draft.requires[each.key], onchange: (event) => { draft.requires[each.key] = event.target.checked; } }),
    h("span", { text: name(each.name) })));
  return [
    fault("procedure") && h("p", { class: "caution whole", text: fault("procedure") }),
    h("div", { class: "choices whole", role: "radiogroup" }, ...pick), h("h3", { text: t("paper.if_any") }), h("div", { class: "choices whole" }, ...any),
  ].filter(Boolean);
}

const fault = (field) => (draft.faults[field] ? t(`paper_fault.${draft.faults[field]}`) : "");

/** One field with its label and, beside it, what is wrong with it. */
function entry(field, row, where, changed = () => {}, owner = "") {
  const label = owner ? `${owner}: ${t(`paper_field.${field}`)}` : t(`paper_field.${field}`);
  const wrong = fault(where);
  const capitals = CAPITALS.has(field) ? "characters" : null;
  const more = {
    "data-field": where, "aria-invalid": wrong ? "true" : null, "aria-label": label, autocapitalize: capitals, inputmode: NUMBERS.has(field) ? "decimal" : null,
  };
  const set = (event) => { row[field] = event.target.value; changed(); };
  const options = CHOICES[field] && ["", ...section(CHOICES[field])];
  const input = options
    ? h("select", { ...more, onchange: set }, ...options.map((value) => h("option", { value, selected: value === row[field], text: value && t(`${CHOICES[field]}.${value}`) })))
    : h("input", { type: DATES.has(field) ? "date" : "text", maxlength: 500, autocomplete: "off", value: row[field], ...more, oninput: set });
  return h("label", { class: `field${wrong ? " wrong" : ""}` }, h("span", { text: label }), input, wrong && h("small", { class: "caution", text: wrong }));
}

export { fieldName };
