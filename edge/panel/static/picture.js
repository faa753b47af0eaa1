// Pictures on canvases of their own. A browser keeps what an <img> decoded, up to a thousand pictures: half a gigabyte on a page that shows
// photos for a whole shift and is never left. What was drawn on a canvas goes with it.
import { h } from "./dom.js";

const photoUrl = (id) => `/evidence/${encodeURIComponent(id)}.jpg`;

/** A stored photo or cut-out by its id; empty until it came. `attributes` with an `aria-label`. */
export function picture(id, attributes) {
  const canvas = h("canvas", { role: "img", width: 1, height: 1, ...attributes });
  fetch(photoUrl(id), { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.blob().then((blob) => drawBlob(canvas, blob)) : null))
    .catch(() => {}); // no answer: the band over the page says why
  return canvas;
}

/** Draws a JPEG, in its own size; `wanted` is asked once it is decoded. */
export async function drawBlob(canvas, blob, wanted = () => true) {
  const bitmap = await createImageBitmap(blob);
  if (wanted()) {
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    canvas.hidden = false;
    canvas.dataset.drawn = "";
  }
  bitmap.close();
}
