// A pad to sign on: one vector path in a box of 480 × 176, small movements left out, kept in the form's field `signature`.
"use strict";

for (const pad of document.querySelectorAll("[data-sign]")) {
  const drawing = pad.querySelector("svg");
  const path = drawing.querySelector("path");
  const field = pad.closest("form").elements.signature;
  let strokes = field.value;
  let last = null;

  const point = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    return [Math.min(480, Math.max(0, Math.round(at.x))), Math.min(176, Math.max(0, Math.round(at.y)))];
  };
  const draw = (text) => {
    if (strokes.length + text.length > 50000) return;
    strokes += text;
    path.setAttribute("d", strokes);
    field.value = strokes;
  };
  const told = () => pad.dispatchEvent(new Event("drawn", { bubbles: true }));
  pad.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button")) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    last = point(event);
    draw(`M${last[0]} ${last[1]}L${last[0]} ${last[1]}`);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const one of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) {
      const at = point(one);
      if (Math.abs(at[0] - last[0]) + Math.abs(at[1] - last[1]) < 2) continue;
      last = at;
      draw(` ${at[0]} ${at[1]}`);
    }
  });
  ["pointerup", "pointercancel"].forEach((kind) => pad.addEventListener(kind, () => { if (last) told(); last = null; }));
  pad.querySelector("[data-again]").addEventListener("click", () => { strokes = ""; draw(""); told(); });
}
