// Paper day: all as planned at once; what is changed in a row ticks it; the button says how many will be saved.
"use strict";

const paper = document.querySelector("[data-paper]");
if (paper) {
  const rows = [...paper.querySelectorAll("[data-row]")].map((row) => ({
    row,
    tick: row.querySelector("input[type=checkbox]"),
    outcome: row.querySelector("select[name^='outcome.']"),
  }));
  const button = paper.querySelector("[data-button]");
  const all = paper.querySelector("[data-all]");
  const say = () => {
    const taken = rows.filter((one) => one.tick.checked || one.outcome.value).length;
    button.textContent = taken ? paper.dataset.some.replace("{n}", taken) : paper.dataset.none;
  };
  for (const { row, tick, outcome } of rows) {
    row.querySelector("details").addEventListener("input", () => { tick.checked = !outcome.value; });
  }
  all.hidden = false;
  all.addEventListener("click", () => {
    rows.forEach(({ tick, outcome }) => { tick.checked = !outcome.value; });
    paper.dispatchEvent(new Event("change"));
  });
  ["input", "change"].forEach((kind) => paper.addEventListener(kind, say));
  say();
}
