// All lanes at a glance: asked for each second; a lane is opened by touching it.
import "./blank.js";
import { drawBoom } from "./boom.js";
import { h, paint, setText } from "./dom.js";
import { bannerKind, unknownKind } from "./passage.js";
import { plateSign } from "./plate.js";
import { boot, fullClock, getLanguage, name, switchLanguage, t, translateFixed } from "./words.js";

const $ = (id) => document.getElementById(id);
let views = boot.views;
let heard = performance.now();

function draw() {
  for (const card of document.querySelectorAll("[data-lane]")) {
    const view = views[card.dataset.lane];
    if (!view) continue;
    setText(card.querySelector("h2"), name(view.name));
    if (view.unknown) {
      setText(card.querySelector(".lane-place"), "");
      paint(card.querySelector(".lane-now"), ["unknown", getLanguage()], () => [h("div", { class: "lane-words", "data-kind": "unknown" }, h("p", { text: t("lanes.unknown") }))]);
      continue;
    }
    setText(card.querySelector(".lane-place"), `${t(`place.${view.place}`)} · ${t(`direction.${view.direction}`)} · ${t(`mode.${view.mode}`)}`);
    drawLane(card.querySelector(".lane-now"), view);
  }
}

function drawLane(section, view) {
  const { passage } = view;
  const down = view.cameras.filter((camera) => camera.state !== "up");
  paint(section, [view.boom, passage?.state, passage?.plate, passage?.verdict?.verdict, down, getLanguage()], () => {
    const boom = h("div", { class: "boom" });
    drawBoom(boom, view.boom, getLanguage());
    const kind = passage ? bannerKind(passage) : "nobody";
    const words = !passage ? t("passage.nobody") : ["past", "none", "not_opened"].includes(kind) ? t(`state.${passage.state}`) : t(`verdict.${unknownKind(passage) ?? kind}`);
    return [
      boom,
      h("div", { class: "lane-words", "data-kind": kind }, passage?.plate && plateSign(passage.plate, true), h("p", { text: words })),
      ...down.map((camera) => h("p", { class: "caution", text: t(`status.camera_${camera.state}`, { id: camera.id }) })),
    ];
  });
}

async function ask() {
  try {
    const answer = await fetch("/lanes.json", { cache: "no-store", signal: AbortSignal.timeout(1500) });
    if (answer.status === 401) return location.assign("/sign-in");
    const told = await answer.json();
    views = told.lanes;
    heard = performance.now();
    setText($("now"), fullClock(told.now));
    draw();
  } catch {
    // silent: shown below
  }
  setTimeout(ask, 500);
}

setInterval(() => {
  const silentMs = performance.now() - heard;
  $("gone").hidden = silentMs < 1700;
  if (silentMs >= 1700) setText($("gone-text"), t("gone.text", { seconds: Math.round(silentMs / 1000) }));
}, 100);
$("language").addEventListener("click", () => { switchLanguage(); draw(); });
$("sign-out")?.addEventListener("click", async () => {
  await fetch("/sign-out", { method: "POST", headers: { "X-CSRF-Token": boot.csrf } }).catch(() => {});
  location.assign("/sign-in");
});
translateFixed();
setText($("now"), fullClock(boot.now));
draw();
ask();
