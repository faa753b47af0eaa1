// The procedure as a row of steps: who confirmed when, what is missing, in order, with the article.
import { h, paint } from "./dom.js";
import { article, authority, clock, dayClock, name, t, tOr } from "./words.js";

const SIGNS = { done: "✓", here: "▶", open: "!", later: "·" };
const NEED_SIGNS = { given: "✓", missing: "○", early: "!" };

export function drawSteps(list, passage, language, open) {
  const steps = passage?.steps ?? [];
  paint(list, [steps, language], () => steps.map((step) =>
    h("li", { class: `step ${step.state}`, "data-step": step.step, "aria-current": step.state === "here" ? "step" : null },
      h("button", { type: "button", onclick: () => open(step) },
        h("span", { class: "step-head" },
          h("span", { class: "step-sign", "aria-hidden": "true", text: SIGNS[step.state] }),
          h("b", { text: stepName(step) }),
          h("span", { class: step.state === "done" ? "unseen" : "step-state", text: t(`step_state.${step.state}`) })),
        needsShort(step)))));
}

/** The catalogue's short names where it has them: the law's full ones stand in the step's own sheet. */
export const stepName = (step) => tOr(`step.${step.step}`, name(step.name, step.step));

/** A finished step in one line; an unfinished one by its first four needs, missing ones first in the legal order. */
function needsShort(step) {
  const given = step.needs.filter((need) => need.state === "given");
  if (step.state === "done") {
    const last = given.map((need) => need.at).filter(Boolean).sort().at(-1);
    const count = step.needs.length > 0 ? `${given.length}/${step.needs.length}` : "";
    return h("span", { class: "step-sum", text: [count, last && dayClock(last)].filter(Boolean).join(" · ") });
  }
  const shown = step.needs.length <= 4 ? step.needs : step.needs.filter((need) => need.state !== "given").slice(0, 3);
  const rest = step.needs.length - shown.length;
  return h("span", { class: "step-needs" },
    ...shown.map((need) => needLine(need)),
    rest > 0 && h("span", { class: "step-sum", text: `+ ${rest}` }));
}

function needLine(need) {
  const when = need.state === "given" ? clock(need.at).slice(0, 5) : t(`need_state.${need.state}`);
  return h("span", { class: `need ${need.state}` },
    h("span", { "aria-hidden": "true", text: NEED_SIGNS[need.state] }),
    h("span", { class: "need-who", text: authority(need.authority, need.authority_name) }),
    h("span", { class: "need-when", text: when }));
}

/** All needs of one step, in full, for its dialog. */
export function stepTable(step) {
  return h("table", { class: "needs" }, h("tbody", {}, ...step.needs.map((need) =>
    h("tr", { class: need.state },
      h("td", { text: NEED_SIGNS[need.state], "aria-hidden": "true" }),
      h("td", {}, h("b", { text: name(need.authority_name, authority(need.authority)) }), ` ${name(need.act_name, tOr(`act.${need.act}`, need.act))}`),
      h("td", { text: t(`need_state.${need.state}`) }),
      h("td", { text: [need.by, need.at && dayClock(need.at)].filter(Boolean).join(" · ") }),
      h("td", { class: "article", text: article(need.article) })))));
}
