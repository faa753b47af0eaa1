// The calibration page: region and line drawn by finger on the live picture; the read rate follows the finger.
import { paint, setText, svg, h } from "./dom.js";
import { boot, getLanguage, switchLanguage, t, translateFixed } from "./words.js";

const $ = (id) => document.getElementById(id);
const camera = boot.view;
const WIDE = 1600, HIGH = 900;
const NEAR = 70; // how far from a handle a finger may land, in units of the drawing
const WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]];
const first = { region: camera.region ?? null, line: camera.line ?? null };
let drawn = structuredClone(first);
let tool = "region";
let history = [];
let sights = [];
let found = [];
let held = null;

const clamp = (v) => Math.min(1, Math.max(0, v));

function inside([x, y], polygon) {
  let within = false;
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon[(i + 1) % polygon.length];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  });
  return within;
}

const beyond = ([x, y], [[x1, y1], [x2, y2]]) => (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
const counts = (point) => (!drawn.region || inside(point, drawn.region)) && (!drawn.line || beyond(point, drawn.line) >= 0);

function rates() {
  const within = sights.filter(([x, y]) => counts([x, y]));
  const read = (list) => list.filter((one) => one[2]).length;
  setText($("rate-region"), t("calibrate.rate_region", { read: read(within), of: within.length }));
  setText($("rate-whole"), t("calibrate.rate_whole", { read: read(sights), of: sights.length }));
  $("rate-region").dataset.read = read(within);
  $("rate-region").dataset.of = within.length;
}

const px = ([x, y]) => [x * WIDE, y * HIGH];
const points = (list) => list.map((point) => px(point).join(",")).join(" ");

function draw() {
  const parts = sights.slice(-150).map(([x, y, read]) => svg("circle", { cx: x * WIDE, cy: y * HIGH, r: 12, class: read ? "read" : "lost" }));
  if (drawn.region) {
    parts.push(svg("polygon", { points: points(drawn.region), class: "edge" }), svg("polygon", { points: points(drawn.region) }));
  }
  if (drawn.line) {
    const [[x1, y1], [x2, y2]] = drawn.line.map(px);
    for (const kind of ["edge", "line"]) parts.push(svg("line", { x1, y1, x2, y2, class: kind }));
    // A short stroke on the side that is read.
    const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    parts.push(svg("line", { x1: mx, y1: my, x2: mx - ((y2 - y1) / length) * 60, y2: my + ((x2 - x1) / length) * 60, class: "line" }));
  }
  for (const [of, list] of [["region", drawn.region], ["line", drawn.line]]) {
    for (const point of list ?? []) {
      const [cx, cy] = px(point);
      parts.push(svg("circle", { cx, cy, r: 22, class: `handle of-${of}` }));
    }
  }
  $("canvas").replaceChildren(...parts);
  rates();
  $("back").disabled = history.length === 0;
}

function words(places) {
  return "way" in places ? { ...places, way: t(`calibrate.${places.way}`) } : places;
}

function advice() {
  paint($("findings"), [found, getLanguage()], () => found.map(({ code, numbers }) => h("li", { text: t(`calibrate.${code}`, words(numbers)) })));
}

// ---- drawing with a finger: a handle near the finger moves, elsewhere a new corner is set

function at(event) {
  const box = $("canvas").getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

const far = (a, b) => Math.hypot((a[0] - b[0]) * WIDE, (a[1] - b[1]) * HIGH);

function nearest(point) {
  let best = null;
  for (const of of ["region", "line"]) {
    (drawn[of] ?? []).forEach((corner, i) => {
      const distance = far(point, corner);
      if (distance <= NEAR && (!best || distance < best.distance)) best = { of, i, distance };
    });
  }
  return best;
}

function begin(event) {
  if (!event.isPrimary) return;
  event.preventDefault();
  const point = at(event);
  history.push(structuredClone(drawn));
  held = nearest(point);
  if (!held) held = tool === "line" ? newLine(point) : newCorner(point);
  $("canvas").setPointerCapture(event.pointerId);
  draw();
}

function newLine(point) {
  drawn.line = [point, point];
  return { of: "line", i: 1 };
}

/** Corners are drawn one after the other; a further one goes into the edge that it lies nearest to. */
function newCorner(point) {
  const list = drawn.region ?? [];
  let into = list.length;
  if (list.length >= 3) {
    const detour = (i) => far(point, list[i]) + far(point, list[(i + 1) % list.length]) - far(list[i], list[(i + 1) % list.length]);
    into = list.map((_, i) => i).reduce((a, b) => (detour(b) < detour(a) ? b : a)) + 1;
  }
  drawn.region = list.toSpliced(into, 0, point);
  return { of: "region", i: into };
}

function move(event) {
  if (!held) return;
  drawn[held.of][held.i] = at(event);
  draw();
}

function end() {
  if (held?.of === "line" && far(...drawn.line) < NEAR) drawn.line = null;
  held = null;
  draw();
}

const choose = (name) => () => {
  tool = name;
  for (const one of ["region", "line"]) $(`tool-${one}`).setAttribute("aria-pressed", String(one === name));
};

// ---- the way to the gate

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": boot.csrf }, body: JSON.stringify(body),
    signal: AbortSignal.timeout(8000),
  });
  return answer.json();
}

function say(code) {
  $("said").dataset.t = code;
  setText($("said"), t(code));
}

async function press(path, body) {
  $("save").disabled = $("undo").disabled = true;
  try {
    const told = await post(path, body);
    say(told.code.includes(".") ? told.code : "calibrate.not_written");
    return told.done;
  } catch {
    say("calibrate.not_written");
    return false;
  } finally {
    $("save").disabled = !camera.writable;
    $("undo").disabled = false;
  }
}

async function save() {
  if (drawn.region && drawn.region.length < 3) return say("calibrate.three");
  if (await press(`/calibrate/${camera.id}/save`, drawn)) history = [];
}

async function undo() {
  if (await press("/calibrate/undo", {})) location.reload();
}

async function ask() {
  try {
    const answer = await fetch(`/calibrate/${camera.id}/sights.json`, { cache: "no-store", signal: AbortSignal.timeout(3000) });
    if (answer.status === 401) return location.assign("/sign-in");
    ({ sights, findings: found } = await answer.json());
    if (!held) draw();
    advice();
  } catch {
    // asked again below
  }
  $("live").src = `/lane/${camera.lane}/live/${camera.id}.jpg?${Date.now()}`;
  setTimeout(ask, 500);
}

const canvas = $("canvas");
// A quick stroke must not count as a fling: the browser would swallow the tap that follows.
canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
canvas.addEventListener("pointerdown", begin);
canvas.addEventListener("pointermove", move);
for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, end);
$("tool-region").addEventListener("click", choose("region"));
$("tool-line").addEventListener("click", choose("line"));
$("clear").addEventListener("click", () => { history.push(structuredClone(drawn)); drawn[tool] = null; draw(); });
$("back").addEventListener("click", () => { drawn = history.pop() ?? drawn; draw(); });
$("save").addEventListener("click", save);
$("undo").addEventListener("click", undo);
$("language").addEventListener("click", () => { switchLanguage(); draw(); advice(); });
translateFixed();
draw();
ask();
