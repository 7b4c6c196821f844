// One letter does what a button does, while the focus is in what has such keys: j and k go to the next item and back,
// the others click what bears them, in this item or else anywhere. All of it works without.
"use strict";

const keyed = document.querySelector("[data-keys]");
if (keyed) {
  const items = [...keyed.querySelectorAll("[data-item]")];
  const go = (item) => {
    if (!item) return;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "start" });
  };
  const invalid = keyed.querySelector("[aria-invalid]");
  (invalid || items[0] || keyed.querySelector("[data-key]"))?.focus({ preventScroll: !invalid });
  keyed.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])")) return;
    const here = event.target.closest("[data-item]");
    if (key === "j" || key === "k") {
      go(items[items.indexOf(here) + (key === "j" ? 1 : -1)]);
      event.preventDefault();
      return;
    }
    const bears = `[data-key="${CSS.escape(key)}"]`;
    const button = here?.querySelector(bears) || [...keyed.querySelectorAll(bears)].find((one) => !one.closest("[data-item]"));
    if (!button) return;
    event.preventDefault();
    button.click();
    if (button.matches("input")) here.focus({ preventScroll: true });
  });
}
