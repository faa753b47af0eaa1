// One quiet line: link, cameras, clock, store, copy. It speaks up only when something is wrong.
import { h, paint, setText } from "./dom.js";
import { t } from "./words.js";

const BACKLOG_S = 60;
const COPY_OLD_S = 15 * 60;
const MOST = 3; // more would push the lane off a small screen; the alarm list has them all

/** Codes of what must be heard, beside the passage: the boom's begin with "boom". The same thing keeps its code in every language. */
export function alarms({ boom, store, clock, cameras, link, box }, silent) {
  return [
    silent && "gone",
    !boom.board_ok && "boom board_down",
    ...boom.faults.map((code) => `boom ${code}`),
    ["full", "failed"].includes(store.state) && `store_${store.state}`,
    clock === "unset" && "clock_unset",
    box?.care.includes("battery_low") && "battery_low",
    link.state === "refused" && "link_refused",
    ...cameras.filter((camera) => ["down", "frozen", "blind"].includes(camera.state)).map((camera) => `camera ${camera.id}`),
  ].filter(Boolean);
}

/** [weight, text] of everything that is wrong; weight 2 must be answered, 1 should be known, 0 is only said. */
function troubles({ link, cameras, clock, store, copy_age_s: copyAgeS, alarms: list, box }) {
  const found = [];
  for (const code of box?.care ?? []) found.push([code === "battery_low" ? 2 : 1, t(`status.box_${code}`, boxPlaces(box))]);
  if (list?.waiting > 0) found.push([list.worst === 1 ? 2 : 1, t("alarm_page.line", { n: list.waiting })]);
  const n = link.unacknowledged;
  if (store.state !== "ok") found.push([store.state === "low" ? 1 : 2, t(`status.store_${store.state}`)]);
  if (clock !== "synced") found.push([clock === "unset" ? 2 : 1, t(`status.clock_${clock}`)]);
  for (const camera of cameras) {
    if (camera.state !== "up") found.push([camera.state === "starting" ? 1 : 2, t(`status.camera_${camera.state}`, { id: camera.id })]);
  }
  if (link.state !== "up") found.push([link.state === "refused" ? 2 : 1, t(`status.link_${link.state}`, { n })]);
  else if (link.oldest_s !== null && link.oldest_s > BACKLOG_S) {
    found.push([1, t("status.backlog", { n, seconds: Math.round(link.oldest_s) })]);
  }
  if (copyAgeS === null) found.push([1, t("status.copy_none")]);
  else if (copyAgeS > COPY_OLD_S) found.push([1, t("status.copy_old", { minutes: Math.round(copyAgeS / 60) })]);
  if (link.state === "up" && link.centre === "untold") found.push([0, t("status.centre_untold")]);
  found.sort((a, b) => b[0] - a[0]);
  const others = found.length - MOST;
  return others > 1 ? [...found.slice(0, MOST), [1, t("status.more", { n: others })]] : found;
}

const boxPlaces = ({ temperature_c: degrees, battery_percent: percent }) => ({ degrees: Math.round(degrees), percent: percent ?? "?" });

/** The way to the alarm list: quiet until one waits for an answer. */
function drawAlarmLink(link, list) {
  if (!link) return;
  const n = list?.waiting ?? 0;
  setText(link, n > 0 ? `${list.worst === 1 ? "▲▲" : "▲"} ${t("alarm_page.count", { n })}` : t("office.alarms"));
  link.classList.toggle("waits", n > 0);
  link.classList.toggle("urgent", n > 0 && list.worst === 1);
}

export function drawStatus(list, status) {
  drawAlarmLink(document.getElementById("alarm-link"), status.alarms);
  const found = troubles(status);
  if (!found.some(([weight]) => weight > 0)) found.unshift([0, t("status.ok")]);
  paint(list, found, () =>
    found.map(([weight, text]) => h("li", { class: ["fine", "note", "bad"][weight] },
      weight > 0 && h("span", { "aria-hidden": "true", text: ["", "! ", "✕ "][weight] }), text)));
}
