// The lane's page: follows the lane, shows what it is told, and sends one press at a time.
import { drawBoom } from "./boom.js";
import { askPaper } from "./paper.js";
import { askMore, askSeals, waiting } from "./ways.js";
import { askChecked, askDeclaration, askOverSure, askVehicle, askPlate, askReason, close as closeSheet, closeIfNot, isOpen, onToggle, showStep } from "./dialogs.js";
import { holdable, setText } from "./dom.js";
import { follow } from "./feed.js";
import { LivePicture } from "./live.js";
import { bannerKind, unknownKind, drawFacts, drawVerdict } from "./passage.js";
import { drawPhoto, drawPlate } from "./plate.js";
import { keepAwake, press } from "./press.js";
import { need } from "./blank.js";
import { hear } from "./sound.js";
import { alarms, drawStatus } from "./status.js";
import { drawSteps } from "./steps.js";
import { boot, clock, fault, fullClock, getLanguage, name, refusal, switchLanguage, t, tOr, translateFixed } from "./words.js";

const SETTLE_MS = 400; // a finger already on its way must not open for the vehicle that has just taken the other's place
const READ_MS = 5000; // a message stands for so long at least
const $ = (id) => document.getElementById(id);
const lane = boot.view.lane;
const live = new LivePicture($("live"), lane);

let view = boot.view;
let status = boot.view;
let silent = false;
let locked = false;
let restarted = false;
let busy = null; // the action being recorded
let message = null; // () => [class, text], made anew on a change of language
let toldAt = 0;
let forgetting = null;
let steadyAt = 0; // when the passage shown has stood long enough to be pressed for

function showView(next) {
  const before = view.passage?.id;
  view = status = next;
  if (before !== view.passage?.id) {
    steadyAt = performance.now() + SETTLE_MS;
    setTimeout(showButtons, SETTLE_MS + 10);
    if (closeIfNot(view.passage?.id)) tell(() => ["caution", t("dialog.passage_changed")]);
    else forget();
  }
  draw();
}

function draw() {
  const language = getLanguage();
  const { passage } = view;
  setText($("lane-name"), name(view.name));
  setText($("lane-place"), `${t(`place.${view.place}`)} · ${t(`direction.${view.direction}`)} · ${t(`mode.${view.mode}`)}${yardText()}`);
  drawPlate($("plate-row"), view, language, () => open("type_plate"));
  drawPhoto($("photo"), passage, language);
  drawVerdict($("verdict"), passage, language);
  drawFacts($("facts"), view, language, open);
  const n = waiting(view);
  setText($("more"), n > 0 ? `${t("more.title")} (${n})` : t("more.title"));
  $("more").classList.toggle("caution", n > 0);
  $("paper-band").hidden = !view.paper;
  drawSteps($("steps"), passage, language, showStep);
  drawBoom($("boom"), { ...view.boom, not_lowered: view.not_lowered }, language);
  document.body.dataset.passage = passage?.state ?? "none";
  showStatus();
  showButtons();
}

/** " · Bãi 12/200 xe (6 %)": how full the yard behind a yard gate is. */
function yardText() {
  const yard = view.yard;
  if (!yard) return "";
  const places = { count: yard.count, capacity: yard.capacity, percent: Math.round(yard.percent) };
  return ` · ${t(yard.doubtful ? "yard.doubtful" : yard.full ? "yard.full" : "yard.level", places)}`;
}

function showStatus() {
  live.show(status.cameras);
  setText($("live-camera"), status.cameras.length > 1 ? live.camera : "");
  $("next-camera").hidden = status.cameras.length < 2;
  drawStatus($("status"), status);
  listen();
}

/** The booth hears what it must, and the glass is not dark while there is something to see. */
function listen() {
  const wrong = alarms({ ...status, boom: view.boom }, silent);
  hear(view.passage?.id ?? null, wrong);
  need(view.passage !== null || wrong.length > 0 || view.boom.state !== "closed" || view.boom.held || isOpen());
}

function showButtons() {
  const can = new Set(silent || locked ? ["stop"] : view.can);
  const steady = performance.now() >= steadyAt;
  const inDialog = isOpen();
  for (const button of document.querySelectorAll("button[data-action]")) {
    const action = button.dataset.action;
    const mayNow = action === "stop" || (busy === null && (!inDialog || action.includes("hold")));
    button.disabled = !can.has(action) || !mayNow || (action === "confirm" && !steady);
    button.classList.toggle("recording", busy === action);
  }
  $("hold").hidden = view.boom.held;
  $("release_hold").hidden = !view.boom.held;
  $("close").hidden = !can.has("close");
  $("reset").hidden = !can.has("reset");
  setText($("confirm-why"), $("confirm").disabled && busy === null ? whyNoConfirm(can) : "");
}

function whyNoConfirm(can) {
  if (silent) return t("confirm_off.gone");
  if (locked) return t("locked.title");
  if (view.passage === null) return view.mode === "auto" ? t("mode.auto_long") : t("confirm_off.nobody");
  if (isOpen()) return t("confirm_off.dialog");
  if (can.has("confirm")) return "";
  const { state, verdict, actions = [] } = view.passage;
  if (bannerKind(view.passage) === "past") return ["turned_away", "left"].includes(state) ? t(`state.${state}`) : t("confirm_off.passing");
  if (verdict?.verdict === "ready") return whyNotYet(actions.includes("confirm"));
  return view.mode === "auto" ? t("mode.auto_long") : tOr(`confirm_off.${unknownKind(view.passage) ?? verdict?.verdict}`, t("confirm_off.busy"));
}

