// What is typed, ticked and drawn is kept by the app every second or two: a flat battery loses no more than that.
"use strict";

for (const form of document.querySelectorAll("form[data-drafts]")) {
  let later = 0;
  const keep = () => {
    later = later || setTimeout(() => {
      later = 0;
      const data = new URLSearchParams();
      for (const [name, value] of new FormData(form)) {
        if (typeof value === "string" && !name.startsWith("photo_data")) data.append(name, value);
      }
      data.set("do", "draft");
      fetch(location.href, { method: "POST", body: data, credentials: "same-origin" }).catch(() => {});
    }, 1000);
  };
  ["input", "change", "drawn"].forEach((kind) => form.addEventListener(kind, keep));
  form.addEventListener("submit", () => { clearTimeout(later); later = 1; });
}
