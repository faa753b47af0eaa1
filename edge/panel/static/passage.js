// What is known of the vehicle at the barrier: the verdict in words, the declaration's facts, the last passages.
import { h, paint } from "./dom.js";
import { amount, article, authority, clock, dayClock, fault, name, t, tOr } from "./words.js";
import { procedureName } from "./plate.js";

const PAST = new Set(["permitted", "opening", "open", "through", "turned_away", "left"]);
/** Names that may run on for lines: what tells them apart stands at their front. */
const LONG = new Set(["facts.procedure", "facts.declarant", "facts.goods"]);
const WAYS = ["pick_declaration", "pick_vehicle", "seals", "paper_form"];
const SAID = new Set(["missing", "guard_opens", "complete", "yard_auto"]);
const SIGNS = { ready: "✓", release: "✓", await: "!", refuse: "✕", unknown: "?", not_opened: "✕", none: "…" };

/** What the banner is about: the verdict while the vehicle waits, then what became of it. */
export function bannerKind(passage) {
  if (passage.state === "not_opened") return "not_opened";
  if (PAST.has(passage.state)) return "past";
  return passage.verdict?.verdict ?? "none";
}

export function drawVerdict(section, passage, language) {
  paint(section, [passage?.state, passage?.verdict, passage?.fault, passage?.shut, language], () => {
    section.hidden = !passage;
    if (!passage) return null;
    const kind = bannerKind(passage);
    section.dataset.kind = kind;
    section.dataset.state = passage.state;
    return [
      h("span", { class: "sign", "aria-hidden": "true", text: kind === "past" ? "→" : SIGNS[kind] }),
      h("div", {},
        h("h2", { text: title(kind, passage) }),
        ...(kind === "past" ? [] : details(passage)),
        kind !== "past" && shutWhy(passage),
        passage.fault && h("p", { text: fault(passage.fault) }),
        kind === "not_opened" && h("p", { text: t("state_help.not_opened") })),
    ];
  });
}

function title(kind, passage) {
  if (kind === "past" || kind === "not_opened") return t(`state.${passage.state}`);
  if (kind === "none") return t(`state.${passage.state}`);
  return t(`verdict.${unknownKind(passage) ?? kind}`);
}

/** Unknown is not always undeclared: the plate may be unread, or the vehicle of the declaration not said. */
export function unknownKind(passage) {
  if (passage.verdict?.verdict !== "unknown") return null;
  const codes = passage.verdict.reasons.map((each) => each.code);
  return codes.includes("which_vehicle") ? "which" : codes.includes("plate_unread") ? "unread" : null;
}

/** Why the gate did not open by itself; what the banner says anyway is not said twice. */
function shutWhy(passage) {
  const { shut } = passage;
  if (!shut || shut.code === "not_released") return null;
  return h("p", { class: "shut", "data-shut": shut.code, text: t("shut.title", { why: tOr(`shut.${shut.code}`, shut.code, { detail: shut.detail }) }) });
}

function details(passage) {
  const { missing = [], reasons = [] } = passage.verdict ?? {};
  const here = passage.verdict?.step;
  const lines = missing.slice(0, 2).map((each, n) => missingLine(each, n === 0 ? "missing.next" : "missing.then", here));
  if (missing.length > 2) lines.push(h("p", { text: t("missing.more", { n: missing.length - 2 }) }));
  // What is missing is said above, and "ready" in the title: the other reasons are news.
  const others = reasons.filter((each) => !SAID.has(each.code)).slice(0, 2);
  return [...lines, ...others.map((each) => h("p", {}, `${name(each.text, each.code)} `, small(each.article)))];
}

function missingLine(each, key, here) {
  const at = each.step === here ? "" : ` (${tOr(`step.${each.step}`, each.step)})`;
  const what = `${tOr(`act.${each.act}`, each.act)}${at}`;
  return h("p", {}, `${t(key, { who: authority(each.authority, each.authority_name), what })} `, small(each.article));
}

const small = (text) => (text ? h("small", { class: "article", text: article(text) }) : null);

/** Facts of the declaration, or why there are none; while the lane is clear, the last passages. */
export function drawFacts(section, view, language, open) {
  const passage = view.passage;
  const shows = passage
    ? [passage.id, passage.declaration, passage.others, passage.procedure, passage.verdict?.verdict, passage.seals, ...WAYS.map((way) => view.can.includes(way))]
    : [null, view.last];
  paint(section, [shows, language], () => {
    if (!passage) return lastPassages(view.last);
    const several = passage.others.length > 0 && view.can.includes("pick_declaration")
      && h("button", { type: "button", class: "press choose", id: "pick_declaration", onclick: () => open("pick_declaration"),
        text: t("facts.others", { n: passage.others.length + (passage.declaration ? 1 : 0) }) });
    const ways = ["pick_vehicle", "seals", "paper_form"].filter((way) => view.can.includes(way)).map((way) =>
      h("button", { type: "button", class: "press choose", id: way, text: t(`action.${way}`), onclick: () => open(way) }));
    if (passage.declaration) return [factList(passage), several, ...ways];
    if (passage.verdict?.verdict !== "unknown") return [several, ...ways];
    if (unknownKind(passage)) return [...ways, several];
    return [...ways, h("p", { class: "no-declaration", text: t("facts.no_declaration") }), h("p", { text: t("facts.no_declaration_help") }), several];
  });
}

