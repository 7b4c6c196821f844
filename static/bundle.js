// A bundle goes up in small pieces, with progress: no request is large. Without this file it goes up whole, up to 8 MB.
"use strict";

const PIECE = 2 * 1024 * 1024;

document.querySelectorAll("form[data-parts]").forEach((form) => {
  const chosen = form.elements.bundle;
  const shown = form.querySelector("[data-progress]");
  const failed = form.querySelector("[data-failed]");

  const send = async (file) => {
    const bar = shown.querySelector("progress");
    shown.hidden = false;
    failed.hidden = true;
    for (let at = 0; at < file.size; at += PIECE) {
      const answer = await fetch(`${form.dataset.parts}?at=${at}`, {
        method: "POST", body: file.slice(at, at + PIECE), credentials: "same-origin", redirect: "error",
        headers: { "Content-Type": "application/octet-stream", "X-CSRFToken": form.elements.csrf_token.value },
      });
      if (!answer.ok) throw new Error(answer.status);
      bar.value = Math.min(1, (at + PIECE) / file.size);
    }
    form.elements.parts.value = file.size;
    chosen.disabled = true;
    HTMLFormElement.prototype.submit.call(form);
  };

  form.addEventListener("submit", async (event) => {
    const file = chosen.files[0];
    if (form.dataset.sent || !file || !file.size) return;
    event.preventDefault();
    try {
      await send(file);
    } catch {
      shown.hidden = true;
      failed.hidden = false;
      delete form.dataset.sent;
    }
  });
});

// Coming back by the back button: the file has to be chosen, and sent, anew.
addEventListener("pageshow", () => document.querySelectorAll("form[data-parts]").forEach((form) => {
  form.elements.parts.value = "";
  form.elements.bundle.disabled = false;
  form.querySelector("[data-progress]").hidden = true;
}));
