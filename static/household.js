// The form of a household without reloading: rows come and go, and the steps down to a village, as the server makes them.
"use strict";

const form = document.querySelector("[data-household]");

async function ask(deed) {
  const data = new URLSearchParams(new FormData(form)); // not in parts: of those a form may have a thousand at most
  data.set("do", deed);
  data.set("part", "1");
  const answer = await fetch(location.href, { method: "POST", body: data, credentials: "same-origin" });
  if (!answer.ok) throw new Error(answer.status);
  const at = scrollY;
  form.innerHTML = await answer.text();
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
