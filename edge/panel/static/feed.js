// The line to the gate process: the lane's view as it changes, beats in between, and knowing when it went silent.
import { boot } from "./words.js";

const SILENT_MS = 1600; // beats come twice a second; checked each 100 ms, silence shows within 2 s and one late beat does not

/** Follows a lane. `on.view`, `on.beat`, `on.locked` are called as the server speaks; `on.silent(ms)` while it does not. */
export function follow(lane, on) {
  let heard = performance.now();
  let opened = heard;
  let source = null;

  const open = () => {
    opened = performance.now();
    source = new EventSource(`/lane/${lane}/events`);
    listen("hello", (data) => {
      boot.csrf = data.csrf;
      if (data.boot !== boot.boot) on.restarted();
    });
    listen("view", on.view);
    listen("beat", on.beat);
    listen("locked", (data) => {
      source.close();
      source = null;
      on.locked(data.code);
    });
    source.addEventListener("error", () => source?.readyState === EventSource.CLOSED && askWhy());
  };
  const listen = (name, then) =>
    source.addEventListener(name, (event) => {
      heard = performance.now();
      then(JSON.parse(event.data));
    });
  // A refused stream says nothing of why: a locked screen, or a server that is being restarted.
  const askWhy = async () => {
    source = null;
    try {
      const answer = await fetch(`/lane/${lane}/view.json`, { cache: "no-store", signal: AbortSignal.timeout(3000) });
      if (answer.status === 401) return on.locked((await answer.json()).code);
    } catch {
      // silent: shown as such
    }
    setTimeout(open, 500);
  };

  open();
  setInterval(() => {
    const silentMs = performance.now() - heard;
    on.silent(silentMs > SILENT_MS ? silentMs : 0);
  }, 100);
  // A stream that hangs without an error is opened anew.
  setInterval(() => {
    if (source === null || performance.now() - Math.max(heard, opened) < 3000) return;
    source.close();
    open();
  }, 500);
}
