// The form of a household without reloading: rows come and go, and the steps down to a village, as the server makes them.
"use strict";

const form = document.querySelector("[data-household]");

async function post(deed, part) {
  const data = new URLSearchParams(new FormData(form)); // not in parts: of those a form may have a thousand at most
  data.set("do", deed);
  data.set("part", part);
  const answer = await fetch(location.href, { method: "POST", body: data, credentials: "same-origin" });
  if (!answer.ok) throw new Error(answer.status);
  return answer.text();
}

// What every field holds, by id: whatever is typed while the server answers is put into its answer.
const held = () => new Map([...form.elements].filter((one) => one.id)
  .map((one) => [one.id, one.type === "checkbox" ? one.checked : one.value]));

async function step(deed) {
  const sent = held();
  const text = await post(deed, "form");
  const since = [...held()].filter(([id, value]) => sent.get(id) !== value);
  const [at, focused] = [scrollY, document.activeElement.id];
  form.innerHTML = text;
  for (const [id, value] of since) {
    const field = document.getElementById(id);
    if (field) field[field.type === "checkbox" ? "checked" : "value"] = value;
  }
  const next = deed === "add-member" ? form.querySelector("[autofocus]") : document.getElementById(focused);
  scrollTo(0, at);
  if (next) next.focus();
}

// One after another: two quick clicks are two rows.
let turn = Promise.resolve();
const ask = (deed) => (turn = turn.catch(() => {}).then(() => step(deed)));

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-part]");
  if (!button) return;
  event.preventDefault();
  ask(button.value).catch(() => { button.removeAttribute("data-part"); button.click(); });
});
form.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose]")) ask("place").catch(() => {});
});

// Who may be registered already is shown while somebody types; saving asks again.
const TELLING = /^(head\.(name|id_number|phone|born)|name|division|members\..*\.(name|id_number))$/;
let newest = 0;
let timer = 0;
form.addEventListener("input", (event) => {
  if (!document.getElementById("alike") || !TELLING.test(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const mine = ++newest;
    try {
      const text = await post("look", "alike");
      const place = document.getElementById("alike");
      if (mine === newest && place && text.trim() !== place.innerHTML.trim()) place.innerHTML = text;
    } catch { /* saving asks as well */ }
  }, 500);
});

// On a laptop what is typed is kept in its database every few seconds: a flat battery loses no more than that.
let later = 0;
if ("drafts" in form.dataset) {
  form.addEventListener("input", () => {
    later = later || setTimeout(() => { later = 0; post("draft", "draft").catch(() => {}); }, 2000);
  });
  form.addEventListener("submit", () => { clearTimeout(later); later = 1; });
}
