// Was a photo read right? Said on the page of one passage; the page made anew shows what is now on record.
import { boot, t, tOr } from "./words.js";

const message = document.getElementById("message");
const tell = (kind, text) => {
  message.className = `message ${kind}`;
  message.textContent = text;
};

async function say(mark) {
  const { photo, passage, mark: said, truth } = mark.dataset;
  for (const each of document.querySelectorAll("[data-mark]")) each.disabled = true;
  tell("recording", t("label.recording"));
  const body = { photo, right: said === "right", truth: truth ? document.getElementById(truth).value.trim() : "" };
  let code = "label.unsure";
  try {
    const answer = await fetch(`/history/${passage}/label`, {
      method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": boot.csrf }, body: JSON.stringify(body),
      signal: AbortSignal.timeout(8000),
    });
    const told = await answer.json();
    if (told.done) return location.reload();
    code = told.code;
  } catch {
    // no answer: to say it once more does no harm, the last word counts
  }
  for (const each of document.querySelectorAll("[data-mark]")) each.disabled = false;
  tell("bad", tOr(code, t("label.refused")));
}

/** The field with its keys at once, so that nothing moves under the finger that comes next. */
function correct(sheet) {
  sheet.hidden = false;
  sheet.querySelector("input").focus();
  sheet.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-mark]");
  const open = event.target.closest(".marking [data-open]");
  if (mark) say(mark);
  else if (open) correct(document.getElementById(open.dataset.open));
});
