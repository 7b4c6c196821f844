// The delivery form: steppers, who receives, which proof. The pad to sign on is sign.js, what is typed
// is kept by drafts.js.
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
  input.dispatchEvent(new Event("input", { bubbles: true }));
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

// How cash is given is asked where cash is.
const method = form.querySelector("[data-method]");
const cash = quantities.filter((one) => one.type !== "number");
function paid() {
  if (method) method.hidden = !cash.some((one) => parseFloat(one.value) > 0);
}
cash.forEach((one) => one.addEventListener("input", paid));

// Where the machine knows its position and was allowed to tell, it is noted; nobody is asked while a queue waits.
if (navigator.geolocation && navigator.permissions) {
  navigator.permissions.query({ name: "geolocation" }).then((right) => {
    if (right.state !== "granted") return;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      form.elements.at.value = `${coords.latitude} ${coords.longitude} ${coords.accuracy}`;
    }, () => {}, { enableHighAccuracy: true, timeout: 10000, maximumAge: 60000 });
  }).catch(() => {});
}

receiver();
proof();
paid();
say();
