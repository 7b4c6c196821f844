// The chip stays fresh while a page is open, and the search box answers while somebody types. All works without it.
"use strict";

// A page that came by POST (a search, a refused form, numbers in full) becomes the page at its address: the browser
// keeps no form in its history, and a reload asks for the page, not for the deed again.
const address = document.body.dataset.address;
if (address) history.replaceState(null, "", address);

const chip = document.querySelector("[data-chip]");
const live = document.querySelector("[data-live]"); // what else changes by itself, on the sync page
const shown = new Map();
// Each part of the answer goes where the page has it; what somebody opened stays open.
const renew = (text) => {
  const answer = new DOMParser().parseFromString(text, "text/html");
  for (const part of answer.querySelectorAll("[data-part]")) {
    const place = document.querySelector(`main [data-part="${part.dataset.part}"]`);
    const fresh = part.innerHTML.trim();
    if (!place || (shown.get(place) ?? place.innerHTML.trim()) === fresh) continue;
    const open = [...place.querySelectorAll("details")].map((one) => one.open);
    place.innerHTML = fresh;
    shown.set(place, fresh);
    place.querySelectorAll("details").forEach((one, i) => { if (i in open) one.open = open[i]; });
  }
};
if (chip) {
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(chip.dataset.chip, { credentials: "same-origin", redirect: "error" });
      if (answer.ok) {
        const text = await answer.text();
        if (text.trim() !== chip.innerHTML.trim()) chip.innerHTML = text;
      }
      const part = live && await fetch(live.dataset.live, { credentials: "same-origin", redirect: "error" });
      if (part && part.ok) renew(await part.text());
    } catch { /* the page was left, or the program is being restarted: the next try tells */ }
  };
  setInterval(refresh, 2000);
}

const search = document.querySelector("[data-search]");
if (search) {
  const box = search.querySelector("input[name=q]");
  const found = document.getElementById("found");
  let newest = 0;
  let timer = 0;
  const ask = async () => {
    const mine = ++newest;
    const form = new FormData(search);
    form.set("part", "1");
    try {
      const answer = await fetch(search.action, { method: "POST", body: form, credentials: "same-origin" });
      if (mine === newest && answer.ok) found.innerHTML = await answer.text();
    } catch { /* the button still works */ }
  };
  const filtered = () => [...search.querySelectorAll("select, [type=date]")].some((one) => one.value);
  const soon = () => {
    clearTimeout(timer);
    if (box.value.trim() || filtered()) timer = setTimeout(ask, 120);
    else { newest++; found.replaceChildren(); }
  };
  search.addEventListener("input", soon);
  search.addEventListener("submit", () => newest++);

  // Down from the box into the list, up and down in it, and up again into the box; Enter opens, as in any list of links.
  const step = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const links = [...found.querySelectorAll(".found a.place")];
    const at = links.indexOf(document.activeElement);
    const next = at + by < 0 ? box : links[at + by];
    if ((event.target !== box && at < 0) || !next || (at < 0 && by < 0)) return;
    event.preventDefault();
    next.focus();
  };
  box.addEventListener("keydown", step);
  found.addEventListener("keydown", step);
}

// A double click sends once; coming back by the back button makes the form usable again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (!form.matches("[data-search], [data-file]")) form.dataset.sent = "1";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
