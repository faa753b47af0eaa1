// An empty lane at night is a dark glass: black after a while without a vehicle, a touch or anything wrong, and back at once when one of
// them comes. The first touch only wakes; nothing is pressed through the dark. And a sign of life of this page for whoever restarts it.

const BLANK_MS = Number(document.documentElement.dataset.blankMs ?? 10 * 60_000);
const ASK_MS = 2000;
const dark = document.createElement("div");
dark.id = "dark";
dark.hidden = true;
dark.setAttribute("aria-hidden", "true");
document.body.append(dark);

let stirred = performance.now();
let needed = false;

const judge = () => { dark.hidden = needed || performance.now() - stirred < BLANK_MS; };

/** Something stands on the screen that somebody must see. */
export function need(on) {
  needed = on;
  if (on) stirred = performance.now();
  judge();
}

export function stir() {
  stirred = performance.now();
  judge();
}

/** Also while nobody is signed in: the gate says whether a vehicle stands somewhere. */
async function ask() {
  try {
    const answer = await fetch("/healthz?page", { cache: "no-store", signal: AbortSignal.timeout(1500) });
    if ((await answer.json()).waiting) stir();
  } catch {
    stir(); // the gate does not answer: that is to be seen
  }
  setTimeout(ask, ASK_MS);
}

// The dark takes the whole touch, its click too, and goes only then: or that click would press what lies beneath.
dark.addEventListener("click", stir);
addEventListener("pointerdown", (event) => event.target !== dark && stir(), true);
addEventListener("keydown", stir, true);
setInterval(judge, 500);
ask();
