// What is typed, ticked and drawn is kept by the app every second or two: a flat battery loses no more than that.
"use strict";

for (const form of document.querySelectorAll("form[data-drafts]")) {
  let later = 0;
  let changed = false;
  const keep = () => {
    changed = true;
    later = later || setTimeout(send, 1000);
  };
  // One at a time, so that none overtakes a newer one. A full disk, a busy database: once more, also if nobody types.
  const send = () => {
    changed = false;
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && !name.startsWith("photo_data")) data.append(name, value);
    }
    data.set("do", "draft");
    fetch(location.href, { method: "POST", body: data, credentials: "same-origin" })
      .then((answer) => answer.status >= 500, () => true)
      .then((failed) => {
        if (later < 0) return;
        later = 0;
        if (failed || changed) keep();
      });
  };
  ["input", "change", "drawn"].forEach((kind) => form.addEventListener(kind, keep));
  form.addEventListener("submit", () => { clearTimeout(later); later = -1; });
}
