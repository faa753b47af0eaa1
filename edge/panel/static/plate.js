// A plate in its real look, and the photo with the box drawn on the very frame it was read from.
import { h, paint, svg } from "./dom.js";
import { picture } from "./picture.js";
import { clock, name, t } from "./words.js";

/** The plate as it hangs on the vehicle. `look` is {ground, lines}. */
export function plateSign(plate, small = false) {
  const classes = `plate ground-${plate.look.ground}${plate.look.lines.length > 1 ? " two" : ""}${small ? " small" : ""}`;
  return h("div", { class: classes, "data-plate": plate.text, role: "img", "aria-label": plate.text },
    ...plate.look.lines.map((line) => h("span", { text: line })));
}

/** The plate as cut out of its photo. */
export const cutOut = (id) => picture(id, { class: "crop", "aria-label": t("picture.crop") });

/** The plate area: cut-out, sign, how sure, raw text if it differs, other plates. `choose` opens the choice of candidates. */
export function drawPlate(section, view, language, choose) {
  const passage = view.passage;
  const shows = passage && [passage.id, passage.plate, passage.plates, passage.crop, passage.verdict, passage.who, view.can.includes("type_plate")];
  paint(section, [shows, language], () => {
    if (!passage) return [h("h2", { class: "empty-title", text: t("passage.nobody") }), h("p", { text: t("passage.nobody_long") })];
    const plate = passage.plate;
    if (!plate) {
      return [h("h2", { class: "empty-title", text: passage.state === "reading" ? t("plate.reading") : t("plate.none") }),
        h("div", { class: "plate-notes" }, ...whichVehicle(passage.who))];
    }
    const unfound = passage.verdict?.verdict === "unknown" && !passage.declaration;
    const unsure = (!plate.decided || unfound) && plate.candidates.length > 1 && view.can.includes("type_plate");
    return [
      h("div", { class: "plate-and-crop" },
        plateSign(plate),
        passage.crop && cutOut(passage.crop)),
      h("div", { class: "plate-notes" }, ...plateNotes(plate, passage, unsure)),
      unsure && h("button", { type: "button", class: "press choose", id: "choose-plate", text: t("plate.choose"), onclick: choose }),
    ];
  });
}

function plateNotes(plate, passage, unsure) {
  const { who } = passage;
  const others = who ? [] : passage.plates.filter((each) => each.text !== plate.text).map((each) => each.text);
  return [
    h("span", { text: t(`country.${plate.country}`) }),
    howKnown(plate, who),
    ...whichVehicle(who),
    plate.raw && plate.raw !== plate.text && h("span", { class: "raw", text: t("plate.raw", { raw: plate.raw }) }),
    ...(who?.beside ?? []).map((each) => h("span", { class: ["same", "unsure"].includes(each.standing) ? null : "caution", "data-beside": each.plate,
      text: t("plate.beside", { plate: each.plate, standing: t(`standing.${each.standing}`) }) })),
    others.length > 0 && h("span", { text: t("plate.others", { plates: others.join(", ") }) }),
    unsure && h("span", { class: "candidates", text: plate.candidates.slice(0, 3).join(" / ") }),
  ];
}

/** By whom this text is known: a camera's sure vote, a person's typing, or nobody yet. */
function howKnown(plate, who) {
  if (plate.typed) {
    return plate.over ? h("span", { class: "caution", text: t("plate.typed_over", { by: who?.by ?? "", over: plate.over }) })
      : h("span", { text: t("plate.typed", { by: who?.by ?? "" }) });
  }
  return plate.decided ? h("span", { text: t("plate.decided") }) : h("span", { class: "caution", text: t("plate.unsure") });
}

/** The vehicle where a person, not a plate, said which one it is. */
function whichVehicle(who) {
  if (!who || !["picked", "paper"].includes(who.source) || who.vehicle.length === 0) return [];
  return [h("span", { class: "vehicle", text: t(`plate.${who.source}`, { plates: who.vehicle.join(" + "), by: who.by }) })];
}

/** The photo of the passage; the box over it scales as it does, since both are in the frame's own pixels. */
export function drawPhoto(section, passage, language) {
  const frame = section.querySelector(".photo-frame");
  const shown = passage && [passage.photo, passage.box, passage.frame_size, passage.captured_at];
  paint(frame, [shown, language], () => {
    section.querySelector("#photo-time").textContent = passage?.photo ? clock(passage.captured_at) : "";
    if (!passage?.photo) return h("p", { class: "no-photo", text: passage ? t("picture.no_photo") : "" });
    const [width, height] = passage.frame_size ?? [1280, 720];
    const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...(passage.box ? boxAround(passage.box, width) : []));
    return [picture(passage.photo, { width, height, "aria-label": t("picture.photo") }), over];
  });
}

function boxAround([x1, y1, x2, y2], frameWidth) {
  const room = frameWidth / 160;
  const at = { x: x1 - room, y: y1 - room, width: x2 - x1 + 2 * room, height: y2 - y1 + 2 * room };
  return [svg("rect", { ...at, class: "box-edge" }), svg("rect", { ...at, class: "box", "data-box": [x1, y1, x2, y2].join(",") })];
}

export const procedureName = (passage) => (passage.procedure ? `${passage.procedure.id} · ${name(passage.procedure.name)}` : "");
