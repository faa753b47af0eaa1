// A badge reader types like a keyboard, only faster than any hand, and ends with Enter. Where its keys would have gone does not matter.

const HAND_MS = 60; // between two keys; a reader needs 1 to 20 ms, a quick hand 80
const SHORTEST = 6;

/** Calls `then(code)` for each badge that is read; what its first keys put into a field is taken out again. */
export function onBadge(then) {
  let code = "";
  let last = 0;
  let field = null;
  let before = "";
  const end = () => { code = ""; };
  addEventListener("keydown", (event) => {
    const fast = event.timeStamp - last < HAND_MS;
    last = event.timeStamp;
    if (event.key === "Enter") {
      const read = fast && code.length >= SHORTEST ? code : "";
      end();
      if (!read) return;
      event.preventDefault();
      event.stopPropagation();
      if (field) field.value = before;
      then(read);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (!fast || code === "") {
        code = "";
        field = event.target instanceof HTMLInputElement ? event.target : null;
        before = field?.value ?? "";
      }
      code += event.key;
    } else if (event.key !== "Shift") end(); // a reader presses Shift for its capitals
  }, true);
}
