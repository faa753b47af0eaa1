// The boom as the limit switches say it is: one word, one simple drawing.
import { h, paint, svg } from "./dom.js";
import { clock, fault, t } from "./words.js";

const ANGLES = { closed: 0, opening: -42, open: -80, lowering: -42, stopped: -42, unknown: -20 };
const ARROWS = { opening: "M88 30V4m-9 10 9-10 9 10", lowering: "M88 4v26m-9-10 9 10 9-10" };

export function drawBoom(section, boom, language) {
  paint(section, [boom, language], () => {
    const bad = !boom.board_ok || boom.faults.length > 0 || boom.state === "unknown" || boom.state === "stopped" || boom.emergency === true;
    section.dataset.state = boom.state;
    section.classList.toggle("abnormal", bad);
    const notes = [
      !boom.board_ok && t("boom.board_down"),
      ...boom.faults.map(fault),
      boom.not_lowered && t("boom.not_lowered", { why: fault(boom.not_lowered) }),
      boom.held && (boom.held_by ? t("boom.held_by", { by: boom.held_by, at: clock(boom.held_at).slice(0, 5) }) : t("boom.held")),
      boom.emergency && t("boom.emergency"),
      boom.present === true && !boom.emergency && t("boom.present"),
    ].filter(Boolean);
    return [
      drawing(boom.state),
      h("div", { class: "boom-words" },
        h("h2", { text: t("boom.title") }),
        h("p", { class: "boom-state", text: t(`boom.${boom.state}`) }),
        ...notes.map((note) => h("p", { class: "boom-note", text: note }))),
    ];
  });
}

function drawing(state) {
  const arm = svg("g", { transform: `rotate(${ANGLES[state] ?? -20} 20 58)`, class: state === "unknown" ? "arm lost" : "arm" },
    svg("path", { d: "M20 58H102", class: "arm-line" }),
    svg("path", { d: "M38 58h12m12 0h12m12 0h12", class: "arm-marks" }));
  return svg("svg", { viewBox: "4 -28 108 112", class: "boom-drawing", "aria-hidden": "true" },
    svg("path", { d: "M6 80H110", class: "ground" }),
    svg("path", { d: "M20 80V48", class: "post" }),
    arm,
    ARROWS[state] && svg("path", { d: ARROWS[state], class: "arrow" }),
    state === "unknown" && svg("text", { x: 76, y: 16, class: "question" }, "?"));
}