/** Everything is complete, and yet the boom would not open now: a fault that stands, a hold, nobody on the loop. */
function whyNotYet(mayOpen) {
  const { board_ok: answers, held, faults, present, emergency } = view.boom;
  if (emergency) return t("boom.emergency");
  if (!answers) return t("boom.board_down");
  if (held) return t("boom.held");
  if (faults.length > 0) return t("confirm_off.fault", { why: fault(faults[0]) });
  return t(present === false ? "confirm_off.not_here" : mayOpen ? "confirm_off.role" : "confirm_off.busy");
}

function tell(make) {
  clearTimeout(forgetting);
  message = make;
  toldAt = make ? performance.now() : 0;
  const [kind, text] = make ? make() : ["", ""];
  $("message").className = `message ${kind}`;
  setText($("message"), text);
}

/** What became of a press stays to be read, also where the vehicle it was about is gone the moment after. */
function forget() {
  clearTimeout(forgetting);
  const left = toldAt + READ_MS - performance.now();
  if (left > 0) forgetting = setTimeout(forget, left);
  else if (busy === null) tell(null);
}

async function send(action, more = {}) {
  const passage = view.passage?.id ?? null;
  const what = () => t(`action.${action}`);
  busy = action;
  tell(() => ["recording", t("pressed.recording", { what: what() })]);
  showButtons();
  const answer = await press(lane, { name: action, passage, ...more }, () => tell(() => ["caution", t("pressed.asking", { what: what() })]));
  const time = clock(new Date().toISOString());
  if (busy === action) busy = null;
  tell(() => outcome(answer, what(), time));
  showButtons();
  // A text over what the camera read surely is asked once more, and only about the vehicle that still stands there.
  if (answer.code === "over_sure" && view.passage?.id === passage) askOverSure(view.passage, more.value, answer.detail, () => send(action, { ...more, reason: "over_sure" }));
  if (restarted) reload();
  return answer;
}

/** Another start of the gate process serves another page; what became of the last press is carried over to it. */
function reload() {
  restarted = true;
  if (busy !== null) return;
  if (message) sessionStorage.setItem("message", JSON.stringify(message()));
  location.reload();
}

function carriedOver() {
  const kept = sessionStorage.getItem("message");
  sessionStorage.removeItem("message");
  if (kept) tell(() => JSON.parse(kept));
}

function outcome(answer, what, time) {
  const why = tOr(`result.${answer.code}`, answer.code);
  // Stop and hold only make safer: they are done before their record, and so also where there is none.
  if (answer.code.endsWith("_unrecorded")) return ["bad", t("pressed.unrecorded", { what, why })];
  if (answer.code === "unsure") return ["bad", t("pressed.unsure", { what })];
  if (!answer.done) return ["bad", t("pressed.refused", { what, why: refusal(answer) })];
  return ["good", t(answer.seq === null ? "pressed.done" : "pressed.done_seq", { what, time, seq: answer.seq })];
}

/** Opens the dialog of an action that needs one, about the passage on the screen now. */
function open(action) {
  if (!view.passage || !view.can.includes(action)) return;
  const then = (more) => send(action, more);
  const { needs } = boot.presses[action];
  if (action === "confirm") view.passage.needs_check ? askChecked(view.passage, then) : then({});
  else if (action === "type_plate") askPlate(view.passage, then);
  else if (action === "seals") askSeals(view.passage, then);
  else if (action === "paper_form") askPaper(view.passage, view.paper_options, (value) => send("paper_form", { value }));
  else if (action === "pick_declaration") askDeclaration(view.passage, then);
  else if (action === "pick_vehicle") askVehicle(view.passage, then);
  else needs.includes("reason") ? askReason(action, view.passage, then) : then({});
}

function showSilence(silentMs) {
  if (locked) return; // no stream any more, and the band says why
  if (silent !== silentMs > 0) {
    silent = silentMs > 0;
    showButtons();
    listen();
  }
  $("gone").hidden = !silent;
  if (silent) setText($("gone-text"), t("gone.text", { seconds: Math.round(silentMs / 1000) }));
}

for (const button of document.querySelectorAll("button[data-action]")) {
  const { action } = button.dataset;
  if ("hold" in button.dataset) holdable(button, () => send(action));
  else button.addEventListener("click", () => (action === "stop" ? send(action) : open(action)));
}
$("next-camera").addEventListener("click", () => { live.next(); showStatus(); });
$("more").addEventListener("click", () => askMore(view, "lists" in $("more").dataset, send));
$("language").addEventListener("click", () => {
  closeSheet(); // written in the other language; what was typed on paper's form is kept
  switchLanguage();
  if (message) tell(message);
  draw();
});
$("sign-out")?.addEventListener("click", async () => {
  await fetch("/sign-out", { method: "POST", headers: { "X-CSRF-Token": boot.csrf } }).catch(() => {});
  location.assign(`/sign-in?next=/lane/${lane}`);
});

onToggle(showButtons);
keepAwake();
translateFixed();
setText($("now"), fullClock(boot.now));
draw();
carriedOver();
follow(lane, {
  view: showView,
  beat: (beat) => {
    status = beat;
    setText($("now"), fullClock(beat.now));
    showStatus();
  },
  locked: () => {
    locked = true;
    $("locked").hidden = false;
    showButtons();
  },
  restarted: reload,
  silent: showSilence,
});