function factList(passage) {
  const d = passage.declaration;
  const state = d.state && d.state !== "active" ? h("b", { class: "caution", text: ` ${t(`facts.${d.state}`)}` }) : null;
  const all = d.vehicles ?? [];
  const here = all.filter((vehicle) => (passage.who?.vehicle ?? []).includes(vehicle.plate));
  const mine = here.length ? here : all; // of forty on one declaration, the one at the barrier with its own papers
  const rows = [
    ["facts.declaration", [d.id, state, h("small", { text: ` ${t("facts.declared_at", { time: dayClock(d.declared_at) })}` })]],
    ["facts.procedure", [procedureName(passage)]],
    ["facts.declarant", [declarant(d.declarant)]],
    ["facts.vehicle", [...mine, ...all.filter((vehicle) => !mine.includes(vehicle))].flatMap((vehicle, n) => vehicleParts(vehicle, n, all.length > mine.length && mine.includes(vehicle)))],
    ["facts.pairing", [passage.pairing && pairingText(passage.pairing)]],
    ["facts.container", [boxes(mine)]],
    ["facts.permit", [mine.map((vehicle) => vehicle.permit && [vehicle.permit.number, vehicle.permit.valid_until].filter(Boolean).join(" → ")).filter(Boolean).join("; ")]],
    ["facts.driver", [mine.map((vehicle) => [vehicle.driver?.name, vehicle.driver?.phone].filter(Boolean).join(" · ")).filter(Boolean).join("; ")]],
    ["facts.goods", [(d.goods ?? []).map(goodsText).join("; ")]],
    ["facts.transfer", [d.transfer && t("facts.transfer_text", { record: d.transfer.record_no, deadline: dayClock(d.transfer.deadline) })]],
  ];
  const full = rows.filter(([, parts]) => parts.some((part) => part));
  return h("dl", {}, ...full.flatMap(([key, parts]) => [h("dt", { text: t(key) }), h("dd", { class: LONG.has(key) ? "one-line" : null }, ...parts.filter(Boolean))]));
}

const OTHER_ROLES = { goods: "as_goods", carrier: "carrier", igv: "carrier" };

/** 12C12345 đầu kéo, từ 18 tấn · 12R01234 rơ moóc */
function vehicleParts(vehicle, n, here) {
  const role = vehicle.role === "vehicle" ? "" : tOr(`facts.${OTHER_ROLES[vehicle.role] ?? vehicle.role}`, vehicle.role).toLowerCase();
  const words = [role, vehicle.class && tOr(`class.${vehicle.class}`, vehicle.class)].filter(Boolean).join(", ");
  return [n > 0 && h("br"), h("b", { text: here ? `▶ ${vehicle.plate}` : vehicle.plate }), words && ` ${words}`];
}

const pairingText = (pair) => `${pair.chinese.join(", ")} ⇄ ${pair.vietnamese.join(", ")} · ${
  pair.confirmed_at ? t("facts.pairing_confirmed", { time: dayClock(pair.confirmed_at) }) : t("facts.pairing_open")}`;

const boxes = (vehicles) => vehicles
  .map((vehicle) => [vehicle.container, vehicle.seal && `${t("facts.seal")} ${vehicle.seal}`].filter(Boolean).join(" · "))
  .filter(Boolean).join("; ");

const declarant = (who) => [who?.name ?? who?.organisation ?? who?.organization, who?.tax_code].filter(Boolean).join(" · ");

const goodsText = (goods) => [goods.name, goods.quantity !== undefined && `${amount(goods.quantity)} ${goods.unit ?? ""}`.trim()].filter(Boolean).join(", ");

function lastPassages(last) {
  if (last.length === 0) return null;
  return [
    h("h2", { text: t("passage.last") }),
    h("table", { class: "last" }, h("tbody", {}, ...last.slice(0, 6).map((each) => h("tr", {},
      h("td", { text: clock(each.at) }),
      h("td", {}, h("b", { text: each.plate ?? "?" })),
      h("td", { text: tOr(`state.${each.outcome}`, each.outcome ?? "") }),
      h("td", { text: each.verdict ? tOr(`verdict_short.${each.verdict}`, each.verdict) : "" }))))),
  ];
}
