// A press: sent once under its own key, answered after the record is on disk; where the answer is lost, the key is asked after,
// so that the guard is told "done", "not done" or, only where nobody can know, "look first".
import { boot } from "./words.js";

const ANSWER_MS = 4000;
const ASK_AGAIN_MS = 700;
const STALE_TRIES = 8;

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    cache: "no-store",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": boot.csrf },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (answer.status >= 500) throw new Error(`status ${answer.status}`);
  return answer.json();
}

/**
 * Sends one press of a lane: {name, passage, reason, words, value}. Calls `asking` when the answer got lost and is being asked for.
 * Resolves to the answer {done, code, seq, detail}; it never rejects and never sends an action twice.
 */
export async function press(lane, action, asking) {
  const key = newKey();
  try {
    return await post(`/lane/${lane}/action`, { key, reason: "", words: "", value: "", ...action });
  } catch {
    asking();
    return settle(lane, key);
  }
}

async function settle(lane, key) {
  for (let stale = 0; stale < STALE_TRIES; ) {
    try {
      const answer = await post(`/lane/${lane}/settle`, { key, boot: boot.boot });
      // Neither an old token (the stream brings the new one) nor an ended session says anything about the press itself.
      if (!["csrf", "signed_out"].includes(answer.code)) return answer;
      stale += 1;
    } catch {
      // no answer yet: the press stays open until there is one
    }
    await new Promise((then) => setTimeout(then, ASK_AGAIN_MS));
  }
  return { done: false, code: "unsure" };
}

/** Tells the server, now and then, that a person is at the screen, so that it does not lock under their hands. */
export function keepAwake() {
  let told = 0;
  document.addEventListener("pointerdown", () => {
    if (performance.now() - told < 20_000) return;
    told = performance.now();
    fetch("/touch", { method: "POST", headers: { "X-CSRF-Token": boot.csrf } }).catch(() => {});
  });
}
