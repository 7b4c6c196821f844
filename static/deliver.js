// The delivery form: steppers, who receives, which proof, and a signature drawn as one vector path.
"use strict";

const form = document.querySelector("[data-deliver]");
const button = form.querySelector("[data-button]");
const quantities = [...form.querySelectorAll("input[data-item]")];

function say() {
  const parts = quantities.filter((one) => Number(one.value) > 0).map((one) => `${one.dataset.item} ${Number(one.value)}`);
  const joint = document.documentElement.lang.startsWith("zh") ? "、" : ", ";
  button.textContent = parts.length ? form.dataset.save + parts.join(joint) : form.dataset.none;
}

form.querySelectorAll("[data-step]").forEach((one) => one.addEventListener("click", () => {
  const input = one.parentElement.querySelector("input");
  input.value = Math.max(0, (Number(input.value) || 0) + Number(one.dataset.step));
  say();
}));
quantities.forEach((one) => one.addEventListener("input", say));

const name = form.elements.name;
function receiver() {
  const as = form.elements.as.value;
  form.querySelector("[data-other]").hidden = as === "head" || as === "institution";
  if (as === "head") name.value = name.dataset.head;
  else if (as !== "institution" && name.value === name.dataset.head) name.value = "";
}
function proof() {
  form.querySelectorAll("[data-proof]").forEach((one) => { one.hidden = one.dataset.proof !== form.elements.proof.value; });
}
form.querySelectorAll("input[name=as]").forEach((one) => one.addEventListener("change", receiver));
form.querySelectorAll("input[name=proof]").forEach((one) => one.addEventListener("change", proof));

// The signature: points in a box of 480 × 176, one decimal at most, small movements left out.
const pad = form.querySelector("[data-sign]");
const drawing = pad.querySelector("svg");
const path = drawing.querySelector("path");
const field = form.elements.signature;
let strokes = field.value;
let last = null;

function point(event) {
  const to = drawing.getScreenCTM().inverse();
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(to);
  return [Math.min(480, Math.max(0, Math.round(at.x))), Math.min(176, Math.max(0, Math.round(at.y)))];
}
function draw(text) {
  if (strokes.length + text.length > 50000) return;
  strokes += text;
  path.setAttribute("d", strokes);
  field.value = strokes;
}
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
["pointerup", "pointercancel"].forEach((kind) => pad.addEventListener(kind, () => { last = null; }));
pad.querySelector("[data-again]").addEventListener("click", () => { strokes = ""; draw(""); });

receiver();
proof();
say();
