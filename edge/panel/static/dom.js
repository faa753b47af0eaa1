// The smallest helpers for making and repainting parts of the page.

/** An element: h("p", {class: "soft", text: "…"}, child, …). Attributes as given; `text` as text, never as markup. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const painted = new WeakMap();

/** Repaints `element` only where what it shows has changed, so that nothing flickers and no finger loses its target. */
export function paint(element, shows, make) {
  const key = JSON.stringify(shows);
  if (painted.get(element) === key) return;
  painted.set(element, key);
  element.replaceChildren(...[make()].flat().filter(Boolean));
}

export const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** Press and hold for `ms`, by finger, mouse or key: `done` runs once; letting go earlier does nothing. */
export function holdable(button, done, ms = 1000) {
  let timer = null;
  const start = () => {
    if (timer !== null || button.disabled) return;
    button.classList.add("holding");
    timer = setTimeout(() => {
      end();
      done();
    }, ms);
  };
  const end = () => {
    clearTimeout(timer);
    timer = null;
    button.classList.remove("holding");
  };
  const isKey = (event) => event.key === " " || event.key === "Enter";
  button.addEventListener("pointerdown", (event) => event.isPrimary && event.button === 0 && start());
  for (const type of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(type, end);
  button.addEventListener("keydown", (event) => isKey(event) && !event.repeat && start());
  button.addEventListener("keyup", (event) => isKey(event) && end());
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}
