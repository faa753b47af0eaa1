// Accounts, changed by two at the screen. The page made anew shows what is so; nothing is kept of a PIN.
import { boot, t, tOr } from "./words.js";

const ASKS = { add: ["add", "role", "pin"], role: ["role"], pin: ["pin"] };
const $ = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector(`input[name=${name}]:checked`)?.value ?? "";
const tell = (kind, text) => {
  $("message").className = `message ${kind}`;
  $("message").textContent = text;
};

document.addEventListener("change", (event) => {
  if (event.target.name !== "what") return;
  const asks = ASKS[event.target.value] ?? [];
  for (const part of ["add", "role", "pin"]) $(`for-${part}`).hidden = !asks.includes(part);
});

function asked() {
  const what = chosen("what");
  const asks = ASKS[what] ?? [];
  const body = { what, id: what === "add" ? $("new-id").value.trim() : chosen("account"), second: { id: chosen("second"), pin: $("second-pin").value } };
  if (what === "add") body.name = $("new-name").value.trim();
  if (asks.includes("role")) body.role = chosen("role");
  if (asks.includes("pin")) body.pin = $("new-pin").value;
  return body;
}

async function change() {
  const body = asked();
  if (!body.what || !body.id || !body.second.id) return tell("bad", t("people.choose"));
  if (body.pin !== undefined && body.pin !== $("new-pin-again").value) return tell("bad", t("people.pins_differ"));
  $("change-account").disabled = true;
  tell("recording", t("people.recording"));
  let answer = { done: false, code: "unsure", detail: "" };
  try {
    const got = await fetch("/people", {
      method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": boot.csrf }, body: JSON.stringify(body),
      signal: AbortSignal.timeout(8000),
    });
    answer = await got.json();
  } catch {
    // no answer: the page made anew shows whether it was done
  }
  if (answer.done) return location.reload();
  for (const id of ["second-pin", "new-pin", "new-pin-again"]) $(id).value = "";
  $("change-account").disabled = false;
  tell("bad", [tOr(`people.${answer.code}`, tOr(`result.${answer.code}`, answer.code)), answer.detail].filter(Boolean).join(" "));
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#change-account")) change();
});
