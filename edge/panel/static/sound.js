// What must be heard: a vehicle at the boom, an alarm, a boom that is wrong. Tones made here, no file and nothing from outside.
// An alarm sounds again and again until somebody touches the screen or it is over; a new one sounds anew. Only the vehicle's tone may be
// switched off, and stays off on this screen; a watched vehicle sounds like any other (its driver hears it, too).

/** [Hz, begins at ms, lasts ms] of each tone. */
const TUNES = {
  vehicle: [[523, 0, 180], [659, 200, 260]],
  alarm: [[880, 0, 180], [880, 260, 180], [880, 520, 180]],
  boom: [[988, 0, 300], [622, 320, 300], [988, 640, 300], [622, 960, 300]],
};
const AGAIN_MS = 4000;
const STALE_MS = 1500;
const KEPT = "barie_vehicle_tone";

let context = null;
let next = null; // the tune to be played as soon as the context runs: of two at once the later, which is the alarm
let resuming = false;
let timer = null;
let known = new Set(); // what is wrong now, as last told
let sounding = new Set(); // of it, what nobody has answered by a touch
let vehicle = null;

export const vehicleTone = () => localStorage.getItem(KEPT) !== "off";
export const switchVehicleTone = () => localStorage.setItem(KEPT, vehicleTone() ? "off" : "on");

/** What stands on the screen now. `alarms` are the codes of whatever must be answered, those of the boom beginning with "boom". */
export function hear(passageId, alarms) {
  if (passageId && passageId !== vehicle && vehicleTone()) play("vehicle");
  vehicle = passageId;
  const fresh = alarms.filter((code) => !known.has(code));
  known = new Set(alarms);
  sounding = new Set([...sounding, ...fresh].filter((code) => known.has(code)));
  if (fresh.length > 0) ring();
  if (sounding.size === 0) hush();
}

function ring() {
  clearTimeout(timer);
  play([...sounding].some((code) => code.startsWith("boom")) ? "boom" : "alarm");
  timer = setTimeout(ring, AGAIN_MS);
}

function hush() {
  clearTimeout(timer);
  sounding.clear();
}

function play(name) {
  document.body.dataset.sound = name; // what was last heard, for whoever looks after the screen
  context ??= new AudioContext();
  next = name;
  // A browser that lets nothing sound before the first touch keeps this waiting for hours: one wait is enough, and an old sound no news.
  if (resuming) return;
  resuming = true;
  const asked = performance.now();
  context.resume().then(() => {
    if (performance.now() - asked > STALE_MS) return;
    for (const [hz, beginsMs, lastsMs] of TUNES[next]) tone(hz, context.currentTime + beginsMs / 1000, lastsMs / 1000);
  }).catch(() => {}).finally(() => { resuming = false; });
}

/** One tone with soft edges. */
function tone(hz, at, lasts) {
  const source = new OscillatorNode(context, { frequency: hz, type: "triangle" });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.5, at + 0.02);
  volume.gain.setValueAtTime(0.5, at + lasts - 0.04);
  volume.gain.linearRampToValueAtTime(0, at + lasts);
  source.connect(volume).connect(context.destination);
  source.start(at);
  source.stop(at + lasts);
}

addEventListener("pointerdown", () => {
  hush();
  context?.resume().catch(() => {});
});
