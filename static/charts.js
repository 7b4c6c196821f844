// Draws the tables that have a place for it: bars of the cells with a value, in the colours of the page. The numbers are
// those of the table and nothing else; without this script there is the table.
"use strict";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const MOST = 31;
const drawn = [];

const draw = (place) => {
  const table = document.getElementById(place.dataset.chart);
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows].filter((row) => row.querySelector("[data-value]")).slice(0, MOST);
  if (!rows.some((row) => [...row.querySelectorAll("[data-value]")].some((cell) => Number(cell.dataset.value)))) return;
  const series = heads.map((head, at) => ({ head, at })).filter(({ head }) => head.hasAttribute("data-series"));
  const looks = [[colour("--accent"), colour("--accent")], [colour("--sheet"), colour("--attend")]];
  place.hidden = false;
  place.style.height = `${Math.max(9, rows.length * 1.6 + 4)}rem`;
  const canvas = place.querySelector("canvas");
  canvas.setAttribute("aria-label", table.dataset.label);
  drawn.push(new charts.Chart(canvas, {
    type: "bar",
    data: {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      datasets: series.map(({ head, at }, n) => ({
        label: head.textContent.trim(),
        data: rows.map((row) => Number(row.cells[at].dataset.value ?? 0)),
        backgroundColor: looks[n][0], borderColor: looks[n][1], borderWidth: 1.5, maxBarThickness: 22,
      })),
    },
    options: {
      indexAxis: "y", animation: false, maintainAspectRatio: false, responsive: true,
      scales: {
        x: { stacked: true, beginAtZero: true, ticks: { color: colour("--ink"), precision: 0 }, grid: { color: colour("--rule") } },
        y: { stacked: true, ticks: { color: colour("--ink"), autoSkip: false }, grid: { display: false } },
      },
      plugins: { legend: { display: true, position: "top", align: "start", labels: { color: colour("--ink"), boxWidth: 14 } } },
    },
  }));
};
const all = () => {
  while (drawn.length) drawn.pop().destroy();
  charts.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  for (const place of document.querySelectorAll("[data-chart]")) draw(place);
};
all();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
addEventListener("beforeprint", () => drawn.forEach((one) => one.resize()));
