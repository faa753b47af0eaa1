// The driver's sign: shows one word of four. It says stop until the gate speaks, and again when the gate falls silent.
const SILENT_MS = 1600; // beats come twice a second; checked each 100 ms, silence says stop within 2 s
const { lane } = document.body.dataset;
let heard = -Infinity;
let source = null;
let opened = performance.now();

function show(word) {
  if (document.body.dataset.sign === word) return;
  document.body.dataset.sign = word;
  for (const section of document.querySelectorAll(".sign")) section.hidden = section.id !== `sign-${word}`;
}

function open() {
  opened = performance.now();
  source?.close();
  source = new EventSource(`/sign/${lane}/events`);
  source.addEventListener("sign", (event) => {
    heard = performance.now();
    show(JSON.parse(event.data).sign);
  });
}

open();
setInterval(() => {
  const now = performance.now();
  if (now - heard > SILENT_MS) show("stop");
  // A stream that hangs, or was refused, is opened anew.
  if (now - Math.max(heard, opened) > 3000) open();
}, 100);
