// The live picture: asked for again and again, drawn on one canvas, with its age. A picture that stands still is shown as such.
import { setText } from "./dom.js";
import { drawBlob } from "./picture.js";
import { t } from "./words.js";

const FROZEN_MS = 1500;
const PAUSE_MS = 120; // about 8 pictures a second, so that two cameras leave the machine its breath

export class LivePicture {
  constructor(section, lane) {
    this.section = section;
    this.lane = lane;
    this.canvas = section.querySelector("canvas");
    this.alarm = section.querySelector(".picture-alarm");
    this.cameras = [];
    this.at = 0;
    this.tag = "";
    this.capturedMs = null; // when the shown picture was taken, on this page's own clock
    this.state = "starting";
    this.run();
    setInterval(() => this.judge(), 100);
  }

  /** The lane's cameras as the desk reports them. */
  show(cameras) {
    this.cameras = cameras;
    if (this.at >= cameras.length) this.at = 0;
    this.state = cameras[this.at]?.state ?? "down";
    this.judge();
  }

  next() {
    this.at = (this.at + 1) % Math.max(this.cameras.length, 1);
    this.tag = "";
    this.capturedMs = null;
    this.canvas.hidden = true;
    this.show(this.cameras);
  }

  get camera() {
    return this.cameras[this.at]?.id;
  }

  async run() {
    for (;;) {
      if (this.camera !== undefined && !document.hidden) await this.fetchOne(this.camera);
      await new Promise((then) => setTimeout(then, PAUSE_MS));
    }
  }

  async fetchOne(camera) {
    try {
      const answer = await fetch(`/lane/${this.lane}/live/${encodeURIComponent(camera)}.jpg`, {
        cache: "no-store",
        headers: this.tag ? { "If-None-Match": this.tag } : {},
        signal: AbortSignal.timeout(1500),
      });
      const ageMs = answer.headers.get("X-Frame-Age-Ms");
      if (answer.ok && answer.status === 200) await this.draw(await answer.blob(), camera, answer.headers.get("ETag"));
      if ((answer.status === 200 || answer.status === 304) && ageMs) this.capturedMs = performance.now() - Number(ageMs);
    } catch {
      // no answer: the picture grows old, and judge() says so
    }
  }

  async draw(blob, camera, tag) {
    const wanted = () => camera === this.camera;
    await drawBlob(this.canvas, blob, wanted);
    if (wanted()) this.tag = tag ?? "";
  }

  /** Says in words what is wrong with the picture, and greys it. */
  judge() {
    const ageMs = this.capturedMs === null ? null : performance.now() - this.capturedMs;
    let words = "";
    if (this.state === "down") words = t("picture.down");
    else if (this.state === "blind") words = t("picture.blind");
    else if (ageMs === null) words = t("picture.none");
    else if (this.state === "frozen" || ageMs > FROZEN_MS) {
      words = t("picture.frozen", { seconds: Math.max(1, Math.round(ageMs / 1000)) });
    }
    setText(this.alarm, words);
    this.alarm.hidden = words === "";
    this.section.classList.toggle("stale", words !== "");
  }
}
