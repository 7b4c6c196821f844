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

async function ask(deed) {
  const text = await post(deed, "form");
  const at = scrollY;
  form.innerHTML = text;
  const next = form.querySelector("[autofocus]");
  scrollTo(0, at);
  if (deed === "add-member" && next) next.focus();
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-part]");
  if (!button) return;
  event.preventDefault();
  ask(button.value).catch(() => { button.removeAttribute("data-part"); button.click(); });
});
form.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose]")) {
    const id = event.target.id;
    ask("place").then(() => document.getElementById(id)?.focus(), () => {});
  }
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
